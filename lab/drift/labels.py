"""Read labels from the feedback log or a file, the last one per id."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.drift.json_lines import Block, Unread, blocks_of, readable_lines, set_rows_aside
from lab.drift.moments import timed

ID, RECEIVED, LABEL = "id", "received", "label"
LINES = pa.schema([(ID, pa.string()), (RECEIVED, pa.string()), (LABEL, pa.float64())])
NONE = pa.Table.from_batches([], LINES)
WORDS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
EXPECTED = "expected a CSV with the header id,label, or the JSON lines of serving (.jsonl)"


def labels_in(blocks: Iterable[Block], unread: list[Unread]) -> pa.Table:
    """Return ids and labels of a feedback log, one row per id: the label received last.

    Lines that cannot be read are appended to `unread`.
    """
    table = pa.concat_tables([NONE, *(readable_lines(block, LINES, unread)[1] for block in blocks)])
    where = "the feedback log"
    table = set_rows_aside(table, np.flatnonzero(table[ID].is_null().to_numpy()), "a label has no id", where, unread)
    table = set_rows_aside(table, np.flatnonzero(~_valid(table)), "a label is neither 0 nor 1", where, unread)
    table = timed(table, RECEIVED, unread)
    return last_of_each(table.select([ID, LABEL]), table[RECEIVED])


def read_labels(path: Path) -> pa.Table:
    """Return ids and labels of a file, one row per id: the last one in the file."""
    if not path.is_file():
        raise SourceError(f"{path} is missing, {EXPECTED}. Cure: check the path.")
    if path.suffix in {".jsonl", ".ndjson"}:
        unread: list[Unread] = []
        labels = labels_in((block for block in blocks_of(path) if not block.torn), unread)
        if unread:
            raise SourceError(f"{path}, {unread[0].where}: {unread[0].reason}; {EXPECTED}. Cure: correct the line.")
        return labels
    table = _read_csv(path)
    _check(table, path)
    return last_of_each(table, None)


def last_of_each(table: pa.Table, moments: pa.ChunkedArray | None) -> pa.Table:
    """Return the last row of each id, by moment if there is one, then by position."""
    codes = table[ID].combine_chunks().dictionary_encode().indices.to_numpy()
    keys = [codes] if moments is None else [moments.cast(pa.int64()).fill_null(0).to_numpy(), codes]
    order = np.lexsort(keys)
    last = np.append(codes[order][1:] != codes[order][:-1], True) if len(order) else np.empty(0, dtype=bool)
    return table.take(pa.array(np.sort(order[last])))


def _read_csv(path: Path) -> pa.Table:
    from pyarrow import csv  # noqa: PLC0415 - only where there is one

    text = csv.ConvertOptions(
        column_types={ID: pa.string(), LABEL: pa.string()}, null_values=[""], strings_can_be_null=True
    )
    try:
        table = csv.read_csv(path, convert_options=text)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path} cannot be read: {error}; {EXPECTED}. Cure: correct the file.") from error
    if absent := [name for name in (ID, LABEL) if name not in table.column_names]:
        raise SourceError(f"{path} lacks {absent}; it has {table.column_names}, {EXPECTED}. Cure: rename the columns.")
    words = [None if word is None else WORDS.get(word.strip().lower(), np.inf) for word in table[LABEL].to_pylist()]
    return pa.table({ID: table[ID], LABEL: pa.array(words, pa.float64())})


def _check(table: pa.Table, path: Path) -> None:
    if missing := table[ID].null_count:
        raise SourceError(f"{path}: {missing} labels have no id, expected the id of an answer. Cure: drop them.")
    if invalid := int(np.sum(~_valid(table))):
        raise SourceError(
            f"{path}: {invalid} of {table.num_rows} labels are invalid, expected 0, 1, true or false. "
            "Cure: drop labels that are not known yet."
        )


def _valid(table: pa.Table) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = pc.is_in(table[LABEL], value_set=pa.array([0.0, 1.0])).to_numpy()
    return known

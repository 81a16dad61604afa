"""Read a prediction log of serving as a batch, with labels from feedback."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.drift.batch import checked_batch
from lab.drift.json_lines import Block, Unread, blocks_of, failing, set_rows_aside
from lab.drift.labels import labels_in, read_labels
from lab.drift.log_answers import ARM, FEATURES, FINGERPRINT, ID, MOMENT, SCORE, UNIT, answers_in, feature_column
from lab.drift.log_selection import Choice, Counts, chosen, may_be_chosen
from lab.drift.set_aside import SetAside, counted
from lab.predictions.predictions import LABEL, MODELS, score_column
from lab.reference.reference import Reference

ANSWERS, FEEDBACK = "predictions-*.jsonl", "feedback-*.jsonl"
FIRST_LINES = 10
CURE = "Cure: serve the model of this reference, or select its answers (--fingerprint)."


@dataclass(frozen=True)
class ServedBatch:
    """The selected rows, the counts of the selection, and of the lines that cannot be read."""

    rows: pa.Table
    counts: Counts
    set_aside: SetAside


def is_served(path: Path) -> bool:
    """Return whether a path is a prediction log: a folder, or a file with an answer in its first lines."""
    if path.is_dir():
        return True
    if path.suffix not in {".jsonl", ".ndjson"} or not path.is_file():
        return False
    with path.open("rb") as stream:
        return any(map(_is_answer, islice(stream, FIRST_LINES)))


def _is_answer(line: bytes) -> bool:
    try:
        content = json.loads(line)
    except ValueError:
        return False
    return isinstance(content, dict) and {ID, ARM, FINGERPRINT, SCORE, FEATURES} <= set(content)


def read_served(path: Path, reference: Reference, choice: Choice) -> ServedBatch:
    """Return the selected answers of a log, each with its label if known; lines that cannot be read are set aside."""
    torn: list[Block] = []
    unread: list[Unread] = []
    files = _files(path, ANSWERS) if path.is_dir() else [path]
    schema = reference.facts.inputs
    answers = answers_in(_complete(files, torn), schema, unread)
    counts = Counts(answers=answers.num_rows)
    answers, unknown = _with_labels(answers, _labels(path, choice, torn, unread))
    counts = replace(counts, torn=len(torn), unknown_labels=unknown)
    answers, counts = chosen(answers, choice, counts, by_moment=schema.moment is not None, where=str(path))
    answers = _typed(answers, reference, unread)
    rows, left_out = _named(answers, choice, reference)
    rows = checked_batch(rows, reference, name=str(path), cure=CURE)
    labelled = rows.num_rows - rows[LABEL].null_count if LABEL in rows.column_names else 0
    counts = replace(counts, judged=rows.num_rows, labelled=labelled, left_out=tuple(left_out))
    chosen_lines = [(line.reason, line.where) for line in unread if may_be_chosen(line.content, choice)]
    return ServedBatch(rows, counts, counted(chosen_lines, read=rows.num_rows))


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a log, also in subfolders (one per server)."""
    found = sorted(folder.rglob(pattern))
    if not found and pattern == ANSWERS:
        raise SourceError(
            f"{folder} contains {sorted(each.name for each in folder.iterdir())[:5]}, expected "
            "predictions-WORKER-NUMBER.jsonl, as serving writes them. Cure: give the folder of LAB_LOG."
        )
    return found


def _complete(files: Sequence[Path], torn: list[Block]) -> Iterator[Block]:
    """Yield the complete blocks, and append the torn ones to `torn`."""
    for block in (block for path in files for block in blocks_of(path)):
        if block.torn:
            torn.append(block)
        else:
            yield block


def _labels(path: Path, choice: Choice, torn: list[Block], unread: list[Unread]) -> list[pa.Table]:
    """Return the label tables by precedence: the given file, then the feedback log."""
    logged = labels_in(_complete(_files(path, FEEDBACK), torn), unread) if path.is_dir() else None
    given = read_labels(choice.labels) if choice.labels is not None else None
    return [each for each in (given, logged) if each is not None]


def _with_labels(answers: pa.Table, labels: Sequence[pa.Table]) -> tuple[pa.Table, int]:
    """Return the answers with their labels, and the number of labels without an answer."""
    joined, unknown = pa.chunked_array([pa.nulls(answers.num_rows, pa.float64())]), 0
    for each in labels:
        indices = pc.index_in(answers[ID], value_set=each[ID].combine_chunks())
        joined = pc.coalesce(joined, each[LABEL].take(indices))
        unknown += each.num_rows - len(indices.unique().drop_null())
    return answers.append_column(LABEL, joined), unknown


def _typed(answers: pa.Table, reference: Reference, unread: list[Unread]) -> pa.Table:
    """Return the answers whose features, and units if most of them do, have the types of the reference."""
    types = {feature_column(name): reference.facts.columns[name].type for name in reference.facts.inputs.features}
    if len(reference.facts.units) == 1:
        types[UNIT] = next(iter(reference.facts.units.values()))
    for name, kind in types.items():
        column, wanted = answers[name], pa.type_for_alias(kind)
        if column.type == wanted or (pa.types.is_string(column.type) and name != UNIT):
            continue
        bad = _not_castable(column, wanted)
        if name != UNIT or 2 * len(bad) < answers.num_rows:
            answers = set_rows_aside(answers, bad, f"{name} cannot be read as {kind}", "the log", unread)
    return answers


def _not_castable(column: pa.ChunkedArray, wanted: pa.DataType) -> list[int]:
    return failing(len(column), lambda start, end: column.slice(start, end - start).cast(wanted))


def _named(answers: pa.Table, choice: Choice, reference: Reference) -> tuple[pa.Table, list[str]]:
    """Return the answers with the column names of the schema, and a reason for each column left out."""
    schema, left_out = reference.facts.inputs, []
    columns = {name: answers[feature_column(name)] for name in schema.features}
    if schema.moment:
        columns[schema.moment] = answers[MOMENT]
    units = _units(answers, reference)
    if isinstance(units, str):
        left_out.append(units)
    else:
        columns |= units
    for model in MODELS:
        scores = answers[SCORE] if choice.arm == model else answers[score_column(model)]
        if not scores.null_count:
            columns[score_column(model)] = scores
        elif scores.null_count < len(scores):
            left_out.append(f"the {model}'s scores: missing in {scores.null_count} of {len(scores)} rows")
    if answers[LABEL].null_count < answers.num_rows:
        columns[LABEL] = answers[LABEL]
    return pa.table(columns), left_out


def _units(answers: pa.Table, reference: Reference) -> dict[str, pa.ChunkedArray] | str:
    """Return the column of units, or the reason why there is none; rows then count as different units."""
    names, column = reference.facts.inputs.unit, answers[UNIT]
    if len(names) != 1:
        return {} if not names else f"units: the key is {', '.join(names)}, but a request has only one unit"
    if missing := column.null_count:
        return f"units: missing in {missing} of {len(column)} rows"
    try:
        return {names[0]: column.cast(pa.type_for_alias(reference.facts.units[names[0]]))}
    except (pa.ArrowInvalid, KeyError) as error:
        return f"units: not of the type of {names[0]} in {reference.facts.window}: {error}"

"""Read the answers of a prediction log: unit, moment, arm, scores, features."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.core.schema import FeatureSchema
from lab.drift.json_lines import Block, Unread, objects_of, readable_lines, set_rows_aside
from lab.drift.moments import timed
from lab.predictions.predictions import MODELS, score_column

ID, UNIT, MOMENT, RECEIVED, ARM, FINGERPRINT, SCORE = "id", "unit", "moment", "received", "arm", "fingerprint", "score"
FEATURES, LACKING = "features", "lacking"
ALWAYS = (ID, RECEIVED, MOMENT, UNIT, ARM, FINGERPRINT, SCORE)
EMPTY = Block(Path("no file"), 1, b"")
KINDS = {"number": pa.float64(), "boolean": pa.bool_(), "category": pa.string()}


def answers_in(blocks: Iterable[Block], schema: FeatureSchema, unread: list[Unread]) -> pa.Table:
    """Return the answers in file order; feature columns are prefixed with `features.`.

    Lines that cannot be read are appended to `unread`.
    `lacking` lists the features whose key is absent from a line, which is different from a null value.
    """
    parts = [_answers(block, schema, unread) for block in blocks]
    return pa.concat_tables(parts or [_answers(EMPTY, schema, unread)]).unify_dictionaries()


def feature_column(name: str) -> str:
    """Return the prefixed column name of a feature."""
    return f"{FEATURES}.{name}"


def _answers(block: Block, schema: FeatureSchema, unread: list[Unread]) -> pa.Table:
    features = pa.struct([(name, KINDS[feature.kind]) for name, feature in sorted(schema.features.items())])
    scores = [(name, pa.float64()) for name in (SCORE, *map(score_column, MODELS))]
    texts = [(name, pa.string()) for name in ALWAYS if name != SCORE]
    block, lines = readable_lines(block, pa.schema([*texts, *scores, (FEATURES, features)]), unread)
    absent = {name: pc.struct_field(lines[FEATURES], name) for name in sorted(schema.features)}
    lines = lines.append_column(LACKING, _lacking(block, lines.num_rows, absent))
    where = f"{block.path.name}, from line {block.first} on"
    for name in (ID, RECEIVED, ARM, FINGERPRINT, SCORE, FEATURES):
        missing = np.flatnonzero(lines[name].is_null().to_numpy())
        lines = set_rows_aside(lines, missing, f"it has no {name}", where, unread)
    scored = lines[SCORE].to_numpy()
    lines = set_rows_aside(
        lines, np.flatnonzero(~((scored >= 0) & (scored <= 1))), "score is not between 0 and 1", where, unread
    )
    lines = timed(timed(lines, RECEIVED, unread), MOMENT, unread)
    short = {name: lines[name].dictionary_encode() for name in (ARM, FINGERPRINT)}
    named = {feature_column(name): pc.struct_field(lines[FEATURES], name) for name in sorted(schema.features)}
    own = {name: lines[name] for name in (ID, UNIT, LACKING, *(name for name, _ in scores))}
    return pa.table(
        {**own, **short, RECEIVED: lines[RECEIVED], MOMENT: pc.coalesce(lines[MOMENT], lines[RECEIVED]), **named}
    )


def _lacking(block: Block, rows: int, columns: dict[str, pa.ChunkedArray]) -> pa.Array:
    """Return the names of the absent features of each answer, newline-separated; searched only if some are absent."""
    names = [name for name, column in columns.items() if column.null_count]
    if not any(_occurrences(block.content, name, rows) < rows for name in names):
        return pa.nulls(rows, pa.string())
    return pa.array([_absent(line.get(FEATURES), names) for line in objects_of(block)], pa.string())


def _occurrences(content: bytes, name: str, rows: int) -> int:
    """Return an upper bound on the lines that have the feature; other keys may have the same name."""
    key = json.dumps(name, ensure_ascii=False).encode() + b":"
    return content.count(key) - (rows if name in ALWAYS else 0)


def _absent(features: object, names: Sequence[str]) -> str | None:
    absent = [name for name in names if not isinstance(features, dict) or name not in features]
    return "\n".join(absent) or None

"""Read the answers of a prediction log: unit, moment, arm, scores, features."""

import json
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.drift.json_lines import Block, objects_of, table_of
from lab.drift.moments import moments_in
from lab.predictions.predictions import MODELS, score_column

ID, UNIT, MOMENT, RECEIVED, ARM, FINGERPRINT, SCORE = "id", "unit", "moment", "received", "arm", "fingerprint", "score"
FEATURES, LACKING = "features", "lacking"
ALWAYS = (ID, RECEIVED, MOMENT, UNIT, ARM, FINGERPRINT, SCORE)
KINDS = {"number": pa.float64(), "boolean": pa.bool_(), "category": pa.string()}


def answers_in(blocks: Iterable[Block], schema: FeatureSchema) -> pa.Table:
    """Return the answers in file order; feature columns are prefixed with `features.`.

    `lacking` lists the features whose key is absent from a line, which is different from a null value.
    """
    return pa.concat_tables([_answers(block, schema) for block in blocks]).unify_dictionaries()


def feature_column(name: str) -> str:
    """Return the prefixed column name of a feature."""
    return f"{FEATURES}.{name}"


def _answers(block: Block, schema: FeatureSchema) -> pa.Table:
    features = pa.struct([(name, KINDS[feature.kind]) for name, feature in sorted(schema.features.items())])
    scores = [(name, pa.float64()) for name in (SCORE, *map(score_column, MODELS))]
    texts = [(name, pa.string()) for name in ALWAYS if name != SCORE]
    lines = table_of(block, pa.schema([*texts, *scores, (FEATURES, features)]))
    for name in (ID, RECEIVED, ARM, FINGERPRINT, SCORE):
        if missing := lines[name].null_count:
            raise SourceError(
                f"{block.path}: {missing} of {lines.num_rows} lines from line {block.first} on have no {name}, "
                "expected lines as serving writes them. Cure: remove other files from the folder."
            )
    where = str(block.path)
    moments = {name: moments_in(lines[name], name=name, where=where) for name in (RECEIVED, MOMENT)}
    moments[MOMENT] = pc.coalesce(moments[MOMENT], moments[RECEIVED])
    short = {name: lines[name].dictionary_encode() for name in (ARM, FINGERPRINT)}
    named = {feature_column(name): pc.struct_field(lines[FEATURES], name) for name in sorted(schema.features)}
    own = {name: lines[name] for name in (ID, UNIT, *(name for name, _ in scores))}
    return pa.table({**own, **short, **moments, **named, LACKING: _lacking(block, lines.num_rows, named)})


def _lacking(block: Block, rows: int, columns: dict[str, pa.ChunkedArray]) -> pa.Array:
    """Return the names of the absent features of each answer, newline-separated; searched only if some are absent."""
    names = [name.removeprefix(f"{FEATURES}.") for name, column in columns.items() if column.null_count]
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

"""Load the explanation files of a compiled model, and explain rows as the pipeline does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.compiled.files import MOST_BYTES, MOST_JSON_BYTES, Compiled, parse_arrays, parse_json, read_verified
from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.wording import Reason, ReferenceValues, Row, Template, Value, Words, strongest_reasons
from lab.core.errors import ModelError
from lab.model_files.compiled_names import REASONS, REASONS_ARRAYS
from lab.reasons.additions import Attribution, attribution_of

PACK_AGAIN = "Cure: `python -m ops pack`, of the same version as the server, writes the folder again."
DECIMALS = 6  # as in lab/explain/contributions.py, which imports scikit-learn


@dataclass(frozen=True)
class RowExplanation:
    """One row's base, output and contributions, and the strongest reasons as text."""

    base: float
    output: float
    contributions: Mapping[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Reasoner:
    """Explains rows of one model."""

    attribution: Attribution
    words: Mapping[str, Words]
    usual: Mapping[str, ReferenceValues]

    def explain(self, columns: Columns, *, most: int) -> list[RowExplanation]:
        """Return the explanation of each row; columns that the model does not use serve the texts only."""
        attribution, rows = self.attribution, _rows({name: columns[name] for name in self.usual if name in columns})
        values, outputs = (_rounded(found(columns)) for found in (attribution.contribute, attribution.output))
        return [
            RowExplanation(
                base=float(_rounded(attribution.base)),
                output=output,
                contributions=dict(zip(attribution.features, own.tolist(), strict=True)),
                reasons=tuple(strongest_reasons(attribution.features, own, row, self.words, self.usual, most=most)),
            )
            for own, output, row in zip(values, outputs.tolist(), rows, strict=True)
        ]


def read_reasons(
    folder: Path, model: Compiled, *, fingerprint: str, named: Mapping[str, str], most_bytes: int = MOST_BYTES
) -> Reasoner:
    """Return the verified reasoner in a folder; `named` are the fingerprints of its files, `fingerprint` the model."""
    path, arrays_path = folder / REASONS, folder / REASONS_ARRAYS
    program = parse_json(read_verified(path, named.get(REASONS), MOST_JSON_BYTES), path)
    arrays = parse_arrays(read_verified(arrays_path, named.get(REASONS_ARRAYS), most_bytes), arrays_path)
    try:
        explained = program["model"]
        reasoner = reasoner_of(program, arrays, model)
    except Exception as error:
        raise ModelError(f"{path} is invalid: {error!r}. {PACK_AGAIN}") from error
    if explained != fingerprint:
        raise ModelError(
            f"{path} explains the model {explained}, expected {fingerprint} of the same folder. {PACK_AGAIN}"
        )
    return reasoner


def reasoner_of(program: Part, arrays: Arrays, model: Compiled) -> Reasoner:
    """Return the reasoner from the content of both files."""
    return Reasoner(
        attribution=attribution_of(program["additions"], arrays, model),
        words={name: _words(own) for name, own in program["words"].items()},
        usual={name: _usual(own, arrays) for name, own in program["usual"].items()},
    )


def _words(own: Mapping[str, Any]) -> Words:
    sentences = {name: tuple(map(_template, own[name])) for name in ("says", "raises", "lowers", "missing")}
    return Words(own["called"], **sentences)


def _template(parts: list[list[Any]]) -> Template:
    return tuple((text, name, form) for text, name, form in parts)


def _usual(own: Mapping[str, Any], arrays: Arrays) -> ReferenceValues:
    return ReferenceValues(own["kind"], own["rows"], arrays[own["numbers"]], dict(own["levels"]))


def _rows(columns: Columns) -> list[Row]:
    known = {name: list(map(_value, column.tolist())) for name, column in columns.items()}
    return [dict(zip(known, values, strict=True)) for values in zip(*known.values(), strict=True)]


def _value(found: Value) -> Value:
    return None if found is None or found != found else found  # noqa: PLR0124 - NaN is not itself


def _rounded(values: Any) -> Numbers:
    return np.asarray(np.round(values, DECIMALS) + 0.0)

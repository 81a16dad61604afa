"""Load the explanation files of a compiled model, and explain rows as the pipeline does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.compiled.files import Compiled, parse_arrays, parse_json, read_verified
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


def read_reasons(folder: Path, model: Compiled, *, fingerprint: str, named: Mapping[str, str]) -> Reasoner:
    """Return the verified reasoner in a folder; `named` are the fingerprints of its files, `fingerprint` the model."""
    program = parse_json(read_verified(folder / REASONS, named.get(REASONS)), folder / REASONS)
    arrays = parse_arrays(read_verified(folder / REASONS_ARRAYS, named.get(REASONS_ARRAYS)), folder / REASONS_ARRAYS)
    if program.get("model") != fingerprint:
        raise ModelError(
            f"{folder / REASONS} explains the model {program.get('model')}, expected {fingerprint} of the same "
            f"folder. {PACK_AGAIN}"
        )
    try:
        return reasoner_of(program, arrays, model)
    except (LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / REASONS} is invalid: {error!r}. {PACK_AGAIN}") from error


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

"""Read what explains a compiled model, and give the reasons for a row's score as the pipeline gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.compiled.files import Compiled, arrays_in, checked, json_in
from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.wording import Reason, Row, Template, Usual, Value, Words, weightiest
from lab.core.errors import ModelError
from lab.model_files.compiled_names import REASONS, REASONS_ARRAYS
from lab.reasons.additions import Additions, additions_of

PACK_AGAIN = "Cure: `python -m ops pack`, of the same version as what serves, writes the folder anew."
DECIMALS = 6  # of a contribution, as in lab/explain/contributions.py, which would bring scikit-learn


@dataclass(frozen=True)
class Explained:
    """One row's contributions by feature, what they add up from and to, and the weightiest of them in words."""

    base: float
    output: float
    contributions: Mapping[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Reasoner:
    """What gives the reasons for a model's scores."""

    additions: Additions
    words: Mapping[str, Words]
    usual: Mapping[str, Usual]

    def explained(self, columns: Columns, *, most: int) -> list[Explained]:
        """Return why each row has its score; columns beyond the model's own serve the words alone."""
        additions, rows = self.additions, _rows({name: columns[name] for name in self.usual if name in columns})
        values, outputs = (_rounded(found(columns)) for found in (additions.contribute, additions.output))
        return [
            Explained(
                base=float(_rounded(additions.base)),
                output=output,
                contributions=dict(zip(additions.features, moved.tolist(), strict=True)),
                reasons=tuple(weightiest(additions.features, moved, row, self.words, self.usual, most=most)),
            )
            for moved, output, row in zip(values, outputs.tolist(), rows, strict=True)
        ]


def read_reasons(folder: Path, model: Compiled, *, fingerprint: str, named: Mapping[str, str]) -> Reasoner:
    """Return what explains the model of a folder; the files must be as they are named, and be this model's.

    `fingerprint` is the model's, `named` are the fingerprints of both files.
    """
    program = json_in(checked(folder / REASONS, named.get(REASONS)), folder / REASONS)
    arrays = arrays_in(checked(folder / REASONS_ARRAYS, named.get(REASONS_ARRAYS)), folder / REASONS_ARRAYS)
    if program.get("model") != fingerprint:
        raise ModelError(
            f"{folder / REASONS} explains the model {program.get('model')}, expected {fingerprint}, which lies beside "
            f"it. {PACK_AGAIN}"
        )
    try:
        return reasoner_of(program, arrays, model)
    except (LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / REASONS} is not understood: {error!r}. {PACK_AGAIN}") from error


def reasoner_of(program: Part, arrays: Arrays, model: Compiled) -> Reasoner:
    """Return what gives reasons, from the content of both files."""
    return Reasoner(
        additions=additions_of(program["additions"], arrays, model),
        words={name: _words(own) for name, own in program["words"].items()},
        usual={name: _usual(own, arrays) for name, own in program["usual"].items()},
    )


def _words(own: Mapping[str, Any]) -> Words:
    sentences = {name: tuple(map(_template, own[name])) for name in ("says", "raises", "lowers", "missing")}
    return Words(own["called"], **sentences)


def _template(parts: list[list[Any]]) -> Template:
    return tuple((text, name, form) for text, name, form in parts)


def _usual(own: Mapping[str, Any], arrays: Arrays) -> Usual:
    return Usual(own["kind"], own["rows"], arrays[own["numbers"]], dict(own["levels"]))


def _rows(columns: Columns) -> list[Row]:
    known = {name: list(map(_value, column.tolist())) for name, column in columns.items()}
    return [dict(zip(known, values, strict=True)) for values in zip(*known.values(), strict=True)]


def _value(found: Value) -> Value:
    return None if found is None or found != found else found  # noqa: PLR0124 - NaN is not itself


def _rounded(values: Any) -> Numbers:
    return np.asarray(np.round(values, DECIMALS) + 0.0)

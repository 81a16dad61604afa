"""Select the answers of a log, and count what is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.drift.log_answers import ARM, FINGERPRINT, ID, LACKING, MOMENT, RECEIVED, UNIT
from lab.predictions.predictions import LABEL
from lab.predictions.units import codes_of

Arm = Literal["champion", "challenger", "all"]
Mask = NDArray[np.bool_]
SHORT = 12


@dataclass(frozen=True)
class Choice:
    """Which answers to select, by moment in UTC (`until` exclusive); `labels` is a file of additional labels.

    By default the champion's answers: units are assigned to arms by a hash, so they are representative, and their
    labels arose under its decisions. The scores of two models are never mixed in one column.
    """

    arm: Arm = "champion"
    fingerprint: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class Counts:
    """The counts of a log and of the selection; `models` counts the selected answers by fingerprint."""

    answers: int = 0
    torn: int = 0
    other_arms: int = 0
    other_models: int = 0
    other_moments: int = 0
    repeated: int = 0
    judged: int = 0
    labelled: int = 0
    unknown_labels: int = 0
    models: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def chosen(
    answers: pa.Table, choice: Choice, counts: Counts, *, by_moment: bool, where: str
) -> tuple[pa.Table, Counts]:
    """Return the selected answers, the last one of each unit and moment, sorted by moment and id."""
    full = _full_fingerprint(answers, choice.fingerprint, where=where)
    answers, other_arms = _kept(answers, _of_arm(answers, choice.arm))
    answers, other_models = _kept(answers, _equals(answers[FINGERPRINT], full))
    answers, other_moments = _kept(answers, _between(answers[MOMENT], choice))
    answers, repeated = _last_of_each(answers, by_moment=by_moment)
    counts = replace(
        counts,
        other_arms=other_arms,
        other_models=other_models,
        other_moments=other_moments,
        repeated=repeated,
        models=_rows_by(answers[FINGERPRINT]),
    )
    if counts.answers and not answers.num_rows:
        raise SourceError(
            f"{where} has no selected answer: of {counts.answers}, {other_arms} are of another arm, "
            f"{other_models} of another model, {other_moments} of other moments. Cure: select others."
        )
    _check_features(answers, where=where)
    return answers.sort_by([(MOMENT, "ascending"), (ID, "ascending")]), counts


def may_be_chosen(content: Mapping[str, Any], choice: Choice) -> bool:
    """Return whether a line that cannot be read may be one of the selected answers, by what is known of it."""
    if choice.arm != "all" and content.get(ARM, choice.arm) != choice.arm:
        return False
    if choice.fingerprint and not str(content.get(FINGERPRINT, choice.fingerprint)).startswith(choice.fingerprint):
        return False
    for name in (MOMENT, RECEIVED):
        try:
            moment = pa.chunked_array([pa.array([_as_utc(datetime.fromisoformat(str(content.get(name))))])])
            return bool(_between(moment, choice)[0])
        except ValueError:
            continue
    return True


def _full_fingerprint(answers: pa.Table, wanted: str | None, *, where: str) -> str | None:
    known = sorted(_rows_by(answers[FINGERPRINT]))
    fitting = [each for each in known if wanted is not None and each.startswith(wanted.lower())]
    if wanted is not None and len(fitting) != 1:
        raise SourceError(
            f"{where}: {len(fitting)} models have a fingerprint that starts with {wanted!r}, expected one of "
            f"{[each[:SHORT] for each in known]}. Cure: give one of them (GET /model shows it)."
        )
    return fitting[0] if fitting else None


def _of_arm(answers: pa.Table, arm: Arm) -> Mask:
    return _equals(answers[ARM], None if arm == "all" else arm)


def _equals(column: pa.ChunkedArray, wanted: str | None) -> Mask:
    if wanted is None:
        return np.ones(len(column), dtype=bool)
    found: Mask = pc.equal(column.cast(pa.string()), wanted).to_numpy()
    return found


def _between(moments: pa.ChunkedArray, choice: Choice) -> Mask:
    times = moments.to_numpy()
    kept = np.ones(len(times), dtype=bool)
    if choice.since is not None:
        kept &= times >= _as_utc(choice.since)
    if choice.until is not None:
        kept &= times < _as_utc(choice.until)
    return kept


def _as_utc(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "us")


def _kept(answers: pa.Table, mask: Mask) -> tuple[pa.Table, int]:
    out = int(len(mask) - mask.sum())
    return (answers.filter(pa.array(mask)), out) if out else (answers, 0)


def _last_of_each(answers: pa.Table, *, by_moment: bool) -> tuple[pa.Table, int]:
    """Return the last answer of each unit and moment (of each id without a unit), with the last known label.

    Repeated requests about the same unit and moment have one outcome.
    """
    units, ids = answers[UNIT], codes_of(answers[ID])
    unnamed = units.is_null().to_numpy()
    moments = answers[MOMENT].cast(pa.int64()).to_numpy() if by_moment else np.zeros(len(ids), dtype=np.int64)
    keys = [np.where(unnamed, ids, -1), np.where(unnamed, -1, codes_of(units)), np.where(unnamed, 0, moments)]
    order = np.lexsort([answers[RECEIVED].cast(pa.int64()).to_numpy(), *keys])
    changes = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0) if len(order) else np.empty(0, bool)
    first, last = np.append(True, changes)[: len(order)], np.append(changes, True)[: len(order)]
    labels = _filled_forward(answers[LABEL].to_numpy()[order], first)
    kept = order[last]
    answers = answers.set_column(answers.column_names.index(LABEL), LABEL, _labels_at(labels, order))
    return answers.take(pa.array(np.sort(kept))), len(order) - len(kept)


def _filled_forward(labels: NDArray[np.float64], first: Mask) -> NDArray[np.float64]:
    """Return labels with missing ones filled from the previous row of the same group."""
    known = np.maximum.accumulate(np.where(np.isnan(labels) & ~first, 0, np.arange(len(labels))))
    return labels[known]


def _labels_at(labels: NDArray[np.float64], order: NDArray[np.intp]) -> pa.Array:
    back = np.empty(len(order), dtype=np.float64)
    back[order] = labels
    return pa.array(back, from_pandas=True)


def _rows_by(column: pa.ChunkedArray) -> dict[str, int]:
    counted = column.cast(pa.string()).value_counts().to_pylist()
    return dict(sorted((each["values"], each["counts"]) for each in counted))


def _check_features(answers: pa.Table, *, where: str) -> None:
    lacking = answers[LACKING]
    if lines := len(lacking) - lacking.null_count:
        names = sorted({name for names in lacking.unique().drop_null().to_pylist() for name in names.split("\n")})
        raise SourceError(
            f"{where}: {lines} of {len(lacking)} answers were logged without {names}: the server redacts them "
            "(LAB_REDACT), or the model does not use them. Cure: read the rows from another source, or select other "
            "answers (--fingerprint, --since)."
        )

"""Detect anomalous rows by an isolation forest with a guaranteed false alarm rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.reference.encoding import Margins, rarity_in_bits
from lab.reference.facts import AnomalyFacts
from lab.reference.reference import CURE, Reference
from lab.reference.rows import identifiers_of
from lab.stats.core.proportions import wilson_interval
from lab.stats.shift.distributions import Distribution
from lab.stats.shift.exceedances import Threshold, calibrate_threshold, exceedance_p_value

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROWS_AT_ONCE = 50_000
WORST = 10
REASONS = 3
RARE_BELOW = 0.05
DECIMALS = 6


@dataclass(frozen=True)
class FittedForest:
    """The forest as bytes, and its threshold, calibrated on held-out rows of the reference."""

    content: bytes
    facts: AnomalyFacts


def fit_forest(
    table: pa.Table,
    margins: Margins,
    features: Sequence[str],
    *,
    held_out: Flags,
    rate: float,
    trees: int,
    seed: int,
) -> FittedForest | None:
    """Return a forest fitted on the rows that are not held out; None with too few held-out rows for the rate."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - slow; needed only to fit a forest

    from lab.model_files.canonical import canonical_bytes  # noqa: PLC0415 - brings skops

    usable = margins.known(features)
    if not usable or not np.any(~held_out) or not np.any(held_out):
        return None
    rows = rarity_in_bits(table, margins, usable)
    forest = IsolationForest(n_estimators=trees, random_state=seed).fit(rows[~held_out])
    threshold = calibrate_threshold(_scores(forest, rows[held_out]), rate=rate)
    if threshold is None:
        return None
    facts = AnomalyFacts(
        threshold=threshold.value, above=threshold.above, rows=threshold.rows, fitted_on=int(np.sum(~held_out))
    )
    return FittedForest(canonical_bytes(forest), facts)


def anomaly_scores(reference: Reference, batch: pa.Table) -> Numbers | None:
    """Return the anomaly score of each row, between 0 and 1; None when the reference has no forest."""
    if reference.forest is None or reference.facts.anomalies is None:
        return None
    forest = _loaded(reference.forest)
    margins = margins_of(reference)
    features = margins.known(sorted(reference.facts.inputs.features))
    parts = [
        _scores(forest, rarity_in_bits(part, margins, features))
        for part in (batch.slice(start, ROWS_AT_ONCE) for start in range(0, batch.num_rows, ROWS_AT_ONCE))
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def count_anomalies(reference: Reference, scores: Numbers | None) -> dict[str, Any]:
    """Return the number of rows above the threshold with an interval and a p-value."""
    facts = reference.facts.anomalies
    if scores is None or facts is None:
        return {**_nothing(), "reason": "the reference has too few rows for a guaranteed false alarm rate"}
    if len(scores) == 0:
        return {**_nothing(), "reason": "no row"}
    threshold = Threshold(facts.threshold, facts.above, facts.rows)
    above, rows = int(np.sum(scores > threshold.value)), len(scores)
    low, high = wilson_interval((above, rows))
    return {
        "rows": above,
        "share": above / rows,
        "low": low,
        "high": high,
        "promised": threshold.rate,
        "p_value": exceedance_p_value(above, rows, threshold),
        "reason": "",
    }


def worst_rows(reference: Reference, batch: pa.Table, scores: Numbers | None) -> list[dict[str, Any]]:
    """Return the most anomalous rows above the threshold, with their unusual features."""
    facts = reference.facts.anomalies
    if scores is None or facts is None:
        return []
    indices = [int(index) for index in np.argsort(-scores, kind="stable")[:WORST] if scores[index] > facts.threshold]
    found = batch.take(pa.array(indices, pa.int64()))
    identifiers = identifiers_of(batch, reference.facts.inputs, indices)
    return [
        {"row": index + 1, **identifier, "score": float(scores[index]), "reasons": reasons_of(reference, found, number)}
        for number, (index, identifier) in enumerate(zip(indices, identifiers, strict=True))
    ]


def reasons_of(reference: Reference, rows: pa.Table, index: int) -> list[str]:
    """Return the unusual features of a row as text, the rarest first."""
    found = [
        (*_rarity(reference, name, rows[name][index].as_py()), name)
        for name in margins_of(reference).known(reference.facts.inputs.features)
    ]
    rare = sorted((share, name, text) for share, text, name in found if share < RARE_BELOW)
    if not rare:
        return ["no single feature, but their combination"]
    return [f"{name} {text}" for _, name, text in rare[:REASONS]]


def _rarity(reference: Reference, name: str, value: Any) -> tuple[float, str]:
    """Return the share of the reference that is at least as extreme as a value, and a text."""
    facts = reference.facts
    if value is None or value != value:  # noqa: PLR0124 - true only for NaN
        share = facts.columns[name].missing / max(facts.rows, 1)
        return share, f"is missing, as in {_percent(share)} of the reference"
    if name in reference.numbers:
        return _rarity_of_number(reference.numbers[name], float(value))
    level = str(value).lower() if isinstance(value, bool) else str(value)
    count = reference.levels[name].get(level, 0)
    share = count / max(facts.rows, 1)
    return share, f"is {level}, as in {_percent(share)} of the reference" if count else f"is {level}, a new level"


def _rarity_of_number(found: Distribution, value: float) -> tuple[float, str]:
    counts = np.concatenate([[0], found.below])
    below, strictly_below = (int(counts[np.searchsorted(found.values, value, side=side)]) for side in ("right", "left"))
    low, high = below / found.rows, 1 - strictly_below / found.rows
    if low <= high:
        return 2 * low, f"is {value:.4g}, as low as {_percent(low)} of the reference"
    return 2 * high, f"is {value:.4g}, as high as {_percent(high)} of the reference"


def _percent(share: float) -> str:
    return "none" if share == 0 else f"{100 * share:.2g} %"


def margins_of(reference: Reference) -> Margins:
    missing = {name: facts.missing for name, facts in reference.facts.columns.items()}
    return Margins(reference.numbers, reference.levels, missing)


def _scores(forest: Any, rows: Numbers) -> Numbers:
    scores: Numbers = -forest.score_samples(rows)
    return scores.round(DECIMALS)


def _loaded(content: bytes) -> Any:
    from lab.model_files.skops_io import (  # noqa: PLC0415 - slow; needed only to score with a forest
        UntrustedTypesFoundException,
        skops_io,
    )

    try:
        return skops_io.loads(content, trusted=["numpy.dtype", "sklearn.tree._tree.Tree"])
    except UntrustedTypesFoundException as error:
        raise SourceError(f"the file of the anomaly forest contains unexpected types: {error}. {CURE}") from error


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(("rows", "share", "low", "high", "promised", "p_value"))

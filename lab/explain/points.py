"""Plot points of stage explain: aggregates, and single rows only for the examples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.compiled.wording import Value, format_value
from lab.core.schema import Feature
from lab.explain.chosen import Chosen
from lab.explain.contributions import Contributions
from lab.explain.dependence import Dependence, GridPoint
from lab.explain.shuffles import Shuffled
from lab.explain.study import Study

PlotRow = dict[str, Any]

SWARM_BINS = 40
FIFTHS = ("lowest", "low", "middle", "high", "highest")
LEVEL, MISSING = "category", "missing"
OTHERS = "all others"


def importance_rows(studies: Mapping[str, Study], *, most: int) -> list[PlotRow]:
    """Return the mean absolute contributions by model, for the most important features of either.

    Shares of the sum are comparable between models whose units differ.
    """
    kept = {feature for study in studies.values() for feature in list(study.importance)[:most]}
    return [
        {
            "model": name,
            "feature": feature,
            "mean_absolute_contribution": value,
            "share": value / total,
            "unit": study.explainer.unit,
            "method": study.explainer.method,
        }
        for name, study in studies.items()
        if (total := sum(study.importance.values()))
        for feature, value in study.importance.items()
        if feature in kept
    ]


def permutation_rows(studies: Mapping[str, Study], groups: Sequence[tuple[str, ...]], *, most: int) -> list[PlotRow]:
    """Return the loss of each model by shuffled feature, for the largest losses of either, and by correlated group.

    Correlated features replace one another, so a single loss underestimates the importance of a feature in a group.
    """
    partners = {name: [other for other in group if other != name] for group in groups for name in group}
    kept = {one.features for study in studies.values() for one in study.shuffled[:most]}
    return [
        {
            "model": name,
            "feature": " + ".join(one.features),
            **loss_fields(one),
            "kind": "group" if len(one.features) > 1 else "feature",
            "shares_with": ", ".join(partners.get(one.features[0], [])) if len(one.features) == 1 else "",
        }
        for name, study in studies.items()
        for one in [*study.shuffled, *study.shuffled_groups[:most]]
        if one.features in kept or len(one.features) > 1
    ]


def loss_fields(shuffled: Shuffled) -> PlotRow:
    """Return the loss with its interval, and whether it is not above noise."""
    if shuffled.loss is None:
        return {"loss": None, "low": None, "high": None, "noise": None}
    loss = shuffled.loss
    return {"loss": loss.value, "low": loss.low, "high": loss.high, "noise": loss.noise}


def swarm_rows(
    contributions: Contributions, frame: pd.DataFrame, features: Mapping[str, Feature], shown_features: Sequence[str]
) -> list[PlotRow]:
    """Return the counts of rows by contribution and by fifth of the feature's value: a binned beeswarm plot.

    All features have the same bins, from the smallest to the largest contribution.
    """
    if not len(contributions.values):
        return []
    places = [contributions.features.index(name) for name in shown_features]
    low, high = contributions.values[:, places].min(), contributions.values[:, places].max()
    edges = np.linspace(low, high if high > low else low + 1, SWARM_BINS + 1)
    rows = []
    for rank, (name, place) in enumerate(zip(shown_features, places, strict=True), start=1):
        bins = np.clip(np.searchsorted(edges, contributions.values[:, place], side="right") - 1, 0, SWARM_BINS - 1)
        groups = _fifths(frame[name], features[name])
        counts = Counter(zip(bins.tolist(), groups.tolist(), strict=True))
        rows += [
            {
                "feature": name,
                "place": rank,
                "start": edges[where],
                "end": edges[where + 1],
                "value": group,
                "rows": counts[where, group],
            }
            for where, group in sorted(counts)
        ]
    return rows


def waterfall_rows(
    chosen: Sequence[tuple[Chosen, str, float]],
    contributions: Contributions,
    rows: Sequence[Mapping[str, Value]],
    features: Mapping[str, Feature],
    *,
    unit: str,
    most: int,
) -> list[PlotRow]:
    """Return the steps from the base to each example row's output, the largest first, the small ones merged.

    Each example has its key and its score, in the order of the rows of the contributions.
    """
    found: list[PlotRow] = []
    for number, (case, key, score) in enumerate(chosen):
        steps = _steps(contributions, number, rows[number], features, most=most)
        at = contributions.base
        for place, (label, value) in enumerate([(f"average, in {unit}", 0.0), *steps]):
            found.append(
                {
                    "case": case.case,
                    "row": key,
                    "score": score,
                    "place": place,
                    "label": label,
                    "start": at,
                    "end": at + value,
                    "contribution": value,
                }
            )
            at += value
    return found


def dependence_rows(
    dependences: Mapping[str, Mapping[str, Dependence]], features: Mapping[str, Feature], *, numbers: bool
) -> list[PlotRow]:
    """Return the points of partial dependence by model, either of numbers or of levels."""
    return [
        {
            "model": model,
            "feature": name,
            "value": point.value if numbers else point.name,
            "score": mean,
            "low": max(0.0, mean - reach),
            "high": min(1.0, mean + reach),
            "start": point.start,
            "end": point.end,
            "rows": point.rows,
            "density": density,
        }
        for model, seen in dependences.items()
        for name, found in seen.items()
        if (features[name].kind == "number") is numbers
        for point, density, mean, reach in zip(
            found.grid, _densities(found.grid), found.means.tolist(), found.reaches.tolist(), strict=True
        )
        if not numbers or point.value is not None
    ]


def _densities(grid: Sequence[GridPoint]) -> list[float]:
    """Return the rows of each point divided by the width of its cell, relative to the largest; levels have width 1."""
    widths = [(point.end - point.start) if point.start is not None and point.end is not None else 1.0 for point in grid]
    dense = [point.rows / (width or 1.0) for point, width in zip(grid, widths, strict=True)]
    return [value / (max(dense) or 1.0) for value in dense]


def _fifths(values: pd.Series, feature: Feature) -> NDArray[np.object_]:
    """Return for each row the fifth of its value, ties at the middle; levels have no order."""
    missing = values.isna().to_numpy()
    if feature.kind == "category":
        return np.where(missing, MISSING, LEVEL).astype(object)
    if feature.kind == "boolean":
        return np.where(missing, MISSING, np.where(values.to_numpy() > 0, FIFTHS[-1], FIFTHS[0])).astype(object)
    shares = (values.rank().to_numpy() - 0.5) / max(1, len(values) - int(missing.sum()))
    fifths = np.clip((np.where(missing, 0, shares) * len(FIFTHS)).astype(int), 0, len(FIFTHS) - 1)
    return np.where(missing, MISSING, np.array(FIFTHS, dtype=object)[fifths])


def _steps(
    contributions: Contributions, number: int, row: Mapping[str, Value], features: Mapping[str, Feature], *, most: int
) -> list[tuple[str, float]]:
    values = contributions.values[number]
    order = np.argsort(-np.abs(values), kind="stable").tolist()
    names = [contributions.features[place] for place in order]
    steps = [
        (f"{name} = {format_value(row[name], features[name].kind)}", float(values[place]))
        for name, place in zip(names[:most], order, strict=False)
    ]
    rest = float(values[order[most:]].sum())
    return [*steps, (f"{OTHERS} ({len(order) - most})", rest)] if len(order) > most else steps

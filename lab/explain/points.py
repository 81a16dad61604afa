"""The points of explain's plots: counts and means, never rows of data but the few that were chosen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.compiled.wording import Value, shown
from lab.core.schema import Feature
from lab.explain.chosen import Chosen
from lab.explain.contributions import Contributions
from lab.explain.dependence import Dependence, GridPoint
from lab.explain.shuffles import Shuffled
from lab.explain.study import Study

Numbers = NDArray[np.float64]
PlotRow = dict[str, Any]

SWARM_BINS = 40
FIFTHS = ("lowest", "low", "middle", "high", "highest")
LEVEL, MISSING = "category", "missing"
OTHERS = "all others"


def importance_rows(studies: Mapping[str, Study], *, most: int) -> list[PlotRow]:
    """Return each model's contributions by feature, for those that are among the most important of either.

    Shares of the sum compare models whose units differ.
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
    """Return what each model loses without a feature, for those that either loses most by, and without a group.

    A group's features stand in for one another: a feature is worth more than its loss says where it has a partner.
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
    """Return the loss with its interval, and whether it is no more than noise."""
    if shuffled.loss is None:
        return {"loss": None, "low": None, "high": None, "noise": None}
    loss = shuffled.loss
    return {"loss": loss.value, "low": loss.low, "high": loss.high, "noise": loss.noise}


def swarm_rows(
    contributions: Contributions, frame: pd.DataFrame, features: Mapping[str, Feature], shown_features: Sequence[str]
) -> list[PlotRow]:
    """Return, for each feature, how many rows it moves by how much, by fifths of its value: a beeswarm, counted.

    The bins are the same for every feature, from the least to the largest contribution of any.
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
    """Return the way from the base to each chosen row's output, the largest step first and the small ones in one.

    Chosen rows come with what names them and their score, in the order of the contributions' rows.
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
    """Return the points of partial dependence by model: those of numbers, or those of levels."""
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
    """Return the rows around each point by the width of its cell, over the largest; levels are all as wide."""
    widths = [(point.end - point.start) if point.start is not None and point.end is not None else 1.0 for point in grid]
    dense = [point.rows / (width or 1.0) for point, width in zip(grid, widths, strict=True)]
    return [value / (max(dense) or 1.0) for value in dense]


def _fifths(values: pd.Series, feature: Feature) -> NDArray[np.object_]:
    """Return for each row in which fifth of the values it lies, ties at their middle; levels have no order."""
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
        (f"{name} = {shown(row[name], features[name].kind)}", float(values[place]))
        for name, place in zip(names[:most], order, strict=False)
    ]
    rest = float(values[order[most:]].sum())
    return [*steps, (f"{OTHERS} ({len(order) - most})", rest)] if len(order) > most else steps

"""Measure both models on every group of every group column, and say which groups are too small to tell."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.measurement import POSITIVE_SHARE, Window, measure_models
from lab.predictions import MODELS
from lab.task.money import Money

MISSING = "missing"
SHOWN = ("accuracy", "precision", "recall", "f1", "roc_auc", POSITIVE_SHARE)
MOST_LEVELS = 20
SMALLEST_CLASS = 10

Streams = Callable[[str], np.random.Generator]


def group_rows(
    window: Window, *, money: Money, resamples: int, smallest: int, stream_of: Streams
) -> Iterator[dict[str, Any]]:
    """Yield one row per group column, level, model and metric; `note` says where a level is too small to judge."""
    for group, values in window.groups.items():
        for level, rows in levels_of(values).items():
            part = window.where(rows)
            measured = measure_models(part, money=money, resamples=resamples, rng=stream_of(f"{group}/{level}"))
            counts = {
                "rows": len(part.labels),
                "positives": int(part.labels.sum()),
                "note": remark_on(part.labels, smallest=smallest),
            }
            for model, metric in product(MODELS, SHOWN):
                place = {"group": group, "level": level, "model": model, "metric": metric}
                yield {**place, **asdict(measured[model][metric]), **counts}


def levels_of(values: Sequence[Any]) -> dict[str, NDArray[np.bool_]]:
    """Return which rows are on each level, by its name, sorted; null is the level `missing`.

    Beyond twenty levels the largest nineteen stay, and the others are one, so that no row is left out.
    """
    names = [name_of(value) for value in values]
    counts = Counter(names)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    kept = ranked if len(ranked) <= MOST_LEVELS else ranked[: MOST_LEVELS - 1]
    others = f"{len(ranked) - len(kept)} others"
    shown = np.array([name if name in set(kept) else others for name in names], dtype=object)
    return {name: shown == name for name in sorted(set(shown.tolist()))}


def name_of(value: Any) -> str:
    """Return a level's name: null is `missing`, true and false are written small."""
    if value is None:
        return MISSING
    return str(value).lower() if isinstance(value, bool) else str(value)


def remark_on(labels: NDArray[np.bool_], *, smallest: int) -> str:
    """Return why a group is too small to judge, or an empty text."""
    rows, positives = len(labels), int(labels.sum())
    if rows >= smallest and min(positives, rows - positives) >= SMALLEST_CLASS:
        return ""
    return f"too small to say: {rows} rows, {positives} positive"


def small_groups(rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the groups, by column and level, that are too small to judge in one of the windows."""
    return {(row["group"], row["level"]) for row in rows if row["note"]}

"""Measure both models on every group, and mark groups that are too small."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.evaluate.measurement import POSITIVE_SHARE, Window, measure_models
from lab.predictions.predictions import MODELS
from lab.stats.core.classification import METRICS
from lab.task.money import Money

MISSING = "missing"
TOO_SMALL = "too small to judge"
UNSEEN = "not in the training rows"
SHOWN = (*METRICS, POSITIVE_SHARE)
MOST_LEVELS = 20
SMALLEST_CLASS = 10

Streams = Callable[[str], np.random.Generator]
Levels = Mapping[str, set[str]]  # the names of the levels of each group column


def group_rows(
    window: Window, *, trained_on: Levels, money: Money, resamples: int, smallest: int, stream_of: Streams
) -> Iterator[dict[str, Any]]:
    """Yield one row per group column, level, model and metric.

    `note` marks a level that is too small to judge, or that is not in the training rows.
    """
    for group, values in window.groups.items():
        unseen = set(map(name_of, values)) - trained_on[group]
        for level, rows in levels_of(values).items():
            part = window.where(rows)
            measured = measure_models(part, money=money, resamples=resamples, rng=stream_of(f"{group}/{level}"))
            counts = {
                "rows": len(part.labels),
                "units": part.unit_count,
                "positives": int(part.labels.sum()),
                "note": note_on(part.labels, smallest=smallest, unseen=level in unseen),
            }
            for model, metric in product(MODELS, SHOWN):
                place = {"group": group, "level": level, "model": model, "metric": metric}
                yield {**place, **asdict(measured[model][metric]), **counts}


def levels_of(values: Sequence[Any]) -> dict[str, NDArray[np.bool_]]:
    """Return the rows of each level, sorted by its name; null is the level `missing`.

    With more than twenty levels, the largest nineteen are kept and the others are merged into one.
    """
    names = [name_of(value) for value in values]
    counts = Counter(names)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    kept = ranked if len(ranked) <= MOST_LEVELS else ranked[: MOST_LEVELS - 1]
    others = f"{len(ranked) - len(kept)} others"
    shown = np.array([name if name in set(kept) else others for name in names], dtype=object)
    return {name: shown == name for name in sorted(set(shown.tolist()))}


def name_of(value: Any) -> str:
    """Return the name of a level: null is `missing`, booleans are in lower case."""
    if value is None:
        return MISSING
    return str(value).lower() if isinstance(value, bool) else str(value)


def note_on(labels: NDArray[np.bool_], *, smallest: int, unseen: bool) -> str:
    """Return whether a group is too small to judge or not in training, or an empty text."""
    rows, positives = len(labels), int(labels.sum())
    small = rows < smallest or min(positives, rows - positives) < SMALLEST_CLASS
    notes = [f"{TOO_SMALL}: {rows} rows, {positives} positive"] if small else []
    return "; ".join([*notes, *([UNSEEN] if unseen else [])])


def small_groups(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the groups, by column and level, that are too small to judge in a window."""
    return _noted(rows, TOO_SMALL)


def unseen_groups(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the groups, by column and level, that are in a later window but not in the training rows."""
    return _noted(rows, UNSEEN)


def _noted(rows: Sequence[Mapping[str, Any]], text: str) -> list[tuple[str, str]]:
    return sorted({(row["group"], row["level"]) for row in rows if text in row["note"]})

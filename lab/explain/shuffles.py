"""Permutation importance: the loss of ROC AUC when features or correlated groups are shuffled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.core.schema import Feature
from lab.models.scoring import score_frame
from lab.predictions.units import Codes
from lab.stats.models.shuffled_areas import AreaLoss, area_lost

Numbers = NDArray[np.float64]
Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class Shuffled:
    """The loss of ROC AUC when these features (one, or a group) are shuffled; None with one class only."""

    features: tuple[str, ...]
    loss: AreaLoss | None


def losses_of(
    pipeline: Any,
    frame: pd.DataFrame,
    labels: NDArray[np.bool_],
    parts: Sequence[tuple[str, ...]],
    *,
    units: Codes | None,
    repeats: int,
    stream_of: Streams,
) -> list[Shuffled]:
    """Return the loss of each part, the largest first; the features of a part are shuffled together, row by row.

    The shuffles of a part depend on its name alone, so they are the same for two models. The interval counts the rows
    of a unit together.
    """
    if not len(labels) or labels.all() or not labels.any():
        return [Shuffled(part, None) for part in parts]
    scores = score_frame(pipeline, frame)
    found = []
    for part in parts:
        rng = stream_of(f"shuffle/{'/'.join(part)}")
        orders = [rng.permutation(len(frame)) for _ in range(repeats)]
        shuffled = [score_frame(pipeline, _shuffled(frame, part, order)) for order in orders]
        found.append((part, area_lost(labels, scores, shuffled, units=units)))
    return [Shuffled(part, loss) for part, loss in sorted(found, key=lambda item: (-item[1].value, item[0]))]


def correlated_groups(frame: pd.DataFrame, features: Mapping[str, Feature], *, above: float) -> list[tuple[str, ...]]:
    """Return the groups of numbers and booleans with an absolute rank correlation above `above`.

    A missing value counts as the mean rank. Features without such a correlation, and categories, are in no group.
    """
    names = [
        name for name in sorted(features) if features[name].kind != "category" and frame[name].max() > frame[name].min()
    ]
    if len(names) < 2:
        return []
    ranks = np.column_stack([_ranks(frame[name].to_numpy()) for name in names])
    linked = np.abs(ranks.T @ ranks) > above
    groups: list[set[int]] = []
    for place in range(len(names)):
        near = set(np.flatnonzero(linked[place]).tolist())
        touched = [group for group in groups if group & near]
        groups = [group for group in groups if group not in touched] + [near.union(*touched)]
    return sorted(tuple(names[place] for place in sorted(group)) for group in groups if len(group) > 1)


def _shuffled(frame: pd.DataFrame, part: Sequence[str], order: NDArray[np.intp]) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].iloc[order].set_axis(frame.index) for name in part})


def _ranks(values: Numbers) -> Numbers:
    """Return ranks, ties at the middle, centred, with length 1."""
    ranks = pd.Series(values).rank().to_numpy()
    centred = np.where(np.isnan(ranks), 0.0, ranks - np.nanmean(ranks))
    return np.asarray(centred / np.sqrt(np.sum(centred**2)))

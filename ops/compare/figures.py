"""Untested metrics of the challenger, with the interval of each revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.compare.changes import in_one_line

Found = Mapping[str, Any]

SHOWN = (
    ("test", "balanced_accuracy"),
    ("test", "calibration_error"),
    ("test", "decided_positive_share"),
    ("current", "roc_auc"),
    ("current", "net_cents_per_row"),
)


@dataclass(frozen=True)
class Figure:
    """A number of both revisions, each with its own interval of 95 %: whether they differ was not tested."""

    window: str
    metric: str
    base: float | None
    head: float | None
    base_interval: tuple[float, float] | None
    head_interval: tuple[float, float] | None


def figures_of(base: Found | None, head: Found | None) -> tuple[Figure, ...]:
    """Return the numbers of two metrics/evaluate.json that differ."""
    found = (_figure(window, metric, base or {}, head or {}) for window, metric in SHOWN)
    return tuple(each for each in found if in_one_line(each.base) != in_one_line(each.head))


def _figure(window: str, metric: str, base: Found, head: Found) -> Figure:
    old, new = (found.get("challenger", {}).get(window, {}) for found in (base, head))
    return Figure(window, metric, old.get(metric), new.get(metric), _interval(old, metric), _interval(new, metric))


def _interval(found: Found, metric: str) -> tuple[float, float] | None:
    ends = found.get(f"{metric}_95")
    return (float(ends[0]), float(ends[1])) if ends else None

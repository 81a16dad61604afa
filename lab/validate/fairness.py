"""Fairness gates: five measures, each compared between every two groups of a column."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.predictions.units import Codes
from lab.stats.core.clusters import FEWEST, Correlations, correlations_by_unit, count_units, effective_trials
from lab.stats.core.proportions import EffectiveTrials
from lab.stats.models.bootstrap import Estimate
from lab.stats.models.gaps import PairGap, mean_gaps, share_gaps, share_ratios
from lab.validate.gates import Gate, Rule, judge, not_judged, worst

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Levels = Mapping[str, Truths]

ACCURACY, SELECTION, RECALL = "accuracy_gap", "selection_ratio", "recall_gap"
PRECISION, CALIBRATION = "precision_gap", "calibration_gap"


@dataclass(frozen=True)
class Predictions:
    """Labels, scores and decisions of a model on the rows of a window."""

    labels: Truths
    scores: Numbers
    decisions: Truths


@dataclass(frozen=True)
class Groups:
    """The rows in each group of a column, the groups without training rows, and the units where these repeat.

    A unit with rows in two groups counts in both, and correlates them.
    """

    levels: Levels
    unseen: Collection[str]
    smallest: int
    units: Codes | None = None

    @property
    def fewest(self) -> int:
        """The fewest units of a group that is judged; no limit where units do not repeat."""
        return 0 if self.units is None else FEWEST

    def units_in(self, rows: Truths) -> Codes | None:
        return None if self.units is None else self.units[rows]

    def count_units(self, rows: Truths) -> int:
        return count_units(self.units_in(rows), rows=int(rows.sum()))


def fairness_gates(predicted: Predictions, groups: Groups, limits: Mapping[str, float]) -> dict[str, Gate]:
    """Return the gate of each measure on one column, in the order of the limits.

    Recall uses the positive rows (equal opportunity), precision the rows predicted positive (predictive parity), the
    others use all rows. Groups with fewer such rows than `smallest` are left out and named.
    """
    all_rows = np.ones_like(predicted.labels)
    shares = {
        ACCURACY: (all_rows, predicted.decisions == predicted.labels, "rows"),
        SELECTION: (all_rows, predicted.decisions, "rows"),
        RECALL: (predicted.labels, predicted.decisions, "positives"),
        PRECISION: (predicted.decisions, predicted.labels, "predicted positive"),
    }
    found = {}
    for measure, limit in limits.items():
        if measure == CALIBRATION:
            found[measure] = calibration_gap(predicted.labels - predicted.scores, groups, limit)
            continue
        about, hits, called = shares[measure]
        gate = selection_ratio if measure == SELECTION else share_gap
        found[measure] = gate(about, hits, groups, limit, called=called)
    return found


def share_gap(about: Truths, hits: Truths, groups: Groups, limit: float, *, called: str = "rows") -> Gate:
    """Return the gate on the widest gap between the groups' shares of hits in the rows `about`."""
    trials, correlations, note = _trials(about, hits, groups, called)
    if len(trials) < 2:
        return not_judged("at most", limit, _nothing(len(trials), groups, called, note))
    return worst_pair(share_gaps(trials, correlations=correlations), "at most", limit, note=note)


def selection_ratio(about: Truths, hits: Truths, groups: Groups, limit: float, *, called: str = "rows") -> Gate:
    """Return the gate on the lowest ratio of two groups' shares of hits (the four-fifths rule)."""
    trials, correlations, note = _trials(about, hits, groups, called)
    if len(trials) < 2:
        return not_judged("at least", limit, _nothing(len(trials), groups, called, note))
    if not (ratios := share_ratios(trials, correlations=correlations)):
        return not_judged("at least", limit, f"nothing to compare: no row is predicted positive{note}")
    return worst_pair(ratios, "at least", limit, note=note)


def calibration_gap(excess: Numbers, groups: Groups, limit: float) -> Gate:
    """Return the gate on the widest gap between the groups' means of `excess`, the label minus the score."""
    pairwise = replace(groups, smallest=max(2, groups.smallest))  # one row has no variance
    large, note = _judged(np.ones(len(excess), dtype=bool), pairwise, "rows")
    if len(large) < 2:
        return not_judged("at most", limit, _nothing(len(large), groups, "rows", note))
    means = {name: excess[rows] for name, rows in large.items()}
    units = None if groups.units is None else {name: groups.units[rows] for name, rows in large.items()}
    return worst_pair(mean_gaps(means, units=units), "at most", limit, note=note)


def worst_pair(pairs: Sequence[PairGap], rule: Rule, limit: float, *, note: str = "") -> Gate:
    """Return the gate of the pair with the worst verdict: a wide gap within noise hides no narrower one that fails."""
    return worst(
        judge(Estimate(each.value, each.low, each.high), rule, limit, about=_names(each), note=note) for each in pairs
    )


def _names(pair: PairGap) -> str:
    return f"{pair.larger} against {pair.smaller}: "


def _trials(
    about: Truths, hits: Truths, groups: Groups, called: str
) -> tuple[dict[str, EffectiveTrials], Correlations, str]:
    large, note = _judged(about, groups, called)
    trials = {name: effective_trials(hits[rows], groups.units_in(rows)) for name, rows in large.items()}
    if groups.units is None:
        return trials, {}, note
    return trials, correlations_by_unit({name: (hits[rows], groups.units[rows]) for name, rows in large.items()}), note


def _judged(about: Truths, groups: Groups, called: str) -> tuple[dict[str, Truths], str]:
    """Return the rows of the groups that are large enough, and a note on small and unseen groups."""
    rows = {name: inside & about for name, inside in groups.levels.items()}
    sizes = {name: (int(inside.sum()), groups.count_units(inside)) for name, inside in rows.items()}
    large = {
        name: rows[name] for name, (size, units) in sizes.items() if size >= groups.smallest and units >= groups.fewest
    }
    small = [
        f"{name} ({size} {called}{f' of {units} units' if units < size else ''})"
        for name, (size, units) in sizes.items()
        if name not in large
    ]
    aside = f"; too small to judge: {', '.join(small)}" if small else ""
    unseen = sorted(set(groups.unseen) & set(rows))
    return large, aside + (f"; not in the training rows: {', '.join(unseen)}" if unseen else "")


def _nothing(count: int, groups: Groups, called: str, note: str) -> str:
    plural = "group" if count == 1 else "groups"
    return f"nothing to compare: {count} {plural} of at least {groups.smallest} {called}{note}"

"""`python -m benchmarks.fairness [RUNS]`: how often fairness gates fail or are within noise.

Groups of equal size, of whom four in ten are positive. Without a gap a gate ought to fail in at most 5 % of the runs,
however many groups are compared. With one, the last group is served worse by 0.2 in the measure that the gate is about
(a selection ratio of 0.6): what matters then is how often the gate finds it. Each cell
has the share of runs that fail and, after the plus, the share within noise; a dash stands where groups are too small
for the measure.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from collections import Counter
from itertools import product

import numpy as np

from lab.validate.fairness import (
    ACCURACY,
    CALIBRATION,
    PRECISION,
    RECALL,
    SELECTION,
    Groups,
    Predictions,
    fairness_gates,
)
from lab.validate.gates import Gate

LIMITS = {ACCURACY: 0.1, SELECTION: 0.8, RECALL: 0.1, PRECISION: 0.1, CALIBRATION: 0.1}
# The shares of positives and of negatives that are decided positive: in every group, and in the one served worse.
EQUAL = (0.8, 0.2)
WORSE = {ACCURACY: (0.6, 0.4), SELECTION: (0.48, 0.12), RECALL: (0.6, 0.2), PRECISION: (0.8, 0.479), CALIBRATION: EQUAL}
RUNS, SMALLEST, SHIFT = 2000, 50, 0.2
GROUPS, ROWS_PER_GROUP = (2, 5, 20), (60, 200, 1000)


def draw(rng: np.random.Generator, *, groups: int, rows: int, worse: str | None) -> dict[str, Gate]:
    """Return the gates of one run; the last group is served worse in one measure, or as well as the others."""
    of = np.arange(groups * rows) % groups
    last = of == groups - 1
    scores = rng.beta(2.4, 3.6, groups * rows).round(6)
    shifted = SHIFT * last if worse == CALIBRATION else 0.0
    labels = rng.random(groups * rows) < np.clip(scores + shifted, 0, 1)
    hits, alarms = (np.where(last, *pair) for pair in zip(WORSE.get(worse or "", EQUAL), EQUAL, strict=True))
    decisions = rng.random(groups * rows) < np.where(labels, hits, alarms)
    levels = {f"{place:02d}": of == place for place in range(groups)}
    return fairness_gates(Predictions(labels, scores, decisions), Groups(levels, (), SMALLEST), LIMITS)


def share_failed(measure: str, *, groups: int, rows: int, worse: str | None, runs: int) -> str:
    """Return the shares of runs in which a gate failed and was within noise, as text."""
    found = Counter(
        draw(rng, groups=groups, rows=rows, worse=worse)[measure].verdict
        for rng in np.random.default_rng([groups, rows]).spawn(runs)
    )
    judged = runs - found["not judged"]
    if judged <= runs / 2:
        return "–"
    return " + ".join(f"{100 * found[verdict] / judged:.1f}" for verdict in ("failed", "within noise")) + " %"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"| true gap | groups | rows each | {' | '.join(LIMITS)} |")
    print("|---|---:|---:|" + "---:|" * len(LIMITS))
    for gap, groups, rows in product(("none", "0.2"), GROUPS, ROWS_PER_GROUP):
        cells = (
            share_failed(measure, groups=groups, rows=rows, worse=None if gap == "none" else measure, runs=runs)
            for measure in LIMITS
        )
        print(f"| {gap} | {groups} | {rows:,} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

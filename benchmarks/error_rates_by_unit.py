"""`python -m benchmarks.error_rates_by_unit [RUNS]`: false alarms on rows that share units.

Each run draws models of equal skill on the rows of some units and passes them to the library's comparisons. The labels,
and what each model gets wrong, are correlated within a unit.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.abtest.compare_models import METRICS, Difference, Pair, compare_models
from lab.stats.core.areas import compare_areas
from lab.stats.core.clusters import repeated_units
from lab.stats.core.paired import compare_means
from lab.stats.models.average_precisions import compare_average_precisions
from lab.stats.models.cochran import cochran_test
from lab.task.money import Money
from ops.compare.differences import earned_by_row

RUNS, RESAMPLES, LEVEL = 10_000, 1000, 0.05
LOW, HIGH = 0.04, 0.06
CUT = 0.5244005127080407  # the normal quantile that leaves 30 % above
GAIN = 0.01  # params.yaml: promote.least_gain
MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=300)
MARGINS = dict.fromkeys(METRICS, 0.0)
AVERAGE_PRECISION, NET, SEVERAL, RANKS = "average precision", "net value", "accuracies of three models", "Wilcoxon"
TESTED = (*METRICS, AVERAGE_PRECISION, NET, SEVERAL, RANKS)
PROMOTED, IGNORED, PROMOTED_IGNORED = "promoted for nothing", "roc_auc, units ignored", "promoted, units ignored"

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """How many units there are, how many rows each has, and how strongly these are correlated."""

    units: int
    rows: int
    correlation: float

    @property
    def name(self) -> str:
        return f"{self.units:,} × {self.rows}" + (f", {self.correlation:g}" if self.rows > 1 else "")


DESIGNS = (
    Design(1500, 1, 0.0),
    Design(500, 3, 0.7),
    Design(300, 5, 0.7),
    Design(150, 10, 0.7),
    Design(150, 10, 0.9),
)


def draw(design: Design, rng: np.random.Generator) -> tuple[Pair, Numbers]:
    """Return two models of equal skill, and the scores of a third one."""
    shared, own = math.sqrt(design.correlation), math.sqrt(1 - design.correlation)
    of_units = np.repeat(rng.normal(0, 1, (4, design.units)), design.rows, axis=1)
    truth, *noises = shared * of_units + own * rng.normal(0, 1, of_units.shape)
    first, second, third = (1 / (1 + np.exp(1 - 1.5 * truth - noise)) for noise in noises)
    units = repeated_units(np.repeat(np.arange(design.units), design.rows))
    return Pair(truth > CUT, first, second, 0.5, 0.5, units), third


def alarms(pair: Pair, third: Numbers, rng: np.random.Generator) -> Iterator[str]:
    """Yield the name of each test that finds a difference, and of each promotion."""
    found = compare_models(pair, margins=MARGINS, significance=LEVEL, resamples=RESAMPLES, rng=rng)
    labels, units, decisions = pair.labels, pair.units, pair.decisions
    correct = np.column_stack([decided == labels for decided in (*decisions, third >= 0.5)])
    p_values = {
        **{metric: each.p_value for metric, each in found.items()},
        AVERAGE_PRECISION: compare_average_precisions(labels, pair.champion, pair.challenger, units=units).p_value,
        NET: compare_means(*(earned_by_row(labels, decided, MONEY) for decided in decisions), units=units).p_value,
        SEVERAL: cochran_test(correct, units=units).p_value,
        RANKS: found["log_loss"].check_p_value,
    }
    plain = compare_areas(labels, pair.champion, pair.challenger)
    p_values[IGNORED] = plain.p_value
    yield from (name for name, p_value in p_values.items() if p_value is not None and p_value < LEVEL)
    area = found["roc_auc"]
    for name, each in ((PROMOTED, area), (PROMOTED_IGNORED, replace(area, low=plain.low))):
        if promoted(each):
            yield name


def promoted(area: Difference) -> bool:
    """Return whether the rule of `promote` would take the challenger."""
    return area.low is not None and area.low > 0 and (area.difference or 0) >= GAIN


def rates(design: Design, *, runs: int, seed: int = 2024) -> dict[str, float]:
    """Return how often each test finds a difference that does not exist."""
    rng = np.random.default_rng([seed, *design.name.encode()])
    counts: Counter[str] = Counter()
    for _ in range(runs):
        counts.update(alarms(*draw(design, rng), rng))
    return {name: counts[name] / runs for name in (*TESTED, PROMOTED, IGNORED, PROMOTED_IGNORED)}


def main() -> int:
    """Print the table; return how many tests are outside of their band."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    found = [rates(design, runs=runs) for design in DESIGNS]
    print(f"| | {' | '.join(design.name for design in DESIGNS)} |")
    print(f"|---|{'---:|' * len(DESIGNS)}")
    for name in found[0]:
        print(f"| {name} | {' | '.join(f'{each[name]:.4f}' for each in found)} |")
    return sum(not LOW <= each[name] <= HIGH for each in found for name in TESTED)


if __name__ == "__main__":
    sys.exit(main() > 0)

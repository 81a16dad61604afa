"""`python -m benchmarks.coverage [TESTS] [ROWS]`: how often each metric's interval covers the truth.

The truth is computed on four million rows of the same world. Two models score each test: one smooth and nearly
calibrated, one coarse (twenty scores, so most are tied) and too sure of itself.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.evaluate.measurement import Measured, Window, measure_models
from lab.task.money import Money

Numbers = NDArray[np.float64]
Truth = Mapping[str, Mapping[str, float]]

MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=300)
TESTS, RESAMPLES, ROWS = 1000, 1000, (500, 2000)
ROWS_OF_TRUTH = 4_000_000
COARSE = 20
# Of 0.95, with the noise of so many tests; the interval of the calibration error may be wider.
LEAST, MOST, CAUTIOUS = 0.92, 0.98, "calibration_error"


@dataclass(frozen=True)
class World:
    """The mean and spread of the log-odds that a model gives, which sets the share of positives; and a threshold."""

    name: str
    mean: float
    threshold: float
    spread: float = 1.6


WORLDS = (World("0.4 positive", -0.62, 0.5), World("0.1 positive", -3.27, 0.24))


def draw(world: World, rows: int, *, rng: np.random.Generator) -> Window:
    """Return so many rows of a world; the chance of a positive is a little closer to one half than the score says."""
    odds = rng.normal(world.mean, world.spread, rows)
    labels = rng.random(rows) < _chance(0.9 * odds + 0.05)
    coarse = np.round(_chance(1.3 * (odds + rng.normal(0, 0.7, rows))) * COARSE) / COARSE
    scores = {"champion": _chance(odds).round(6), "challenger": coarse.round(6)}
    return Window(labels, scores, dict.fromkeys(scores, world.threshold), {})


def truth_of(world: World, *, rows: int = ROWS_OF_TRUTH) -> Truth:
    """Return every metric of both models on so many rows that their noise does not show."""
    measured = measure_models(
        draw(world, rows, rng=np.random.default_rng(99)), money=MONEY, resamples=1, rng=np.random.default_rng(0)
    )
    return {model: {name: seen.value or 0.0 for name, seen in metrics.items()} for model, metrics in measured.items()}


def simulate(world: World, *, rows: int, tests: int, resamples: int, seed: int = 0) -> Iterator[Measured]:
    """Yield what would be reported of each of many tests."""
    for rng in np.random.default_rng(seed).spawn(tests):
        yield measure_models(draw(world, rows, rng=rng), money=MONEY, resamples=resamples, rng=rng)


def coverage(truth: Truth, tests: Iterator[Measured]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return, by model and metric, the shares of tests whose interval lies above the truth, and below it."""
    missed: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for measured in tests:
        for model, metrics in measured.items():
            for name, seen in metrics.items():
                if seen.low is not None and seen.high is not None:
                    true = truth[model][name]
                    missed.setdefault((model, name), []).append((seen.low > true + 1e-12, seen.high < true - 1e-12))
    return {key: (float(above), float(below)) for key, sides in missed.items() for above, below in [np.mean(sides, 0)]}


def main() -> int:
    """Print the tables; return how many intervals cover the truth too rarely or too often."""
    tests = int(sys.argv[1]) if len(sys.argv) > 1 else TESTS
    sizes = (int(sys.argv[2]),) if len(sys.argv) > 2 else ROWS
    found = {
        f"{world.name}, {rows:,} rows": coverage(truth, simulate(world, rows=rows, tests=tests, resamples=RESAMPLES))
        for world in WORLDS
        for truth in [truth_of(world)]
        for rows in sizes
    }
    for model in ("champion", "challenger"):
        print(f"\n| {'smooth' if model == 'champion' else 'coarse'} scores | {' | '.join(found)} |")
        print("|---|" + "---:|" * len(found))
        for name in sorted({name for cover in found.values() for key, name in cover if key == model}):
            cells = (cover[model, name] for cover in found.values())
            shown = (
                f"{100 * (1 - above - below):.1f} ({100 * above:.1f}, {100 * below:.1f})" for above, below in cells
            )
            print(f"| {name} | {' | '.join(shown)} |")
    return sum(
        not LEAST <= 1 - above - below <= (1 if name == CAUTIOUS else MOST)
        for cover in found.values()
        for (_, name), (above, below) in cover.items()
    )


def _chance(odds: Numbers) -> Numbers:
    chances: Numbers = 1 / (1 + np.exp(-odds))
    return chances


if __name__ == "__main__":
    sys.exit(main() > 0)

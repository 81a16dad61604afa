"""The domain classifier on columns of many levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.core.seeds import generator_of
from lab.drift.domain_classifier import run_domain_classifier
from tests.lab.drift.world import changed, fitted, rows_of

ROWS, HALVES = 1200, 10
Draw = Callable[[np.random.Generator], Any]
DRAWS: dict[str, Draw] = {
    "names, some frequent and most rare": lambda rng: np.minimum(rng.zipf(1.3, ROWS), 10**9),
    "noise of 4,000 levels": lambda rng: rng.integers(0, 4000, ROWS),
}


def halves_of(draw: Draw, seed: int) -> tuple[pa.Table, pa.Table]:
    """Return random halves of a table with a column of many levels."""
    rng = np.random.default_rng([11, seed])
    table = changed(rows_of(rng, ROWS), "region", [f"name {value}" for value in draw(rng)])
    order = rng.permutation(ROWS)
    first, second = (table.take(pa.array(np.sort(part))) for part in (order[: ROWS // 2], order[ROWS // 2 :]))
    return first, second


def classified(reference: pa.Table, batch: pa.Table, seed: int = 1) -> dict[str, Any]:
    return run_domain_classifier(fitted(reference, trees=10), batch, rng=generator_of(seed, "whole"))


@pytest.mark.parametrize("name", DRAWS)
def test_random_halves_with_many_levels_are_not_distinguishable(name: str) -> None:
    found = [classified(*halves_of(DRAWS[name], seed), seed) for seed in range(HALVES)]
    assert sum(each["p_value"] < 0.01 for each in found) <= 1
    assert all(0.4 < each["roc_auc"] < 0.6 for each in found)


@pytest.mark.parametrize("name", DRAWS)
def test_relabelled_levels_are_distinguishable(name: str) -> None:
    reference, batch = halves_of(DRAWS[name], 1)
    relabelled = changed(batch, "region", [f"other {value}" for value in batch["region"].to_pylist()])
    assert classified(reference, relabelled)["roc_auc"] > 0.9

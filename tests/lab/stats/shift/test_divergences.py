"""Effect sizes between counts, against scipy and by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from lab.stats.shift.divergences import diverge, hellinger_distance, jensen_shannon_distance, population_stability

REFERENCE, CURRENT = [400, 300, 200, 100, 0], [350, 300, 200, 100, 50]
SHARES = np.array(REFERENCE) / 1000, np.array(CURRENT) / 1000


def test_jensen_shannon_agrees_with_scipy() -> None:
    assert jensen_shannon_distance(*SHARES) == pytest.approx(jensenshannon(*SHARES, base=2))


def test_hellinger_is_what_its_formula_says() -> None:
    assert hellinger_distance(*SHARES) == pytest.approx(
        np.linalg.norm(np.sqrt(SHARES[0]) - np.sqrt(SHARES[1])) / 2**0.5
    )


def test_an_empty_bin_leaves_population_stability_finite() -> None:
    expected = -0.05 * np.log(350 / 400) + (0.05 - 1e-4) * np.log(0.05 / 1e-4)
    assert population_stability(*SHARES) == pytest.approx(expected)


def test_equal_counts_do_not_diverge() -> None:
    sizes = diverge(REFERENCE, REFERENCE)
    assert (sizes.jensen_shannon, sizes.hellinger, sizes.largest_change) == (0.0, 0.0, 0.0)


def test_every_size_but_the_correction_is_the_same_both_ways() -> None:
    assert diverge(REFERENCE, CURRENT) == diverge(CURRENT, REFERENCE)


def test_population_stability_is_nought_on_average_when_nothing_changes() -> None:
    rng, shares = np.random.default_rng(1), np.full(10, 0.1)
    seen = [
        diverge(rng.multinomial(1000, shares), rng.multinomial(2000, shares)).population_stability for _ in range(2000)
    ]
    assert np.mean(seen) == pytest.approx(0, abs=4 * np.std(seen) / np.sqrt(2000) + 2e-4)
    assert np.mean(seen) + 9 * (1 / 1000 + 1 / 2000) > 0.01


def test_other_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="in the same bins"):
        diverge([1, 2], [1, 2, 3])

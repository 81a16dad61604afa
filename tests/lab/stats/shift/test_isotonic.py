"""Isotonic regression against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from lab.stats.shift.isotonic import fit_isotonic

points = st.lists(
    st.tuples(st.integers(0, 12).map(lambda n: n / 8), st.integers(0, 16).map(lambda n: n / 16)), min_size=1
)


@given(points)
def test_agrees_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    x, y = np.array(pairs).T
    asked = np.linspace(-0.5, 2, 101)
    expected = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(asked)
    assert fit_isotonic(x, y).at(asked) == pytest.approx(expected, abs=1e-12)


def test_the_order_of_the_points_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random((2, 500)).round(2)
    order = rng.permutation(500)
    assert fit_isotonic(x, y).at(x) == pytest.approx(fit_isotonic(x[order], y[order]).at(x), abs=1e-12)


@pytest.mark.parametrize(("x", "y"), [([], []), ([1.0], [np.nan]), ([1.0, 2.0], [1.0])])
def test_nothing_and_missing_points_are_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="expected at least one point, all finite"):
        fit_isotonic(x, y)

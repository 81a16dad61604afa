"""Numbers of every size are rounded to significant decimal digits."""

import numpy as np

from lab.models.rounding import significant


def test_digits_are_those_of_the_decimal_form() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3)) * 10.0 ** np.arange(-30, 30, 20)
    found = significant(values, digits=5)
    assert found.shape == values.shape
    assert [f"{value:.4e}" for value in values.ravel()] == [f"{value:.4e}" for value in found.ravel()]
    assert (np.abs(found / values - 1) < 1e-4).all()


def test_nan_and_infinity_are_unchanged() -> None:
    found = significant(np.array([np.inf, -np.inf, np.nan, 0.0]), digits=3)
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.nan, 0.0])

"""Adjusted p-values against statsmodels and their definitions."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from lab.stats.core.corrections import benjamini_hochberg, holm

Correction = Callable[[Sequence[float]], list[float]]
NAMES: dict[str, Correction] = {"holm": holm, "fdr_bh": benjamini_hochberg}
every_correction = pytest.mark.parametrize("name", NAMES)


@every_correction
@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_agrees_with_statsmodels(name: str, count: int) -> None:
    p_values = np.random.default_rng(count).beta(0.5, 2, count).tolist()
    _, expected, _, _ = multipletests(p_values, method=name)
    assert NAMES[name](p_values) == pytest.approx(expected.tolist(), rel=1e-12)


@every_correction
def test_the_order_given_is_the_order_returned(name: str) -> None:
    forth = NAMES[name]([0.001, 0.2, 0.03, 0.03])
    back = NAMES[name]([0.03, 0.03, 0.2, 0.001])
    assert forth == back[::-1]


@every_correction
def test_certainty_of_no_effect_stays_certain(name: str) -> None:
    assert NAMES[name]([1.0, 1.0, 1.0]) == [1.0, 1.0, 1.0]


@every_correction
def test_no_test_needs_no_correction(name: str) -> None:
    assert NAMES[name]([]) == []


@every_correction
@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match="expected p-values between 0 and 1"):
        NAMES[name]([0.5, wrong])

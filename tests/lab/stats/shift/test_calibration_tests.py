"""Calibration tests by definition, by simulation, and for undefined cases."""

import numpy as np
import pytest

from lab.stats.core.classification import calibration_error, scored_sample
from lab.stats.shift.calibration_tests import calibration_in_the_large, expected_calibration_error, spiegelhalter_test

RNG = np.random.default_rng(4)
CHANCES = RNG.beta(2, 3, 4000)
LABELS = (RNG.random(4000) < CHANCES).astype(float)


def test_spiegelhalters_z_is_the_brier_score_less_its_expectation_in_standard_errors() -> None:
    brier, expected = np.mean((LABELS - CHANCES) ** 2), np.mean(CHANCES * (1 - CHANCES))
    error = np.sqrt(np.sum((1 - 2 * CHANCES) ** 2 * CHANCES * (1 - CHANCES))) / len(CHANCES)
    assert spiegelhalter_test(LABELS, CHANCES).z == pytest.approx((brier - expected) / error, rel=1e-9)


@pytest.mark.parametrize("of", ["spiegelhalter", "large"])
def test_true_chances_are_doubted_as_often_as_promised(of: str) -> None:
    def p_value() -> float:
        chances = RNG.beta(2, 3, 500)
        labels = RNG.random(500) < chances
        test = (
            spiegelhalter_test(labels, chances)
            if of == "spiegelhalter"
            else calibration_in_the_large(labels, chances).test
        )
        return test.p_value or 0.0

    assert 0.02 < np.mean([p_value() < 0.05 for _ in range(400)]) < 0.09


def test_chances_that_are_too_sure_are_found_out() -> None:
    odds = np.log(CHANCES / (1 - CHANCES))
    sure = 1 / (1 + np.exp(-2 * odds))
    assert (spiegelhalter_test(LABELS, sure).p_value or 1) < 1e-6


def test_a_rate_that_rose_shows_in_the_large() -> None:
    found = calibration_in_the_large(np.minimum(LABELS + (RNG.random(4000) < 0.1), 1), CHANCES)
    assert found.difference == pytest.approx(0.06, abs=0.02)
    assert (found.test.p_value or 1) < 1e-6


def test_the_calibration_error_agrees_with_the_one_of_evaluate() -> None:
    scores = CHANCES.round(6)
    assert expected_calibration_error(LABELS, scores) == pytest.approx(
        float(calibration_error(scored_sample(LABELS, scores)))
    )


def test_chances_without_doubt_have_a_reason_instead_of_a_test() -> None:
    test = spiegelhalter_test([0, 1], [0.0, 1.0])
    assert (test.z, test.reason) == (None, "undefined: all probabilities are 0, ½ or 1")


def test_what_is_no_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="a probability between 0 and 1 for each of 2 labels"):
        spiegelhalter_test([0, 1], [0.5, 1.5])

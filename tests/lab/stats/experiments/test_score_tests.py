"""The score test against fifty digits: the likeliest shares are found by halving, not by a formula."""

from decimal import Decimal, localcontext

import pytest

from lab.stats.experiments.margins import proportion_not_worse, proportions_equivalent
from lab.stats.experiments.score_tests import score_interval, score_interval_of_ratio, score_of_difference, score_test

Trials = tuple[int, int]
Z = 1.959963984540054


def exact_z(control: Trials, treatment: Trials, null: str) -> Decimal:
    with localcontext() as context:
        context.prec = 50
        gap = Decimal(null)
        low, high = max(Decimal(0), -gap), min(Decimal(1), 1 - gap)
        for _ in range(160):
            share = (low + high) / 2
            low, high = (share, high) if slope(control, treatment, share, gap) > 0 else (low, share)
        other = low + gap
        variance = low * (1 - low) / control[1] + other * (1 - other) / treatment[1]
        seen = Decimal(treatment[0]) / treatment[1] - Decimal(control[0]) / control[1]
        return (seen - gap) / variance.sqrt()


def slope(control: Trials, treatment: Trials, share: Decimal, gap: Decimal) -> Decimal:
    """Return how the logarithm of the likelihood rises with the control's share."""
    total = Decimal(0)
    for (hits, rows), chance in ((control, share), (treatment, share + gap)):
        total += hits / chance if hits else Decimal(0)
        total -= (rows - hits) / (1 - chance) if rows > hits else Decimal(0)
    return total


CASES = [
    ((487, 5000), (550, 5000), "0.00065"),
    ((12, 10**6), (31, 10**6), "6.446e-6"),
    ((5000, 50000), (4950, 50000), "-0.005"),
    ((0, 100), (8, 100), "0.04"),
    ((3, 17), (9, 20), "-0.3"),
    ((3, 17), (9, 20), "0.7"),
    ((40, 40), (29, 30), "-0.2"),
]


@pytest.mark.parametrize(("control", "treatment", "null"), CASES)
def test_z_agrees_with_fifty_digits(control: Trials, treatment: Trials, null: str) -> None:
    expected = exact_z(control, treatment, null)
    assert score_of_difference(control, treatment, null=float(null)) == pytest.approx(float(expected), rel=1e-10)


def test_without_a_difference_under_the_null_it_is_the_pooled_test() -> None:
    z, _ = score_test(control=(487, 5000), treatment=(550, 5000))
    assert z == pytest.approx(2.0664479612597906)


@pytest.mark.parametrize("arms", [((487, 5000), (550, 5000)), ((12, 10**6), (31, 10**6)), ((1, 5), (4, 6))])
def test_the_ends_of_the_interval_are_just_not_rejected(arms: tuple[Trials, Trials]) -> None:
    low, high = score_interval(*arms, corrected=False)
    assert exact_z(*arms, repr(low)) == pytest.approx(Decimal(Z), rel=Decimal("1e-7"))
    assert exact_z(*arms, repr(high)) == pytest.approx(Decimal(-Z), rel=Decimal("1e-7"))


def test_the_interval_of_a_ratio_has_no_end_where_nothing_bounds_it() -> None:
    low, high = score_interval_of_ratio((0, 100), (8, 100))
    assert low > 1
    assert high is None
    assert score_interval_of_ratio((0, 100), (0, 100)) == (0.0, None)


@pytest.mark.parametrize(
    ("control", "treatment"), [((0, 1), (1, 1)), ((1, 1), (0, 1)), ((0, 9), (0, 7)), ((9, 9), (7, 7))]
)
def test_extreme_samples_keep_the_interval_within_minus_one_and_one(control: Trials, treatment: Trials) -> None:
    low, high = score_interval(control, treatment)
    seen = treatment[0] / treatment[1] - control[0] / control[1]
    assert -1 <= low <= seen <= high <= 1
    assert low < high


def test_lower_may_be_better() -> None:
    up = proportion_not_worse(control=(500, 5000), treatment=(510, 5000), margin=0.02)
    down = proportion_not_worse(control=(500, 5000), treatment=(490, 5000), margin=0.02, higher_is_better=False)
    assert up.proven
    assert down.proven
    worse = proportion_not_worse(control=(500, 5000), treatment=(620, 5000), margin=0.02, higher_is_better=False)
    assert not worse.proven


def test_few_units_prove_neither_harm_nor_its_absence() -> None:
    assert not proportion_not_worse(control=(5, 50), treatment=(5, 50), margin=0.02).proven
    assert not proportions_equivalent(control=(5, 50), treatment=(5, 50), low=-0.02, high=0.02).proven


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a margin above 0, got 0"):
        proportion_not_worse(control=(5, 50), treatment=(5, 50), margin=0)

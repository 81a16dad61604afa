"""Exact tests against whole fractions: every table weighed, at every share of a fine grid."""

from fractions import Fraction
from itertools import product
from math import comb

import pytest

from lab.stats.experiments.exact_tables import barnard_p_value, boschloo_p_value, fisher_p_value

Trials = tuple[int, int]
GRID = [Fraction(step, 240) for step in range(1, 240)]
TABLES = [((1, 5), (4, 6)), ((0, 4), (3, 5)), ((2, 7), (2, 7)), ((3, 3), (0, 6)), ((5, 8), (1, 6))]


def squared_z(first: Trials, second: Trials) -> Fraction:
    (hits, rows), (others, other_rows) = first, second
    both = Fraction(hits + others, rows + other_rows)
    if both in (0, 1):
        return Fraction(0)
    apart = Fraction(hits, rows) - Fraction(others, other_rows)
    return apart**2 / (both * (1 - both) * (Fraction(1, rows) + Fraction(1, other_rows)))


def tail_of_fisher(first: Trials, second: Trials) -> Fraction:
    hits = first[0] + second[0]
    ways = [comb(first[1], cell) * comb(second[1], hits - cell) for cell in range(first[0] + 1) if hits - cell >= 0]
    return Fraction(sum(ways), comb(first[1] + second[1], hits))


def chance(tables: list[tuple[int, int]], rows: int, others: int, share: Fraction) -> Fraction:
    return sum(
        (
            comb(rows, one) * comb(others, two) * share ** (one + two) * (1 - share) ** (rows + others - one - two)
            for one, two in tables
        ),
        Fraction(0),
    )


def every_table(first: Trials, second: Trials) -> list[tuple[int, int]]:
    return list(product(range(first[1] + 1), range(second[1] + 1)))


@pytest.mark.parametrize(("control", "treatment"), TABLES)
def test_fisher_adds_up_the_tables_no_likelier(control: Trials, treatment: Trials) -> None:
    hits = control[0] + treatment[0]
    ways = {cell: comb(control[1], cell) * comb(treatment[1], hits - cell) for cell in range(hits + 1)}
    expected = Fraction(sum(way for way in ways.values() if way <= ways[control[0]]), sum(ways.values()))
    assert fisher_p_value(control, treatment) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(("control", "treatment"), TABLES)
def test_barnard_weighs_every_table_and_counts_ties(control: Trials, treatment: Trials) -> None:
    rows, others = control[1], treatment[1]
    seen = squared_z(control, treatment)
    extreme = [
        (one, two) for one, two in every_table(control, treatment) if squared_z((one, rows), (two, others)) >= seen
    ]
    expected = max(chance(extreme, rows, others, share) for share in GRID)
    found = barnard_p_value(control, treatment)
    assert float(expected) <= found + 1e-12
    assert found == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize(("control", "treatment"), TABLES)
def test_boschloo_weighs_every_table_by_its_fisher_tail(control: Trials, treatment: Trials) -> None:
    largest = []
    for first, second in ((control, treatment), (treatment, control)):
        seen = tail_of_fisher(first, second)
        extreme = [
            (one, two)
            for one, two in every_table(first, second)
            if tail_of_fisher((one, first[1]), (two, second[1])) <= seen
        ]
        largest.append(max(chance(extreme, first[1], second[1], share) for share in GRID))
    expected = min(1.0, 2 * float(min(largest)))
    found = boschloo_p_value(control, treatment)
    assert expected <= found + 1e-12
    assert found == pytest.approx(expected, rel=1e-3)


def test_arms_too_large_to_weigh_every_table_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 2000 trials in an arm, got 5000"):
        barnard_p_value((487, 5000), (550, 5000))

"""Fisher's exact test against exact fractions."""

from fractions import Fraction
from math import comb

import pytest

from lab.stats.experiments.exact_tables import fisher_p_value

Trials = tuple[int, int]
TABLES = [((1, 5), (4, 6)), ((0, 4), (3, 5)), ((2, 7), (2, 7)), ((3, 3), (0, 6)), ((5, 8), (1, 6))]


@pytest.mark.parametrize(("control", "treatment"), TABLES)
def test_fisher_adds_up_the_tables_no_likelier(control: Trials, treatment: Trials) -> None:
    hits = control[0] + treatment[0]
    ways = {cell: comb(control[1], cell) * comb(treatment[1], hits - cell) for cell in range(hits + 1)}
    expected = Fraction(sum(way for way in ways.values() if way <= ways[control[0]]), sum(ways.values()))
    assert fisher_p_value(control, treatment) == pytest.approx(float(expected), rel=1e-12)

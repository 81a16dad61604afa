"""Log moments equal the library's for any batches, also far from 0."""

from pathlib import Path

import numpy as np
import pytest

from lab.abtest.interim import current_look, repeated_p_value
from lab.abtest.moments import LogMoments, log_moments
from lab.experiment import log as reading
from lab.experiment.log import read_log
from tests.lab.abtest.logs import OUTCOMES, design_of, drawn, written
from tests.lab.stats.samples import take_moments

COLUMNS = ("stayed", "calls", "clicks", "views", "spent", "before")


def tallied(path: Path, **design: object) -> LogMoments:
    whole = design_of(outcomes=OUTCOMES, **design)
    return log_moments(read_log(path, whole), whole)


def test_every_arm_has_the_moments_that_the_library_takes(tmp_path: Path) -> None:
    rows = drawn(5000)
    found = tallied(written(tmp_path, rows))
    assert found.columns == COLUMNS
    for place, arm in enumerate(("old", "new")):
        mine = rows[rows.arm == arm]
        expected = take_moments([mine[name] for name in COLUMNS])
        seen = found.at_look(1)[place]
        assert seen.count == expected.count
        assert seen.means == pytest.approx(expected.means, rel=1e-12)
        for one, two in [(0, 0), (2, 2), (3, 2), (4, 4), (5, 4), (5, 5)]:
            assert seen.products[one, two] == pytest.approx(expected.products[one, two], rel=1e-11)


def test_how_a_log_is_cut_changes_twelve_digits_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, drawn(5000))
    whole = tallied(path)
    monkeypatch.setattr(reading, "ROWS_AT_ONCE", 37)
    cut = tallied(path)
    for one, two in zip(whole.at_look(1), cut.at_look(1), strict=True):
        assert one.means == pytest.approx(two.means, rel=1e-12)
        assert np.diag(one.products) == pytest.approx(np.diag(two.products), rel=1e-12)


def test_an_offset_of_a_billion_costs_no_digits(tmp_path: Path) -> None:
    rows = drawn(5000)
    plain = tallied(written(tmp_path, rows, name="plain.parquet"))
    far = tallied(written(tmp_path, rows.assign(spent=rows.spent + 1e9), name="far.parquet"))
    place = COLUMNS.index("spent")
    for one, two in zip(plain.at_look(1), far.at_look(1), strict=True):
        assert one.variance(place) == pytest.approx(two.variance(place), rel=1e-6)


def test_segments_and_strata_add_up_to_the_whole(tmp_path: Path) -> None:
    found = tallied(written(tmp_path, drawn(3000)), segments=["region"], stratum="region")
    for place, arm in enumerate(found.at_look(1)):
        assert arm.count == sum(level[place].count for level in found.groups["region"].values())


def test_units_that_begin_small_and_become_large_are_still_counted_once(tmp_path: Path) -> None:
    rows = drawn(70_000)
    rows.loc[40_000:, "customer_id"] += 2**40
    assert tallied(written(tmp_path, rows, name="once.parquet")).repeated == 0
    rows.loc[69_998:, "customer_id"] = [1, 2]
    assert tallied(written(tmp_path, rows, name="again.parquet")).repeated == 2
    rows.loc[10:12, "customer_id"] = 7
    assert tallied(written(tmp_path, rows, name="early.parquet")).repeated == 5


def test_a_repeated_p_value_is_the_level_at_which_the_bound_is_reached(tmp_path: Path) -> None:
    design = design_of(outcomes=OUTCOMES, looks={"count": 4, "units": 8000})
    path = written(tmp_path, drawn(4000))
    look = current_look(log_moments(read_log(path, design), design), design)
    assert look.z is not None
    assert repeated_p_value(look.z, look) == pytest.approx(0.05, rel=1e-6)
    assert repeated_p_value(-look.z, look) == pytest.approx(0.05, rel=1e-6)
    assert repeated_p_value(0.0, look) == 1.0
    assert 0 < repeated_p_value(60.0, look) <= 1e-99

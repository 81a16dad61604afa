"""A large window is resampled in part, and keeps the width of its intervals."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.coverage import MONEY, World, draw
from lab.evaluate import large_windows
from lab.evaluate.large_windows import part_of, rescaled
from lab.evaluate.measurement import Measured, Window, measure_models
from lab.stats.core.classification import METRICS

ROWS = 8_000
RNG = np.random.default_rng


def window(rows: int = ROWS) -> Window:
    return draw(World("", mean=-0.6, threshold=0.5), rows, rng=RNG(1))


def measured(seen: Window) -> Measured:
    return measure_models(seen, money=MONEY, resamples=1000, rng=RNG(0))


@pytest.mark.parametrize("repeated", [False, True])
def test_a_part_gives_intervals_as_wide_as_the_whole(monkeypatch: pytest.MonkeyPatch, *, repeated: bool) -> None:
    seen = replace(window(), units=np.arange(ROWS) // 2) if repeated else window()
    whole = measured(seen)
    monkeypatch.setattr(large_windows, "UNITS", 1_500)
    monkeypatch.setattr(large_windows, "OF_SMALLER_CLASS", 500)
    part = measured(seen)
    for model, metrics in whole.items():
        for name in METRICS:
            found, all_rows = part[model][name], metrics[name]
            assert found.value == all_rows.value
            if name != "calibration_error":  # its own interval is cautious
                # The coarse model says 0 and 1, so its log loss has a heavy tail.
                assert width(found) == pytest.approx(width(all_rows), rel=0.3 if name == "log_loss" else 0.15), name
                assert found != all_rows


def width(found: object) -> float:
    return float(found.high - found.low)  # type: ignore[attr-defined]  # all are defined here


def test_a_small_window_is_resampled_whole() -> None:
    rows, factor = part_of(np.arange(ROWS) % 2 == 0, None, rng=RNG(0))
    assert rows.all()
    assert factor == 1


def test_a_part_keeps_the_share_of_positives_and_enough_of_the_rarer_class() -> None:
    labels = np.arange(100_000) % 10 == 0
    rows, factor = part_of(labels, None, rng=RNG(0))
    assert (rows.sum(), (rows & labels).sum()) == (10_000, 1_000)
    assert factor**2 == pytest.approx(rows.mean())


def test_a_part_holds_whole_units() -> None:
    labels, units = RNG(1).random(90_000) < 0.4, np.arange(90_000) // 3
    rows, factor = part_of(labels, units, rng=RNG(0))
    assert_array_equal(np.unique(np.bincount(units, weights=rows)), [0, 3])
    assert factor**2 == pytest.approx(rows.mean())


def test_deviations_from_the_value_of_the_part_are_rescaled() -> None:
    found = rescaled({"f1": np.array([0.5, 0.7])}, part={"f1": np.array(0.6)}, whole={"f1": np.array(0.8)}, factor=0.5)
    assert found["f1"].tolist() == pytest.approx([0.75, 0.85])

"""Resamples are real resamples of the rows, equal to scikit-learn's numbers on them, and their intervals hold."""

from functools import partial

import numpy as np
import pytest

from lab.stats.bootstrap import draw_rows, estimate, estimate_distance, resample
from lab.stats.classification import (
    METRICS,
    Tally,
    area_under_curve,
    calibration_error,
    calibration_gaps,
    measure,
    tally,
)
from tests.stats.test_classification import THRESHOLD, Labels, Numbers, expected, sample

MEASURE = partial(measure, threshold=THRESHOLD)


def area(counted: Tally) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(counted)}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def weights_of(labels: Labels, *, resamples: int, seed: int = 0) -> Numbers:
    """Return how often each row was drawn, a line a resample."""
    classes = [np.flatnonzero(labels), np.flatnonzero(~labels)]
    lines = []
    for block in draw_rows(*map(len, classes), resamples=resamples, rng=generator(seed)):
        for picks in zip(*block, strict=True):
            rows = np.concatenate([kind[pick] for kind, pick in zip(classes, picks, strict=True)])
            lines.append(np.bincount(rows, minlength=len(labels)))
    return np.array(lines)


@pytest.mark.parametrize("decimals", [1, 6])
def test_every_metric_of_every_resample_agrees_with_scikit_learn(decimals: int) -> None:
    labels, scores = sample(7, rows=300, decimals=decimals)
    (found,) = resample(labels, [scores], [MEASURE], resamples=40, rng=generator())
    assert set(found) == set(METRICS)
    for line, weights in enumerate(weights_of(labels, resamples=40)):
        wanted = expected(labels, scores, weights)
        assert {name: found[name][line] for name in METRICS} == pytest.approx(wanted, abs=1e-12)


def test_every_resample_keeps_the_number_of_each_class() -> None:
    labels, _ = sample(8, rows=50)
    weights = weights_of(labels, resamples=200)
    assert set(weights[:, labels].sum(axis=1)) == {labels.sum()}
    assert set(weights[:, ~labels].sum(axis=1)) == {(~labels).sum()}


def test_every_row_of_a_class_is_drawn_as_often_as_another() -> None:
    weights = weights_of(np.array([True] * 4 + [False] * 6), resamples=20_000)
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.03)
    assert weights.var(axis=0) == pytest.approx([3 / 4] * 4 + [5 / 6] * 6, abs=0.03)


def test_the_size_of_a_block_leaves_no_trace() -> None:
    whole = next(iter(draw_rows(7, 11, resamples=30, rng=generator(), cells=10_000)))
    blocks = list(draw_rows(7, 11, resamples=30, rng=generator(), cells=36))
    assert len(blocks) == 15
    for kind in range(2):
        assert np.array_equal(whole[kind], np.concatenate([block[kind] for block in blocks]))


def test_models_share_the_draws_so_equal_models_never_differ() -> None:
    labels, scores = sample(9)
    first, second = resample(labels, [scores, scores.copy()], [MEASURE] * 2, resamples=50, rng=generator())
    assert all(np.array_equal(first[name], second[name]) for name in METRICS)


def test_a_class_of_one_row_is_drawn_every_time() -> None:
    (found,) = resample([1, 0, 0], [[0.9, 0.2, 0.4]], [area], resamples=20, rng=generator())
    assert set(found["roc_auc"]) == {1.0}


def test_one_class_and_no_rows_are_resampled_without_fuss() -> None:
    (found,) = resample([0, 0], [[0.1, 0.2]], [MEASURE], resamples=5, rng=generator())
    assert set(found) == {"accuracy", "brier", "calibration_error", "log_loss", "precision"}
    assert resample([], [[]], [MEASURE], resamples=5, rng=generator()) == [{}]


def test_an_undefined_value_has_no_interval() -> None:
    assert estimate(None, None).low is None


def normal_pair(rng: np.random.Generator, *, positives: int, negatives: int) -> tuple[Labels, Numbers]:
    labels = np.repeat([True, False], [positives, negatives])
    return labels, np.round(1 / (1 + np.exp(-(labels * 1.2 - 0.6 + rng.normal(size=len(labels))))), 6)


@pytest.mark.slow
def test_the_interval_covers_the_true_area_as_often_as_it_promises() -> None:
    truth = 0.8019  # the chance that N(1.2, 1) exceeds N(0, 1): the normal distribution at 1.2 / sqrt(2)
    rng, covered = generator(5), 0
    for _ in range(300):
        labels, scores = normal_pair(rng, positives=120, negatives=280)
        (found,) = resample(labels, [scores], [area], resamples=500, rng=rng)
        seen = estimate(float(area_under_curve(tally(labels, scores))), found["roc_auc"])
        assert seen.low is not None
        assert seen.high is not None
        covered += seen.low <= truth <= seen.high
    assert 0.92 <= covered / 300 <= 0.98


def error_and_noise(counted: Tally, *, gaps: Numbers) -> dict[str, Numbers]:
    noise = np.abs(calibration_gaps(counted) - gaps).sum(axis=-1)
    return {"error": calibration_error(counted), "noise": noise}


@pytest.mark.slow
@pytest.mark.parametrize(("tilt", "truth"), [(0.0, 0.0), (0.3, 0.3 * 0.1875)])  # the mean of |0.5 - Beta(2, 3)|
def test_the_interval_of_the_calibration_error_covers_it_even_where_there_is_none(tilt: float, truth: float) -> None:
    rng, covered = generator(6), 0
    for _ in range(100):
        scores = rng.beta(2, 3, 1000).round(6)
        labels = rng.random(1000) < scores + tilt * (0.5 - scores)
        counted = tally(labels, scores)
        measured = partial(error_and_noise, gaps=calibration_gaps(counted))
        (found,) = resample(labels, [scores], [measured], resamples=200, rng=rng)
        seen = estimate_distance(float(calibration_error(counted)), found["error"], found["noise"])
        assert seen.low is not None
        assert seen.high is not None
        covered += seen.low <= truth <= seen.high
    assert covered >= 88  # the bootstrap holds the share of positives, so a little of what varies is missing

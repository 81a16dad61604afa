"""Bootstrap metrics equal scikit-learn's on the resamples, and intervals cover."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from lab.stats.core import areas
from lab.stats.core.classification import (
    METRICS,
    ScoredSample,
    area_under_curve,
    calibration_error,
    measure,
    scored_sample,
)
from lab.stats.models.bootstrap import (
    draw_rows,
    draw_units,
    draw_weights,
    estimate,
    estimate_distance,
    resample,
    smaller_class,
)
from tests.lab.stats.core.test_classification import THRESHOLD, Labels, Numbers, expected, sample

Places = NDArray[np.intp]

MEASURE = partial(measure, threshold=THRESHOLD)


def area(counted: ScoredSample) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(counted)}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn_rows(labels: Labels, scores: Numbers, *, resamples: int, seed: int = 0) -> Iterator[tuple[Places, Numbers]]:
    """Yield, for each resample, the rows drawn and what each row of the sample weighs in it, drawn often or not."""
    order = np.argsort(scores, kind="stable")
    classes = [order[labels[order]], order[~labels[order]]]
    sizes, rng = [len(kind) for kind in classes], generator(seed)
    weights = draw_weights(sizes[0], sizes[1], resamples=resamples, rng=rng)
    lines = [line for block in draw_rows(*sizes, resamples=resamples, rng=rng) for line in zip(*block, strict=True)]
    for picks, positive, negative in zip(lines, *weights, strict=True):
        rows = np.concatenate([kind[pick] for kind, pick in zip(classes, picks, strict=True)])
        yield rows, np.where(labels, positive, negative)


def counts_of(labels: Labels, scores: Numbers, *, resamples: int) -> Numbers:
    """Return how often each row was drawn, a line a resample."""
    return np.array(
        [np.bincount(rows, minlength=len(labels)) for rows, _ in drawn_rows(labels, scores, resamples=resamples)]
    )


@pytest.mark.parametrize("decimals", [1, 6])
def test_every_metric_of_every_resample_agrees_with_scikit_learn(decimals: int) -> None:
    labels, scores = sample(7, rows=300, decimals=decimals)
    (found,) = resample(labels, [scores], [MEASURE], resamples=40, rng=generator())
    assert set(found) == set(METRICS)
    for line, (rows, weights) in enumerate(drawn_rows(labels, scores, resamples=40)):
        wanted = expected(labels[rows], scores[rows], weights[rows])
        assert {name: found[name][line] for name in METRICS} == pytest.approx(wanted, abs=1e-12)


def test_what_ranks_within_the_classes_is_what_scikit_learn_says_of_the_drawn_rows_without_weights() -> None:
    labels, scores = sample(7, rows=300, decimals=2)
    (found,) = resample(labels, [scores], [MEASURE], resamples=40, rng=generator())
    for line, (rows, _) in enumerate(drawn_rows(labels, scores, resamples=40)):
        wanted = expected(labels[rows], scores[rows])
        for name in ("roc_auc", "recall", "balanced_accuracy"):
            assert found[name][line] == pytest.approx(wanted[name], abs=1e-12)


def test_the_second_model_is_measured_on_the_rows_drawn_for_the_first() -> None:
    labels, scores = sample(7, rows=300)
    other = sample(21, rows=300, decimals=1)[1]
    _, found = resample(labels, [scores, other], [MEASURE] * 2, resamples=20, rng=generator())
    for line, (rows, weights) in enumerate(drawn_rows(labels, scores, resamples=20)):
        wanted = expected(labels[rows], other[rows], weights[rows])
        assert {name: found[name][line] for name in METRICS} == pytest.approx(wanted, abs=1e-12)


def test_the_share_of_positives_varies_as_that_of_a_sample_of_this_size() -> None:
    positive, negative = draw_weights(40, 160, resamples=20_000, rng=generator())
    drawn = positive * 40
    assert drawn + negative * 160 == pytest.approx(np.full(20_000, 200.0))
    assert drawn == pytest.approx(drawn.round())
    assert (drawn.mean(), drawn.var()) == pytest.approx((40, 200 * 0.2 * 0.8), rel=0.03)


def test_no_resample_loses_a_class() -> None:
    positive, negative = draw_weights(1, 3, resamples=2000, rng=generator())
    assert positive.min() == 1
    assert negative.min() * 3 == 1


def test_a_sample_of_one_class_keeps_its_weight() -> None:
    assert [set(weights) for weights in draw_weights(0, 5, resamples=9, rng=generator())] == [{1.0}, {1.0}]


def test_every_resample_keeps_the_number_of_each_class() -> None:
    labels, scores = sample(8, rows=50)
    weights = counts_of(labels, scores, resamples=200)
    assert set(weights[:, labels].sum(axis=1)) == {labels.sum()}
    assert set(weights[:, ~labels].sum(axis=1)) == {(~labels).sum()}


def test_every_row_of_a_class_is_drawn_as_often_as_another() -> None:
    weights = counts_of(np.array([True] * 4 + [False] * 6), np.arange(10) / 10, resamples=20_000)
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


def test_the_interval_ends_at_efrons_bias_corrected_shares_of_the_resamples() -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=40)
    means = rng.choice(values, (2000, 40)).mean(axis=1)
    share = np.mean(means < values.mean())
    ends = stats.norm.cdf(2 * stats.norm.ppf(share) + stats.norm.ppf([0.025, 0.975]))
    seen = estimate(float(values.mean()), means)
    assert [seen.low, seen.high] == pytest.approx(np.quantile(means, ends).tolist())


def test_few_rows_widen_the_interval_as_students_quantile_does() -> None:
    resampled = np.random.default_rng(4).normal(size=200_000)
    wide = estimate(float(np.median(resampled)), resampled, rows=10)
    reach = stats.t.ppf(0.975, 9) * np.sqrt(10 / 9)
    assert [wide.low, wide.high] == pytest.approx([-reach, reach], abs=0.03)


def test_a_single_row_leaves_no_resample_outside() -> None:
    seen = estimate(2.0, np.array([1.0, 2.0, 7.0]), rows=1)
    assert (seen.low, seen.high) == (1.0, 7.0)


@pytest.mark.parametrize("value", [-5.0, 5.0])
def test_a_value_beyond_all_its_resamples_still_has_a_finite_interval(value: float) -> None:
    seen = estimate(value, np.linspace(-1, 1, 101), rows=30)
    assert seen.low is not None
    assert seen.high is not None
    assert -1 <= seen.low <= seen.high <= 1


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
        seen = estimate(float(area_under_curve(scored_sample(labels, scores))), found["roc_auc"])
        assert seen.low is not None
        assert seen.high is not None
        covered += seen.low <= truth <= seen.high
    assert 0.92 <= covered / 300 <= 0.98


def error_and_noise(counted: ScoredSample, *, gaps: Numbers) -> dict[str, Numbers]:
    noise = np.abs(counted.calibration_gaps - gaps).sum(axis=-1)
    return {"error": calibration_error(counted), "noise": noise}


@pytest.mark.slow
@pytest.mark.parametrize(("tilt", "truth"), [(0.0, 0.0), (0.3, 0.3 * 0.1875)])  # the mean of |0.5 - Beta(2, 3)|
def test_the_interval_of_the_calibration_error_covers_it_even_where_there_is_none(tilt: float, truth: float) -> None:
    rng, covered = generator(6), 0
    for _ in range(100):
        scores = rng.beta(2, 3, 1000).round(6)
        labels = rng.random(1000) < scores + tilt * (0.5 - scores)
        counted = scored_sample(labels, scores)
        measured = partial(error_and_noise, gaps=counted.calibration_gaps)
        (found,) = resample(labels, [scores], [measured], resamples=200, rng=rng)
        seen = estimate_distance(float(calibration_error(counted)), found["error"], found["noise"])
        assert seen.low is not None
        assert seen.high is not None
        covered += seen.low <= truth <= seen.high
    assert covered >= 90


def test_resamples_by_unit_draw_all_rows_of_a_unit_together() -> None:
    units, labels = np.arange(60) // 3, np.arange(60) % 2 == 0
    rows = [line[units] for block in draw_units(units, labels, resamples=50, rng=generator()) for line in block]
    assert all(len(set(line[units == unit])) == 1 for line in rows for unit in range(20))
    assert {int(line.sum()) for line in rows} == {60}


def test_the_size_of_a_block_of_units_leaves_no_trace() -> None:
    units, labels = np.arange(12) // 3, np.arange(12) < 3  # one of four units has every positive row
    whole = np.concatenate(list(draw_units(units, labels, resamples=40, rng=generator())))
    blocks = list(draw_units(units, labels, resamples=40, rng=generator(), cells=24))
    assert len(blocks) == 20
    assert np.array_equal(whole, np.concatenate(blocks))
    assert (whole[:, 0] > 0).all()


def test_the_spread_of_resamples_by_unit_is_that_of_obuchowski() -> None:
    rng = generator(4)
    units, own = np.repeat(np.arange(150), 4), rng.normal(size=150)
    labels = rng.random(600) < 0.4
    scores = 1 / (1 + np.exp(-(labels + np.repeat(own, 4) + 0.5 * rng.normal(size=600))))
    (found,) = resample(labels, [scores], [MEASURE], resamples=3000, rng=generator(), units=units)
    variance = areas.area_variance_by_unit(areas.area_under_curve(labels, scores), labels, units)
    assert found["roc_auc"].std() == pytest.approx(np.sqrt(np.float64(variance)), rel=0.06)


def test_units_that_do_not_repeat_draw_the_same_resamples() -> None:
    labels, scores = sample(7, rows=200, decimals=6)
    plain, numbered = (
        resample(labels, [scores], [MEASURE], resamples=20, rng=generator(), units=units)
        for units in (None, np.arange(200)[::-1])
    )
    assert all(np.array_equal(plain[0][name], numbered[0][name]) for name in METRICS)


def test_the_smaller_class_is_counted_in_units() -> None:
    labels = [1, 1, 1, 0, 0, 0, 0]
    assert smaller_class(labels) == 3
    assert smaller_class(labels, [5, 5, 6, 6, 7, 8, 9]) == 2
    assert smaller_class([0, 0, 0]) == 3

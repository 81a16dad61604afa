"""A search stays within its budget and is deterministic."""

import json
import re
from dataclasses import replace

import pytest

from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from lab.search.points import key_of
from lab.search.result import Outcome, Progress, Unfitted, history_of
from lab.search.space import Point, Space
from tests.lab.search.landscape import DEFAULT, FOLDS, SPACE, Recorder, Scrambled, height, searched

METHODS = ("grid", "random", "halving", "bayesian")
START = {name: DEFAULT[name] for name in SPACE}


def budget_of(method: str) -> int:
    return 200 if method == "grid" else 60


@pytest.mark.parametrize("method", METHODS)
def test_the_order_in_which_fits_end_does_not_matter(method: str) -> None:
    straight = searched(method, budget=budget_of(method))
    assert searched(method, budget=budget_of(method), evaluate=Scrambled()) == straight


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_search(method: str) -> None:
    asked, again = Recorder(), Recorder()
    searched(method, budget=budget_of(method), evaluate=asked)
    searched(method, budget=budget_of(method), evaluate=again)
    assert asked.tasks == again.tasks


@pytest.mark.parametrize("method", ["random", "halving", "bayesian"])
def test_another_seed_gives_another_search(method: str) -> None:
    assert searched(method, seed=4).trials != searched(method, seed=5).trials


@pytest.mark.parametrize("method", ["random", "halving", "bayesian"])
@pytest.mark.parametrize("budget", [4, 5, 11, 12, 37, 60])
@pytest.mark.parametrize("folds", [2, 4])
def test_the_budget_is_never_exceeded_and_fits_are_counted(method: str, budget: int, folds: int) -> None:
    asked, reports = Recorder(), list[Progress]()
    found = searched(method, budget=budget, folds=folds, evaluate=asked, reports=reports)
    assert found.fits == len(asked.tasks) == len(reports) <= budget
    assert [progress.fits for progress in reports] == list(range(1, found.fits + 1))
    assert all(progress.fits <= progress.most <= budget for progress in reports)


@pytest.mark.parametrize("method", ["random", "halving", "bayesian"])
def test_the_budget_is_used_up_to_less_than_one_point(method: str) -> None:
    for budget in (12, 23, 60):
        assert budget - FOLDS < searched(method, budget=budget).fits


@pytest.mark.parametrize("method", METHODS)
def test_no_fit_is_repeated(method: str) -> None:
    few: Space = {"trees": [10, 20, 20, 20.0, 30], "shape": ["round", "square", "round"]}
    asked = Recorder(lambda point, fold: height({**point, "inverse_penalty": 1}, fold))
    found = searched(method, budget=200, space=few, evaluate=asked)
    assert len(set(asked.tasks)) == len(asked.tasks) == found.fits
    assert len(found.trials) == 6
    assert [trial.folds for trial in found.trials] == [FOLDS] * 6 or method == "bayesian"


@pytest.mark.parametrize("method", METHODS)
def test_the_candidates_own_settings_come_first(method: str) -> None:
    asked = Recorder()
    found = searched(method, budget=budget_of(method), evaluate=asked)
    assert found.trials[0].settings == START
    assert asked.tasks[0] == (key_of(START), FOLDS)


@pytest.mark.parametrize("method", METHODS)
def test_the_best_is_never_below_the_start_and_near_the_top(method: str) -> None:
    found = searched(method, budget=budget_of(method))
    best = sum(height(found.best, fold) for fold in range(1, FOLDS + 1)) / FOLDS
    start = sum(height(START, fold) for fold in range(1, FOLDS + 1)) / FOLDS
    assert best > start
    assert found.trials[-1].best == pytest.approx(best)


def test_the_grid_finds_its_best_point() -> None:
    found = searched("grid", budget=200)
    assert found.best == {"inverse_penalty": 10.0, "shape": "square", "trees": 30}
    assert found.fits == 30 * FOLDS
    assert found.reason == "grid: all 30 settings of the grid on 4 folds"


def test_own_settings_outside_the_grid_are_also_tried() -> None:
    found = searched("grid", budget=124, default={**DEFAULT, "trees": 44, "inverse_penalty": 10.0, "shape": "square"})
    assert (len(found.trials), found.fits, found.best["trees"]) == (31, 124, 44)


def test_halving_spends_most_on_the_best() -> None:
    found = searched("halving")
    folds = [trial.folds for trial in found.trials]
    assert (len(folds), sum(count >= 2 for count in folds), folds.count(4)) == (39, 13, 4)
    assert found.reason == "halving: 39 settings on 1 fold, 13 on 2, 4 on 4"
    first = sorted((trial for trial in found.trials), key=lambda trial: -height(trial.settings, FOLDS))
    assert {trial.number for trial in found.trials if trial.folds >= 2} == {trial.number for trial in first[:13]}


def test_halving_begins_with_the_newest_fold() -> None:
    asked = Recorder()
    searched("halving", evaluate=asked)
    assert [fold for _, fold in asked.tasks[:52]] == [FOLDS] * 39 + [FOLDS - 1] * 13


def test_points_are_compared_on_the_same_folds() -> None:
    """An old fold with higher scores for all points must not favour the points that were fitted on it."""
    lifted = Recorder(lambda point, fold: height(point, fold) + (5.0 if fold == 1 else 0.0))
    for method in ("halving", "bayesian"):
        assert searched(method, evaluate=lifted).best == searched(method).best


def test_clearly_worse_points_on_the_newest_fold_are_not_finished() -> None:
    found = searched("bayesian")
    complete = [trial for trial in found.trials if trial.folds == FOLDS]
    assert {trial.folds for trial in found.trials} == {1, FOLDS}
    assert 1 < len(complete) < len(found.trials) / 2
    assert found.reason == f"bayesian: {len(found.trials)} settings on 1 fold, {len(complete)} of them on 4"


def test_only_points_as_good_as_the_best_are_finished() -> None:
    """After the first eight, batches have four points; the rest of the budget may finish one more."""
    trials = searched("bayesian").trials
    best: dict[int, float] = {}
    worse = 0
    for trial in trials:
        batch = max(0, (trial.number - 5) // 4)
        if trial.folds == FOLDS and trial.score is not None:
            worse += trial.score < max((score for earlier, score in best.items() if earlier < batch), default=0)
            best[batch] = max(trial.score, best.get(batch, 0))
    assert worse <= 1
    assert len(best) > 2
    assert sum(trial.folds == FOLDS for trial in trials[:8]) <= 2


def test_bayesian_search_learns() -> None:
    """The later half of its proposals is better than the earlier half."""
    heights = [height(trial.settings, FOLDS) for trial in searched("bayesian", budget=120).trials]
    half = len(heights) // 2
    assert sum(heights[half:]) / (len(heights) - half) > sum(heights[:half]) / half + 0.05


@pytest.mark.parametrize("method", METHODS)
def test_of_equal_points_the_earlier_wins(method: str) -> None:
    level = Recorder(lambda _point, _fold: 0.7)
    assert searched(method, budget=budget_of(method), evaluate=level).best == START


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_minimised_and_reported_unchanged(method: str) -> None:
    losses = Recorder(lambda point, fold: 1 - height(point, fold))
    lower = searched(method, budget=budget_of(method), by="log_loss", evaluate=losses)
    higher = searched(method, budget=budget_of(method))
    assert lower.best == higher.best
    assert [1 - (trial.score or 0) for trial in lower.trials] == pytest.approx([trial.score for trial in higher.trials])
    best = [trial.best for trial in lower.trials if trial.best is not None]
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("method", METHODS)
def test_unfitted_points_are_reported_and_do_not_win(method: str) -> None:
    def answer(point: Point, fold: int) -> Outcome:
        return Unfitted("no end.\nmore") if point["shape"] == "square" else height(point, fold)

    found = searched(method, budget=budget_of(method), evaluate=Recorder(answer))
    failed = [trial for trial in found.trials if trial.settings["shape"] == "square"]
    assert failed
    assert all((trial.score, trial.folds) == (None, 0) for trial in failed)
    assert found.best["shape"] == "round"
    number = failed[0].number
    assert found.reason.endswith(f"; {len(failed)} could not be fitted, the first (number {number}): no end.")


@pytest.mark.parametrize("method", METHODS)
def test_own_settings_that_cannot_be_fitted_are_not_chosen(method: str) -> None:
    def answer(point: Point, fold: int) -> Outcome:
        return Unfitted("no end") if point == START else height(point, fold)

    found = searched(method, budget=budget_of(method), evaluate=Recorder(answer))
    assert found.trials[0].score is None
    assert found.best != START


@pytest.mark.parametrize("method", METHODS)
def test_a_search_without_any_fit_is_refused_with_the_first_reason(method: str) -> None:
    reasons = Recorder(lambda point, fold: Unfitted(f"{point['trees']} trees on fold {fold} are too many"))
    with pytest.raises(ParamsError, match=r"here\.search: none of .* the first, .*: 30 trees on fold 4 are too many"):
        searched(method, budget=budget_of(method), evaluate=reasons)


@pytest.mark.parametrize("method", METHODS)
def test_a_budget_below_one_fit_a_fold_is_refused(method: str) -> None:
    with pytest.raises(
        ParamsError, match=r"here.search.budget is 3 fits, expected at least 4: one for each of 4 folds"
    ):
        searched(method, budget=3)


def test_a_grid_beyond_the_budget_is_refused_with_the_needed_budget() -> None:
    asked = Recorder()
    with pytest.raises(ParamsError, match=r"30 points, which need 120 fits on 4 folds; found .*budget 119\. Cure: "):
        searched("grid", budget=119, evaluate=asked)
    assert asked.tasks == []


def test_no_search_fits_nothing() -> None:
    asked = Recorder()
    found = searched("none", evaluate=asked)
    assert (found.best, found.fits, found.trials, asked.tasks) == (DEFAULT, 0, (), [])
    assert found.reason == "no search: its own settings"


def test_an_empty_space_is_reported() -> None:
    found = searched("bayesian", space={})
    assert (found.best, found.fits, found.reason) == (DEFAULT, 0, "no search: the space is empty")


@pytest.mark.parametrize("method", METHODS)
def test_progress_reports_a_trial_when_its_fits_are_complete(method: str) -> None:
    reports = list[Progress]()
    found = searched(method, budget=budget_of(method), reports=reports)
    last = {progress.trial.number: progress.trial for progress in reports if progress.trial is not None}
    assert {number: (trial.score, trial.folds) for number, trial in last.items()} == {
        trial.number: (trial.score, trial.folds) for trial in found.trials
    }
    assert reports[-1].best == max(
        trial.score for trial in found.trials if trial.folds == FOLDS and trial.score is not None
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_history_is_plain_json(method: str) -> None:
    found = searched(method, budget=budget_of(method))
    history = json.loads(json_bytes(history_of(found)))
    assert {"method", "by", "budget", "fits", "reason", "trials", "importance"} <= set(history)
    assert [trial["number"] for trial in history["trials"]] == list(range(1, len(found.trials) + 1))
    assert set(history["trials"][0]) == {"number", "settings", "score", "folds", "best"}
    best = [trial["best"] for trial in history["trials"] if trial["best"] is not None]
    assert best == sorted(best)


def test_the_last_decimal_of_a_score_does_not_matter() -> None:
    """The last bits of another processor must not change the trials."""
    asked, again = Recorder(), Recorder(lambda point, fold: height(point, fold) * (1 + 1e-15))
    found = searched("bayesian", evaluate=asked)
    assert replace(searched("bayesian", evaluate=again), trials=(), importance={}) == replace(
        found, trials=(), importance={}
    )
    assert asked.tasks == again.tasks


def test_numbers_are_tried_with_four_digits_at_most() -> None:
    for method in ("random", "halving", "bayesian"):
        tried = [trial.settings["inverse_penalty"] for trial in searched(method).trials]
        assert len(tried) > 10
        assert all(
            re.fullmatch(r"\d{1,4}", f"{value:.12e}".split("e")[0].replace(".", "").rstrip("0")) for value in tried
        )

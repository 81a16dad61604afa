"""Equal groups pass, unequal groups fail, and small groups are named."""

from typing import Any

import numpy as np
import pytest

from lab.validate.fairness import CALIBRATION, PRECISION, RECALL, SELECTION, Groups, Predictions, fairness_gates
from lab.validate.gates import Gate

ACCURACY = "accuracy_gap"
LIMITS = {ACCURACY: 0.1, SELECTION: 0.8, RECALL: 0.1, PRECISION: 0.1, CALIBRATION: 0.1}
RNG = np.random.default_rng(46)
Cells = dict[str, tuple[int, int, int, int]]  # true positives, false negatives, false positives, true negatives


def judged(cells: Cells, *, smallest: int = 50, unseen: tuple[str, ...] = ()) -> dict[str, Gate]:
    """Return the gates of groups given by their decisions; a positive decision has a score of 0.8, the other of 0.2."""
    labels = np.concatenate([np.repeat([True, True, False, False], counts) for counts in cells.values()])
    decisions = np.concatenate([np.repeat([True, False, True, False], counts) for counts in cells.values()])
    names = np.repeat(list(cells), [sum(counts) for counts in cells.values()])
    levels = {name: names == name for name in cells}
    decided = Predictions(labels, np.where(decisions, 0.8, 0.2), decisions)
    return fairness_gates(decided, Groups(levels, unseen, smallest), LIMITS)


def test_each_measure_agrees_with_its_definition() -> None:
    found = judged({"a": (300, 100, 50, 550), "b": (150, 150, 100, 600)})
    assert found[ACCURACY].value == pytest.approx(0.85 - 0.75)
    assert found[SELECTION].value == pytest.approx(250 / 350)
    assert found[RECALL].value == pytest.approx(300 / 400 - 150 / 300)
    assert found[PRECISION].value == pytest.approx(300 / 350 - 150 / 250)
    observed, predicted = (0.4, 0.3), (0.2 + 0.6 * 0.35, 0.2 + 0.6 * 0.25)
    assert found[CALIBRATION].value == pytest.approx((observed[0] - predicted[0]) - (observed[1] - predicted[1]))


def test_equal_groups_pass_every_measure() -> None:
    found = judged({"a": (300, 100, 50, 550), "b": (600, 200, 100, 1100)})
    assert {gate.verdict for gate in found.values()} == {"passed"}


def test_a_missed_group_fails_equal_opportunity_and_names_both() -> None:
    gate = judged({"a": (300, 100, 50, 550), "b": (150, 150, 100, 600)})[RECALL]
    assert (gate.verdict, gate.reason) == ("failed", "a against b: beyond the limit with its whole interval")


def test_a_group_too_small_for_a_measure_is_left_out_of_it_and_named() -> None:
    found = judged({"a": (300, 100, 50, 550), "b": (600, 200, 100, 1100), "few": (0, 40, 3, 17)})
    assert found[ACCURACY].verdict == "failed"
    assert found[RECALL].verdict == found[PRECISION].verdict == "passed"
    assert found[RECALL].reason.endswith("; too small to judge: few (40 positives)")
    assert found[PRECISION].reason.endswith("; too small to judge: few (3 predicted positive)")


def test_a_group_without_training_rows_is_judged_and_named() -> None:
    found = judged({"a": (300, 100, 50, 550), "new": (300, 100, 50, 550)}, unseen=("new",))
    assert all(gate.reason.endswith("; not in the training rows: new") for gate in found.values())
    assert {gate.verdict for gate in found.values()} == {"passed"}


@pytest.mark.parametrize(("cells", "count"), [({}, "0 groups"), ({"a": (300, 100, 50, 550)}, "1 group")])
def test_one_group_alone_is_not_judged(cells: Cells, count: str) -> None:
    if not cells:
        nothing = np.array([], dtype=bool)
        found = fairness_gates(Predictions(nothing, nothing.astype(float), nothing), Groups({}, (), 50), LIMITS)
    else:
        found = judged(cells)
    assert {gate.verdict for gate in found.values()} == {"not judged"}
    assert found[ACCURACY].reason == f"nothing to compare: {count} of at least 50 rows"


def test_without_positive_predictions_ratio_and_precision_are_not_judged() -> None:
    found = judged({"a": (0, 100, 0, 500), "b": (0, 80, 0, 500)})
    assert found[SELECTION].verdict == found[PRECISION].verdict == "not judged"
    assert found[SELECTION].reason == "nothing to compare: no row is predicted positive"


@pytest.mark.parametrize("label", [True, False])
def test_equal_labels_give_finite_numbers(label: bool) -> None:
    cells = (80, 20, 0, 0) if label else (0, 0, 20, 80)
    found = judged({"a": cells, "b": cells})
    assert found[ACCURACY].verdict == found[CALIBRATION].verdict == "passed"
    assert found[RECALL].verdict == ("passed" if label else "not judged")
    numbers = [number for gate in found.values() for number in (gate.value, gate.low, gate.high) if number is not None]
    assert np.isfinite(numbers).all()


def test_groups_of_one_row_have_no_calibration_gap() -> None:
    found = judged({"a": (1, 0, 0, 0), "b": (0, 1, 0, 0)}, smallest=1)
    assert found[CALIBRATION].verdict == "not judged"
    assert found[ACCURACY].verdict == "within noise"


def simulated(rng: np.random.Generator, *, rows: int, worse: float) -> dict[str, Gate]:
    """Return the gates of four equal groups and one with a higher error rate."""
    groups = rng.choice(list("abcde"), rows)
    scores = rng.beta(1.2, 1.8, rows).round(6)
    labels = rng.random(rows) < scores
    wrong = rng.random(rows) < 0.2 + worse * (groups == "e")
    decided = Predictions(labels, scores, labels ^ wrong)
    return fairness_gates(decided, Groups({name: groups == name for name in "abcde"}, (), 50), LIMITS)


def share_failed(measure: str, *, rows: int, worse: float, runs: int, words: tuple[str, ...] = ("failed",)) -> float:
    seeds = np.random.default_rng(11).spawn(runs)
    return float(np.mean([simulated(rng, rows=rows, worse=worse)[measure].verdict in words for rng in seeds]))


@pytest.mark.parametrize("measure", LIMITS)
@pytest.mark.parametrize("rows", [400, 2000])
def test_without_a_true_gap_a_gate_keeps_its_error_rate(measure: str, rows: int) -> None:
    runs, stated = 400, 0.05
    luck = 3 * (stated * (1 - stated) / runs) ** 0.5
    assert share_failed(measure, rows=rows, worse=0.0, runs=runs) <= stated + luck


def test_a_true_gap_in_accuracy_is_found() -> None:
    assert share_failed(ACCURACY, rows=2000, worse=0.2, runs=100, words=("failed", "within noise")) >= 0.95
    assert share_failed(ACCURACY, rows=2000, worse=0.35, runs=50) >= 0.95


def test_a_true_gap_in_recall_is_found() -> None:
    assert share_failed(RECALL, rows=4000, worse=0.2, runs=50, words=("failed", "within noise")) >= 0.95
    assert share_failed(RECALL, rows=4000, worse=0.4, runs=50) >= 0.9


def test_miscalibration_of_one_group_is_found() -> None:
    rng = np.random.default_rng(2)
    groups, scores = rng.choice(["a", "b"], 2000), rng.uniform(0, 0.8, 2000)
    labels = rng.random(2000) < scores + 0.2 * (groups == "b")
    decided: Any = Predictions(labels, scores, scores >= 0.5)
    gate = fairness_gates(decided, Groups({name: groups == name for name in "ab"}, (), 50), LIMITS)[CALIBRATION]
    assert gate.verdict == "failed"
    assert gate.value == pytest.approx(0.2, abs=0.05)


def test_rows_of_one_unit_count_once() -> None:
    labels = RNG.random(400) < 0.5
    decisions = np.where(RNG.random(400) < 0.8, labels, ~labels)
    inside = np.arange(400) % 2 == 0
    copies = np.repeat(np.arange(400), 5)

    def of(rows: np.ndarray[Any, Any], units: np.ndarray[Any, Any] | None) -> dict[str, Gate]:
        predicted = Predictions(labels[rows], np.where(decisions, 0.8, 0.2)[rows], decisions[rows])
        return fairness_gates(predicted, Groups({"a": inside[rows], "b": ~inside[rows]}, (), 50, units), LIMITS)

    once, ignored, by_unit = of(np.arange(400), None), of(copies, None), of(copies, copies)
    for measure in LIMITS:
        widths = [(gates[measure].high or 0) - (gates[measure].low or 0) for gates in (once, ignored, by_unit)]
        assert widths[2] == pytest.approx(widths[0], rel=0.04), measure
        assert widths[1] < 0.6 * widths[0], measure


def test_a_group_of_few_units_is_too_small_to_judge() -> None:
    labels = RNG.random(600) < 0.5
    inside, units = np.arange(600) < 300, np.where(np.arange(600) < 300, np.arange(600) % 5, np.arange(600) // 2)
    predicted = Predictions(labels, np.where(labels, 0.8, 0.2), labels)
    gate = fairness_gates(predicted, Groups({"a": inside, "b": ~inside}, (), 50, units), LIMITS)[ACCURACY]
    assert gate.value is None
    assert gate.reason.endswith("; too small to judge: a (300 rows of 5 units)")

"""The list of experiments fits a terminal, has verdicts, and hides test scores."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.core.errors import SourceError
from lab.select.pairs import Question
from ops.experiments import Line, _with_gates, against, corrected, costs_of, listed, short_names, to_text
from tests.history import commit_all
from tests.lab.select.candidates import candidate
from tests.project import run

BASE = Line("HEAD", "boosting", 0.8626, 0.8544, 0.8708)
SLOWER = Line(
    "slower",
    "boosting",
    0.862,
    0.8537,
    0.8702,
    changed=(("train.candidates.boosting.settings.learning_rate", "0.03"), ("select.margin", "0.02")),
    verdict="not distinguishable",
    difference=-0.0006,
    difference_low=-0.0021,
    difference_high=0.0046,
)


def test_the_table_fits_a_terminal_and_hides_the_test_window() -> None:
    text = to_text([BASE, SLOWER], "roc_auc")
    assert max(map(len, text.splitlines())) <= 120
    assert "learning_rate=0.03" in text
    assert "not distinguishable (−0.0006, −0.0021 to 0.0046)" in text
    assert text.splitlines()[-1].startswith("The scores of the test window are hidden")
    assert "on test" not in text


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [
        (None, "gates: not judged"),
        ({"failed": [], "within_noise": []}, "gates: passes"),
        ({"failed": [], "within_noise": ["f1"]}, "gates: within noise (≈ f1)"),
        ({"failed": ["recall"], "within_noise": ["f1"]}, "gates: fails (✗ recall, ≈ f1)"),
    ],
)
def test_gates_pass_are_within_noise_or_fail(verdict: object, shown: str) -> None:
    text = to_text([BASE, _with_gates(replace(SLOWER, test_score=0.85), verdict)], "roc_auc")
    (line,) = [line for line in text.splitlines() if "on test" in line]
    assert line.endswith(f"  {shown}")


def test_verdicts_are_corrected_for_the_number_of_experiments() -> None:
    lines = [replace(SLOWER, name=str(at), verdict="better", p_value=p) for at, p in enumerate((0.001, 0.03, 0.04))]
    equivalent = replace(SLOWER, verdict="equivalent", p_value=0.9)
    found = corrected([*lines, equivalent, BASE], level=0.05)
    assert [line.p_adjusted for line in found] == [
        pytest.approx(0.004),
        pytest.approx(0.09),
        pytest.approx(0.09),
        0.9,
        None,
    ]
    assert [line.verdict for line in found[:4]] == [
        "better",
        "not distinguishable",
        "not distinguishable",
        "equivalent",
    ]
    assert "The best of 4 is partly chosen by chance" in to_text([BASE, *found[:4]], "roc_auc")


@pytest.mark.parametrize("by", ["roc_auc", "log_loss"])
def test_a_positive_difference_is_better(by: str) -> None:
    question = Question(by, 0.05, 0.001)
    base, experiment = candidate("base", skill=0.5), candidate("experiment", skill=2.0)
    better, worse = against(SLOWER, experiment, base, question), against(SLOWER, base, experiment, question)
    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.difference_low is not None
    assert better.difference_high is not None
    assert 0 < better.difference_low < better.difference < better.difference_high  # type: ignore[operator]
    assert (worse.difference_low, worse.difference_high) == (-better.difference_high, -better.difference_low)


def test_what_no_store_has_is_derived_by_the_command_that_is_shown() -> None:
    lost = replace(SLOWER, verdict="not compared: x (0a1b) is not in the cache, and the remote could not be asked")
    text = to_text([BASE, lost, replace(SLOWER, name="other")], "roc_auc")
    assert "\nTo compare all: python -m ops derive HEAD slower\n" in text


def test_other_rows_are_not_compared() -> None:
    base, experiment = candidate("base", skill=1.0), candidate("experiment", skill=1.0)
    other = replace(experiment, out_of_fold=experiment.out_of_fold.slice(1))
    assert against(SLOWER, other, base, Question("roc_auc", 0.05, 0.01)).verdict.startswith("not compared: other")


def test_the_cost_is_that_of_the_stages_that_ran_for_an_experiment(tmp_path: Path) -> None:
    log = tmp_path / ".dvc/tmp/stage_costs.jsonl"
    assert costs_of("abc", root=tmp_path) == {}
    log.parent.mkdir(parents=True)
    runs = [("slower", "abc", 2.5), ("slower", "abc", 1.25), ("slower", "def", 9.0), (None, None, 9.0)]
    lines = [json.dumps({"experiment": name, "baseline": base, "cpu_seconds": cost}) for name, base, cost in runs]
    log.write_text("\n".join([*lines, "[1]", '{"experiment": "slow']))
    assert costs_of("abc", root=tmp_path) == {"slower": 3.75}
    text = to_text([BASE, replace(SLOWER, cpu_seconds=3.75)], "roc_auc")
    assert max(map(len, text.splitlines())) <= 120
    assert text.splitlines()[0].endswith("CPU s")
    assert any(line.endswith("  3.8") for line in text.splitlines())


def test_a_commit_without_experiments_is_refused(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / "a").write_text("a")
    commit_all(tmp_path, "one")
    with pytest.raises(SourceError, match="HEAD has no experiments, expected at least one: `dvc exp run` makes them"):
        listed("HEAD", reveal=False, root=tmp_path)


def test_names_are_as_short_as_they_can_be() -> None:
    assert short_names(["a.b.trees", "a.c.trees", "seed"]) == {
        "a.b.trees": "b.trees",
        "a.c.trees": "c.trees",
        "seed": "seed",
    }

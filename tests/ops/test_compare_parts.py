"""The parts of a comparison, each by itself."""

import doctest
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ops.compare.advice
import ops.compare.changes
import ops.compare.predicted
import ops.compare.render
from lab.abtest.comparison_settings import ComparisonParams
from lab.core.errors import LabError, SourceError
from lab.core.schema import FeatureSchema
from lab.task.money import Money
from ops.compare.advice import Facts, Reason, advise
from ops.compare.changes import Change, changes
from ops.compare.compare import origin_of
from ops.compare.differences import Judged, judge_model
from ops.compare.drift import drift_change
from ops.compare.experiment import answer_of
from ops.compare.gates import gate_changes
from ops.compare.graph import Graph, graph_of
from ops.compare.predicted import Predictions, Store, briefly
from ops.compare.render import printable, rows_of_units, searched_in_words
from ops.compare.rows import equal_rows, match_rows, places_of_same
from ops.compare.stages import commands_of
from ops.compare.training import Candidate, Training
from ops.report.charts import charts_section
from ops.report.details import gates_section
from ops.revisions.git import contents_at
from ops.revisions.lock import Item, LockedStage
from ops.revisions.objects import Objects
from ops.revisions.snapshot import WORKSPACE, Snapshot, snapshot_of
from tests.cures import apply_cure
from tests.history import commit_all
from tests.judged import ABTEST, features_of, predictions_of, schema
from tests.project import run

GOOD = Facts(primary="roc_auc", word="better", numbers="+0.02")


@pytest.mark.parametrize("module", [ops.compare.advice, ops.compare.changes, ops.compare.predicted, ops.compare.render])
def test_the_examples_in_docstrings_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_a_stage_with_other_outputs_has_changed_and_candidates_are_one_stage() -> None:
    def stage(name: str, reads: str, writes: str, md5: str) -> LockedStage:
        items = [{path: Item(path, md5, 1, None)} for path in (reads, writes)]
        return LockedStage(name, "true", items[0], {}, items[1])

    base = {"make": stage("make", "code", "data/raw", "1"), "fit@a": stage("fit@a", "data/raw/a", "models/a", "1")}
    head = {
        **base,
        "fit@a": stage("fit@a", "data/raw/a", "models/a", "2"),
        "fit@b": stage("fit@b", "data", "models/b", "3"),
        "tell": stage("tell", "models", "page", "4"),
    }
    found = graph_of(base, head)
    assert found.stages == ("make", "fit", "tell")
    assert found.changed == ("fit", "tell")
    assert set(found.arrows) == {("make", "fit"), ("fit", "tell")}


def test_hostile_names_stay_inside_a_chart() -> None:
    comparison: Any = SimpleNamespace(
        graph=Graph(('a"]\nclick a "javascript:x"',), (), ('a"]\nclick a "javascript:x"',)),
        gates=gate_changes(_verdicts("passed"), _verdicts("within noise")),
        training=Training("roc_auc", "x", "x", (Candidate("x]`\n", 1, 1, 0.8, 0.8, (), ()),), ()),
    )
    section = charts_section(comparison)
    assert section is not None
    assert section.text.count("```") == 6
    assert 's0["a___click a _javascript_x_"]' in section.text
    assert "x-axis [x___]" in section.text
    assert '  "within noise" : 1' in section.text


def trained(*, base: tuple[str, ...], head: tuple[str, ...]) -> Training:
    return Training("roc_auc", "boosting", "boosting", (Candidate("boosting", 1, 1, 0.8, 0.8, base, head),), ())


RATE = "train.candidates.boosting.settings.learning_rate"


def test_a_searched_setting_is_where_the_search_starts() -> None:
    training = trained(base=("learning_rate: 0.0406", "trees: 150"), head=("learning_rate: 0.036", "trees: 150"))
    assert searched_in_words(Change(RATE, "changed", 0.06, 0.03), training) == (
        " is where the search starts; it found 0.0406 → 0.036"
    )


@pytest.mark.parametrize(
    "change",
    [
        Change(RATE, "changed", 0.06, 0.03),  # no search replaced it
        Change("train.candidates.forest.settings.trees", "changed", 1, 2),  # no such candidate
        Change("train.candidates.boosting.settings.most_leaves", "added", None, 3),  # an older result names none
        Change("select.margin", "changed", 0.01, 0.02),
    ],
)
def test_other_settings_are_shown_as_they_are(change: Change) -> None:
    assert searched_in_words(change, trained(base=("learning_rate: 0.06",), head=("learning_rate: 0.03",))) == ""


@pytest.mark.parametrize(
    ("facts", "do"),
    [
        (GOOD, "merge"),
        (replace(GOOD, word="equivalent"), "merge"),
        (replace(GOOD, word="the same predictions"), "merge"),
        (replace(GOOD, word="worse"), "stop"),
        (replace(GOOD, newly_failing=("recall",)), "stop"),
        (replace(GOOD, stale=("train@forest",)), "stop"),
        (replace(GOOD, rows_beyond=("sales: 30.0 %",)), "stop"),
        (replace(GOOD, rows_unknown=("sales",)), "look"),
        (replace(GOOD, word="worse", only_shared_rows=True, data_changed=True), "stop"),
        (replace(GOOD, word="not distinguishable"), "look"),
        (replace(GOOD, word="not distinguishable", trained_anew=True), "look"),
        (replace(GOOD, word="undefined", why_untested="one class only"), "look"),
        (replace(GOOD, word="untested", why_untested="no predictions"), "look"),
        (replace(GOOD, data_changed=True, only_shared_rows=True), "look"),
        (replace(GOOD, word="untested", other_task=True), "look"),
        (replace(GOOD, failing=("recall",)), "look"),
        (replace(GOOD, drift_suggests_retraining=True), "look"),
        (replace(GOOD, still_failing=("precision",)), "look"),
        (replace(GOOD, within_noise=("precision",)), "look"),
        (replace(GOOD, yardstick=("abtest.margins.roc_auc",)), "look"),
        (replace(GOOD, other_metrics_worse=("recall",)), "look"),
        (replace(GOOD, stale_base=("train@forest",)), "look"),
        (replace(GOOD, base_is_ahead=2), "look"),
        (replace(GOOD, other_inputs=True), "look"),
        (replace(GOOD, trained_anew=True), "merge"),
    ],
)
def test_what_to_do_follows_from_the_facts(facts: Facts, do: str) -> None:
    assert advise(facts).do == do


def test_harm_comes_before_what_only_a_person_can_weigh() -> None:
    advice = advise(replace(GOOD, word="worse", data_changed=True, yardstick=("promote.least_gain",)))
    assert advice.do == "stop"
    assert "worse" in advice.reasons[0].to_text()


def test_the_first_reason_says_what_stands_and_what_is_to_be_looked_at() -> None:
    (reason,) = advise(replace(GOOD, still_failing=("precision",))).reasons
    assert (
        reason.to_text()
        == "ROC AUC of the challenger is better (+0.02), but a gate that decides fails as before: precision"
    )


def test_of_many_names_a_reason_tells_the_first_few() -> None:
    assert Reason("failing: {}", tuple("abcdefg")).to_text() == "failing: a, b, c, d and 3 more"


def test_a_name_with_braces_is_no_place_for_another_name() -> None:
    assert Reason("failing: {}", ("{}", "b")).to_text() == "failing: {} and b"


def test_equal_settings_do_not_differ_whatever_their_type() -> None:
    assert changes({"a": 1, "b": [1.0, 2]}, {"a": 1.0, "b": [1, 2.0]}) == ()


def test_true_is_not_one() -> None:
    assert [each.name for each in changes({"a": 1}, {"a": True})] == ["a"]


def test_a_candidate_that_came_is_one_change_by_name() -> None:
    (change,) = changes({"train": {"candidates": {}}}, {"train": {"candidates": {"stump": {"estimator": "tree"}}}})
    assert (change.name, change.kind, change.new) == ("train.candidates.stump", "added", {"estimator": "tree"})


def test_null_and_absent_are_not_the_same() -> None:
    assert [each.kind for each in changes({}, {"a": None})] == ["added"]


def _verdicts(word: str, *, threshold: float = 0.7, part: str = "gates") -> dict[str, object]:
    gate = {"gate": "recall", "verdict": word, "value": 0.7, "rule": "at least", "threshold": threshold, "reason": ""}
    return {part: [gate]}


@pytest.mark.parametrize(
    ("base", "head", "course"),
    [
        (_verdicts("passed"), _verdicts("failed"), "newly fails"),
        ({}, _verdicts("failed"), "newly fails"),
        (_verdicts("not judged"), _verdicts("failed"), "newly fails"),
        (_verdicts("failed", part="reported"), _verdicts("failed"), "newly fails"),
        (_verdicts("failed"), _verdicts("failed"), "still fails"),
        (_verdicts("failed"), _verdicts("passed"), "newly passes"),
        (_verdicts("passed"), _verdicts("passed"), "passes"),
        (_verdicts("passed"), _verdicts("not judged"), "not judged"),
        (_verdicts("passed"), _verdicts("within noise"), "within noise"),
        (_verdicts("failed"), _verdicts("within noise"), "within noise"),
        (_verdicts("within noise"), _verdicts("failed"), "newly fails"),
        (_verdicts("within noise"), _verdicts("passed"), "passes"),
        (_verdicts("passed"), {}, "removed"),
    ],
)
def test_the_course_of_a_gate(base: dict[str, object], head: dict[str, object], course: str) -> None:
    assert [each.course for each in gate_changes(base, head)] == [course]


def test_a_gate_of_another_task_is_not_compared() -> None:
    base, head = {**_verdicts("passed"), "reported": [{"gate": "f1"}]}, _verdicts("failed", threshold=0.2)
    (change,) = gate_changes(base, head, other_task=True)
    assert (change.course, change.base, change.moved) == ("fails", None, False)


@pytest.mark.parametrize("head", [_verdicts("passed", threshold=0.6), _verdicts("passed", part="reported"), {}])
def test_a_gate_with_another_limit_or_another_say_was_moved(head: dict[str, object]) -> None:
    assert [each.moved for each in gate_changes(_verdicts("passed"), head)] == [True]


def test_a_limit_that_others_moved_is_not_the_heads_doing() -> None:
    base, head = _verdicts("passed", threshold=0.9), _verdicts("passed")
    assert [each.moved for each in gate_changes(base, head, origin=_verdicts("passed"))] == [False]


def test_revisions_without_a_common_commit_are_refused_until_the_history_is_there(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=whole)
    commit_all(whole, "first")
    for name in ("one", "two"):
        run(["git", "checkout", "--quiet", "-b", name, "main"], cwd=whole)
        commit_all(whole, name)
    shallow = tmp_path / "shallow"
    run(["git", "clone", "--quiet", "--depth=1", "--no-single-branch", whole.as_uri(), str(shallow)], cwd=tmp_path)
    base, head = (Store(snapshot_of(f"origin/{name}", root=shallow), Objects(shallow)) for name in ("one", "two"))
    with pytest.raises(SourceError, match="origin/one and origin/two share no commit") as refused:
        origin_of(base, head)
    key = "ops/compare/compare.py: git fetch --unshallow, if this clone is shallow"
    apply_cure(str(refused.value), "git fetch --unshallow", of=key, cwd=shallow)
    assert origin_of(base, head).snapshot.commit == run(["git", "rev-parse", "main"], cwd=whole).stdout.strip()


def test_the_report_shows_a_gate_with_its_mark() -> None:
    comparison: Any = SimpleNamespace(gates=gate_changes(_verdicts("passed"), _verdicts("within noise")))
    section = gates_section(comparison)
    assert section.title == "Gates: 1 within noise"
    assert any(line.startswith("| ≈ within noise | `recall` |") for line in section.lines)


def test_drift_that_suggests_retraining_in_both_revisions_is_not_new() -> None:
    moved = {"retrain": {"suggested": True}, "verdicts": [{"column": "age", "verdict": "drifted"}]}
    still = {"retrain": {"suggested": False}, "verdicts": [{"column": "age", "verdict": "stable"}]}
    assert drift_change(still, moved).newly_suggests_retraining
    assert drift_change(still, moved).newly_drifted == ("age",)
    assert not drift_change(moved, moved).newly_suggests_retraining
    assert drift_change(moved, still).no_longer_drifted == ("age",)


def test_a_revision_without_an_experiment_says_why() -> None:
    answer = answer_of({"answer": {"challenger": "better"}, "online": {"analysed": False, "reason": "no log"}})
    assert answer is not None
    assert (answer.action, answer.rule) == ("", "no log")


def test_keys_in_another_order_find_each_other() -> None:
    base, head = (
        pa.table({"id": [1, 2, 3], "day": ["a", "a", "b"]}),
        pa.table({"id": [3, 9, 1], "day": ["b", "a", "a"]}),
    )
    here, there = places_of_same(base, head, keys=["id", "day"])
    assert (here.tolist(), there.tolist()) == ([0, 2], [2, 0])


def test_keys_of_another_type_are_refused() -> None:
    with pytest.raises(SourceError, match="rows cannot be matched"):
        places_of_same(pa.table({"id": [1]}), pa.table({"id": ["1"]}), keys=["id"])


def test_an_identifier_in_two_rows_is_refused() -> None:
    with pytest.raises(SourceError, match="expected one row each"):
        places_of_same(pa.table({"id": [1, 1]}), pa.table({"id": [1, 2]}), keys=["id"])


def test_missing_values_are_equal_to_missing_values_only() -> None:
    base, head = pa.table({"x": [1.0, None, None, float("nan")]}), pa.table({"x": [1.0, None, 2.0, float("nan")]})
    assert equal_rows(base, head, columns=["x"]).tolist() == [True, True, False, True]


def test_a_column_of_another_type_is_not_equal() -> None:
    assert equal_rows(pa.table({"x": [1]}), pa.table({"x": ["1"]}), columns=["x"]).tolist() == [False]


def test_what_a_storage_said_is_not_repeated_for_it_may_hold_a_secret() -> None:
    error = LabError("the remote could not be asked for 0a1b: https://name:secret@host/x refused. Cure: look at it.")
    assert briefly(error) == "the remote could not be asked for 0a1b"


def test_a_terminal_obeys_nothing_from_a_repository() -> None:
    assert "\x1b" not in printable("\x1b]0;title\x07 \u202e text")


def test_stages_of_foreach_are_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("names: {a: 1, b: 2}\nlist: [x]\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n"
        "  train: {foreach: '${names}', do: {cmd: 'train ${key} ${names.a}'}}\n"
        "  each: {foreach: [1, 2], do: {cmd: 'each ${item}'}}\n"
        "  last: {cmd: 'last ${unknown}'}\n"
    )
    assert commands_of(Snapshot(WORKSPACE, None, tmp_path)) == {
        "train@a": "train a 1",
        "train@b": "train b 1",
        "each@1": "each 1",
        "each@2": "each 2",
        "last": "last ${unknown}",
    }


def test_git_is_asked_once_for_many_files(tmp_path: Path) -> None:
    contents = {"a b.txt": b"one\n\ntwo", "empty": b"", "line missing": b"x\0\xff"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    run(["git", "init", "--quiet"], cwd=tmp_path)
    commit_all(tmp_path, "files")
    asked = ["a b.txt", "no such", "empty", "blob missing", "line missing"]
    assert contents_at("HEAD", asked, root=tmp_path) == contents


def windows_of(*moments: int) -> tuple[Predictions, Predictions]:
    """Return two revisions' predictions of 500 customers, the same rows at each moment."""
    rng = np.random.default_rng(46)
    features = features_of(rng, 500)
    described = FeatureSchema.model_validate({**schema(), "moment": "moment"})
    found = []
    for _ in range(2):
        table = predictions_of(rng, features)
        dated = [table.append_column("moment", [[moment] * 500]) for moment in moments]
        found.append(Predictions(pa.concat_tables(dated), {"champion": 0.5, "challenger": 0.5}, described))
    return found[0], found[1]


def test_revisions_are_compared_by_customer(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    store = Store(Snapshot("here", None, tmp_path), Objects(tmp_path))

    def judged(*moments: int) -> tuple[str, dict[str, Judged]]:
        base, head = windows_of(*moments)
        matched = match_rows(base, head, stores=(store, store))
        _, tested, further = judge_model(
            "challenger",
            base,
            head,
            matched,
            settings=ComparisonParams.model_validate(ABTEST),
            seed=1,
            money=Money(benefit_of_true_positive=100),
        )
        return rows_of_units(matched.rows), {each.metric: each for each in (*tested, *further)}

    (alone, once), (repeated, by_unit) = judged(1), judged(1, 2, 3, 4)
    assert (alone, repeated) == ("500 rows", "2,000 rows of 500 units")
    for metric, seen in by_unit.items():
        widths = [(found.high or 0) - (found.low or 0) for found in (seen, once[metric])]
        assert widths[0] == pytest.approx(widths[1], rel=0.06), metric
        assert "by unit" in seen.test

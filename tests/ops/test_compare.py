"""What the verb compare says of two revisions of a project with a past."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from lab.abtest.compare_models import METRICS
from lab.core.errors import LabError
from lab.core.result_files import json_bytes
from ops.compare.compare import compare_revisions
from ops.compare.comparison import Comparison
from ops.compare.differences import NET
from ops.compare.document import document_of
from ops.compare.facts import advice_of, facts_of
from ops.compare.freshness import stale_stages
from ops.compare.predicted import Store, predictions_of
from ops.compare.render import to_text
from ops.report.page import report_of
from ops.revisions.objects import Objects
from ops.revisions.snapshot import snapshot_of
from tests.history import history_of
from tests.ops.revised import FEATURES, PREDICTIONS, cached, output_table, parquet, pushed, recorded, revision
from tests.project import ROOT, run

CUSTOMERS = "data/raw/customers.parquet"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shared project: to look at only."""
    return history_of(tmp_path_factory)


@pytest.fixture(scope="module")
def project(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which each test may make branches of its own."""
    return Path(shutil.copytree(past, tmp_path_factory.mktemp("compare") / "project", symlinks=True))


@pytest.fixture
def doomed(past: Path, tmp_path: Path) -> Path:
    """Return a project that may lose objects."""
    return Path(shutil.copytree(past, tmp_path / "project", symlinks=True))


@pytest.fixture(scope="module")
def worse(past: Path) -> Comparison:
    return compare_revisions("first", "worse", root=past)


def ops(*arguments: str, cwd: Path, check: bool = True, **environment: str) -> tuple[int, str, str]:
    """Run a verb of this repository on another; return its exit code and what it printed."""
    command = ["python", "-P", "-m", "ops", *arguments]
    done = run(command, cwd=cwd, check=check, environment={"PYTHONPATH": str(ROOT), **environment})
    return done.returncode, done.stdout, done.stderr


def test_a_poor_candidate_is_worse_and_the_exit_code_says_so(past: Path, worse: Comparison) -> None:
    code, printed, _ = ops("compare", "first", "worse", "--json", cwd=past, check=False)
    assert code == 1
    assert json.loads(printed)["primary"]["word"] == "worse"
    assert printed == json_bytes(document_of(worse)).decode()  # the same bytes in another process


def test_the_table_says_what_to_do_and_what_went_in(worse: Comparison) -> None:
    table = to_text(worse)
    assert "STOP: ROC AUC of the challenger is worse" in table
    assert "train.candidates.stump: added" in table
    assert "the same data: every fingerprint is equal" in table


def test_a_better_head_exits_with_0(past: Path) -> None:
    code, printed, _ = ops("compare", "first", "main", cwd=past)
    assert code == 0
    assert "the challenger's predictions are the same, row by row" in printed


def test_a_name_that_is_no_revision_is_the_users_mistake(past: Path) -> None:
    code, _, message = ops("compare", "no-such-branch", cwd=past, check=False)
    assert code == 2
    assert "'no-such-branch' is no revision of this repository" in message


def test_every_metric_is_as_scikit_learn_has_it(past: Path, worse: Comparison) -> None:
    tables = [_predictions_at(past, name) for name in ("first", "worse")]
    labels = [table["label"].to_numpy() for table in tables]
    scores = [table["challenger_score"].to_numpy() for table in tables]
    expected = {
        "roc_auc": [roc_auc_score(*each) for each in zip(labels, scores, strict=True)],
        "average_precision": [average_precision_score(*each) for each in zip(labels, scores, strict=True)],
        "accuracy": [np.mean((s >= 0.5) == (y == 1)) for y, s in zip(labels, scores, strict=True)],
    }
    seen = {each.metric: each for each in (*worse.metrics.challenger.tested, *worse.metrics.challenger.further)}
    for metric, (base, head) in expected.items():
        assert (seen[metric].base, seen[metric].head) == pytest.approx((base, head))
        assert seen[metric].difference == pytest.approx(head - base)


def test_every_metric_and_the_money_are_what_evaluate_wrote(past: Path, worse: Comparison) -> None:
    for name, side in (("first", "base"), ("worse", "head")):
        written = snapshot_of(name, root=past).result("metrics/evaluate.json")["challenger"]["test"]
        expected = {**{metric: written[metric] for metric in METRICS}, NET: written["net_cents_per_row"] / 100}
        tested = (*worse.metrics.challenger.tested, *worse.metrics.challenger.further)
        seen = {each.metric: getattr(each, side) for each in tested}
        assert {metric: seen[metric] for metric in expected} == pytest.approx(expected, rel=1e-5)


def test_every_metric_has_an_interval_and_a_corrected_p_value(worse: Comparison) -> None:
    assert sorted(each.metric for each in worse.metrics.challenger.tested) == sorted(METRICS)
    for each in worse.metrics.challenger.tested:
        assert None not in (each.low, each.high, each.p_value, each.p_adjusted)
        assert each.p_adjusted >= each.p_value  # type: ignore[operator]


def test_swapping_the_revisions_turns_the_signs(past: Path, worse: Comparison) -> None:
    back = compare_revisions("worse", "first", root=past)
    for there, here in zip(worse.metrics.challenger.tested, back.metrics.challenger.tested, strict=True):
        assert there.difference == pytest.approx(-here.difference)  # type: ignore[operator]
    assert back.metrics.primary(back.settings).word == "better"


def test_a_revision_beside_itself_has_the_same_predictions(past: Path) -> None:
    found = compare_revisions("first", "main", root=past)
    assert {each.word for each in found.metrics.challenger.tested} == {"the same predictions"}
    assert {each.p_value for each in found.metrics.challenger.tested} == {1.0}
    assert not found.worse
    assert found.inputs.data.same
    assert found.inputs.params == ()
    assert found.inputs.code.touched == found.plots.changed == ()


def test_rows_are_matched_by_key_and_not_by_position(project: Path, worse: Comparison) -> None:
    table = output_table_at(project, "worse", PREDICTIONS)
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    revision(project, "shuffled", of="worse", outputs={PREDICTIONS: parquet(shuffled)})
    found = compare_revisions("first", "shuffled", root=project)
    assert found.metrics.rows is not None
    assert found.metrics.rows.same
    assert [each.difference for each in found.metrics.challenger.tested] == pytest.approx(
        [each.difference for each in worse.metrics.challenger.tested]
    )


def test_rows_that_are_not_in_both_are_left_out_and_counted(project: Path) -> None:
    table = output_table_at(project, "worse", PREDICTIONS)
    revision(project, "fewer", of="worse", outputs={PREDICTIONS: parquet(table.slice(50))})
    found = compare_revisions("first", "fewer", root=project)
    rows = found.metrics.rows
    assert rows is not None
    assert not rows.same
    assert (rows.only_in_base, rows.only_in_head, rows.compared) == (50, 0, table.num_rows - 50)
    assert "the test rows differ" in found.metrics.untested
    assert {each.word for each in found.metrics.challenger.untested} == {"untested"}


def test_a_row_whose_label_differs_is_never_compared(project: Path) -> None:
    table = output_table_at(project, "worse", PREDICTIONS)
    flipped = np.where(np.arange(table.num_rows) < 7, 1 - table["label"].to_numpy(), table["label"].to_numpy())
    other = table.set_column(table.column_names.index("label"), "label", pa.array(flipped, pa.int8()))
    revision(project, "relabelled", of="worse", outputs={PREDICTIONS: parquet(other)})
    rows = compare_revisions("first", "relabelled", root=project).metrics.rows
    assert rows is not None
    assert (rows.labels_differ, rows.compared) == (7, table.num_rows - 7)


def test_where_rows_differ_those_with_other_features_are_left_out_too(project: Path) -> None:
    table, features = (output_table_at(project, "first", path) for path in (PREDICTIONS, FEATURES))
    moved = pc.if_else(pa.array(np.arange(features.num_rows) < 60), 0.123, features["recency_days"])
    outputs = {
        PREDICTIONS: parquet(table.slice(50)),
        FEATURES: parquet(features.set_column(features.column_names.index("recency_days"), "recency_days", moved)),
    }
    revision(project, "moved", outputs=outputs)
    rows = compare_revisions("first", "moved", root=project).metrics.rows
    assert rows is not None
    assert (rows.in_both, rows.features_differ, rows.compared) == (table.num_rows - 50, 10, table.num_rows - 60)


def test_features_of_the_same_rows_are_told_from_the_data_that_they_come_of(project: Path) -> None:
    features = output_table_at(project, "first", FEATURES)
    changed = features.set_column(features.column_names.index("trend"), "trend", pc.add(features["trend"], 1.0))
    revision(project, "made", outputs={FEATURES: parquet(changed)})
    sales = output_table(project, "data/prepared/sales.parquet")
    revision(project, "given", of="made", outputs={"data/prepared/sales.parquet": parquet(sales.slice(1))})
    for name, features_are, inputs_changed in (("made", "made otherwise", False), ("given", "of other data", True)):
        found = compare_revisions("first", name, root=project)
        assert found.metrics.rows is not None
        assert found.metrics.rows.same
        assert found.metrics.rows.features == features_are
        assert facts_of(found).other_inputs is inputs_changed


def test_where_rows_differ_and_features_cannot_be_had_it_says_so(doomed: Path) -> None:
    table, features = (output_table_at(doomed, "first", path) for path in (PREDICTIONS, FEATURES))
    revision(doomed, "lost", outputs={PREDICTIONS: parquet(table.slice(50)), FEATURES: parquet(features.slice(1))})
    forget(doomed, recorded(doomed, FEATURES))
    rows = compare_revisions("first", "lost", root=doomed).metrics.rows
    assert rows is not None
    assert rows.features_differ is None
    assert "their features may differ" in rows.note


def test_predictions_that_nobody_has_leave_plain_differences(doomed: Path) -> None:
    run(["git", "checkout", "--quiet", "worse"], cwd=doomed)
    forget(doomed, recorded(doomed, PREDICTIONS))
    run(["git", "checkout", "--quiet", "main"], cwd=doomed)
    found = compare_revisions("first", "worse", root=doomed)
    assert found.metrics.untested.endswith("is neither in the cache nor on the remote (at worse)")
    assert "python -m ops derive first worse --output data/predictions" in to_text(found)
    assert not found.metrics.challenger.tested
    assert found.metrics.primary(found.settings).word == "untested"
    assert found.metrics.primary(found.settings).difference is not None


def test_predictions_that_are_damaged_are_not_compared(doomed: Path) -> None:
    run(["git", "checkout", "--quiet", "worse"], cwd=doomed)
    for place in (cached, pushed):
        path = place(doomed, recorded(doomed, PREDICTIONS))
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    run(["git", "checkout", "--quiet", "main"], cwd=doomed)
    found = compare_revisions("first", "worse", root=doomed)
    assert "is damaged in the cache and in the remote" in found.metrics.untested


def test_a_fresh_clone_streams_what_it_needs_and_keeps_nothing(past: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run(["git", "clone", "--quiet", str(past), str(clone)], cwd=tmp_path)
    run(["dvc", "config", "--local", "remote.storage.url", str(past / ".dvc/storage")], cwd=clone)
    found = compare_revisions("first", "origin/worse", root=clone)
    assert found.metrics.primary(found.settings).word == "worse"
    assert not (clone / "data/predictions").exists()
    assert not [path for path in (clone / ".dvc/cache").rglob("*") if path.is_file()]


def test_the_working_tree_is_the_head_unless_one_is_named(doomed: Path) -> None:
    run(["git", "checkout", "--quiet", "worse"], cwd=doomed)
    run(["dvc", "checkout", "--quiet"], cwd=doomed)
    found = compare_revisions("first", "workspace", root=doomed)
    assert found.head.commit is None
    assert found.metrics.primary(found.settings).word == "worse"


def test_a_setting_that_did_not_run_makes_the_head_stale(project: Path) -> None:
    revision(project, "stale", params={"train.candidates.forest.settings.trees": 21})
    found = compare_revisions("first", "stale", root=project)
    assert next(each.stage for each in found.head.stale) == "train@forest"
    assert advice_of(found).do == "stop"
    assert "train@forest" in advice_of(found).reasons[0].names


def test_code_and_results_changed_by_hand_make_the_head_stale(project: Path) -> None:
    metrics = (project / "metrics/evaluate.json").read_text().replace("0.8", "0.9", 1)
    code = (project / "lab/explain/walks.py").read_text() + "\n"
    revision(project, "edited", files={"metrics/evaluate.json": metrics, "lab/explain/walks.py": code})
    stale = {each.stage: each.differs for each in compare_revisions("first", "edited", root=project).head.stale}
    assert "metrics/evaluate.json, which it wrote" in stale["evaluate"]
    assert stale["explain"] == ("lab/explain",)


def test_what_dvc_calls_fresh_is_not_called_stale(past: Path) -> None:
    objects = Objects(past)
    for name in ("first", "worse", "other", "workspace"):
        assert stale_stages(Store(snapshot_of(name, root=past), objects)) == ()


def test_touched_stages_are_those_whose_rooms_differ(project: Path) -> None:
    path = "lab/select/leaderboard.py"
    revision(project, "touched", files={path: (project / path).read_text() + "\n"})
    code = compare_revisions("first", "touched", root=project).inputs.code
    assert code.touched == ("select",)
    assert [(each.path, each.stages) for each in code.files] == [(path, ("select",))]


def test_packages_that_changed_are_named_with_their_versions(project: Path) -> None:
    text = (project / "requirements.txt").read_text()
    line = next(line for line in text.splitlines() if line.startswith("scipy=="))
    revision(project, "packages", files={"requirements.txt": text.replace(line, "scipy==1.0.0 \\")})
    (change,) = compare_revisions("first", "packages", root=project).inputs.code.packages
    assert (change.name, change.kind) == ("scipy", "changed")
    assert change.new.startswith("1.0.0, ")


def test_another_task_is_not_compared(project: Path) -> None:
    revision(project, "task", params={"task": "high_value_sale"})
    found = compare_revisions("first", "task", root=project)
    assert found.metrics.untested == "the task is another one"
    assert not found.metrics.challenger.tested


def test_a_moved_yardstick_is_seen(project: Path) -> None:
    revision(project, "lenient", params={"abtest.margins.roc_auc": 0.5})
    advice = advice_of(compare_revisions("first", "lenient", root=project))
    assert any("abtest.margins.roc_auc" in reason.names for reason in advice.reasons) or advice.do == "stop"


def test_results_that_the_base_alone_has_are_counted(past: Path, worse: Comparison) -> None:
    assert compare_revisions("other", "worse", root=past).base_is_ahead == 1
    assert worse.base_is_ahead == 0


def test_what_the_base_changed_since_the_branch_point_is_not_the_heads_doing(project: Path) -> None:
    path = "lab/select/leaderboard.py"
    code = {path: (project / path).read_text() + "\n"}
    revision(project, "moved-on", params={"select.margin": 0.5, "evaluate.resamples": 777}, files=code)
    revision(project, "mine", params={"select.significance": 0.04, "evaluate.resamples": 555})
    found = compare_revisions("moved-on", "mine", root=project)
    assert {change.name for change in found.inputs.params} == {"select.significance", "evaluate.resamples"}
    assert 777 not in {change.old for change in found.inputs.params}
    assert found.inputs.code.files == ()
    assert found.branch_point == run(["git", "rev-parse", "first"], cwd=project).stdout.strip()
    assert "both went on since" in to_text(found)
    assert "both went on since" in report_of(found)


def test_an_older_head_is_compared_with_the_base_itself(project: Path) -> None:
    revision(project, "newer", params={"select.margin": 0.25})
    found = compare_revisions("newer", "first", root=project)
    assert found.branch_point is None
    assert [change.name for change in found.inputs.params] == ["select.margin"]


def test_settings_that_cannot_be_read_are_the_users_mistake(project: Path) -> None:
    revision(project, "broken", params={"abtest.primary": "no_such_metric"})
    with pytest.raises(LabError, match=r"params\.yaml at broken: abtest"):
        compare_revisions("first", "broken", root=project)


def output_table_at(project: Path, name: str, path: str) -> pa.Table:
    """Return a table among the outputs of a revision, and leave main checked out."""
    run(["git", "checkout", "--quiet", name], cwd=project)
    table = output_table(project, path)
    run(["git", "checkout", "--quiet", "main"], cwd=project)
    return table


def test_too_many_changed_rows_of_a_raw_table_are_a_reason_to_stop(project: Path) -> None:
    table = output_table_at(project, "first", CUSTOMERS)
    place = table.column_names.index("channel")
    few, many = (
        table.set_column(
            place, "channel", pc.if_else(pa.array(np.arange(table.num_rows) < rows), "phone", table["channel"])
        )
        for rows in (10, 400)
    )
    for name, changed in (("few", few), ("many", many)):
        revision(project, name, outputs={CUSTOMERS: parquet(changed)})
    found = compare_revisions("first", "few", root=project)
    (change,) = found.inputs.data.raw
    assert (change.table, change.changed, change.only_in_base, change.only_in_head) == ("customers", 10, 0, 0)
    assert [(each.name, each.cells) for each in change.columns] == [("channel", 10)]
    assert not found.worse
    assert "✓ `customers`:" in report_of(found)
    found = compare_revisions("first", "many", root=project)
    assert found.worse
    assert found.inputs.data.raw[0].share == 400 / table.num_rows
    reason = "more rows of a raw table changed or were removed than compare.most_rows_changed permits: customers"
    assert reason in advice_of(found).reasons[-2].to_text()
    assert "data/raw/customers: " in to_text(found)
    document = document_of(found)["inputs"]["data"]["raw"][0]
    assert (document["columns"][0]["cells"], document["verdict"]) == (400, "failed")
    raised = {"compare.most_rows_changed": 0.9}
    found = compare_revisions("first", revision(project, "raised", of="many", params=raised), root=project)
    assert not found.worse
    assert "compare.most_rows_changed" in facts_of(found).yardstick


def test_rows_of_a_raw_table_that_nobody_has_come_back_by_the_command_shown(doomed: Path) -> None:
    table = output_table(doomed, CUSTOMERS)
    revision(doomed, "shorter", outputs={CUSTOMERS: parquet(table.slice(1))})
    run(["git", "checkout", "--quiet", "main"], cwd=doomed)
    listing = json.loads(cached(doomed, recorded(doomed, "data/raw")).read_bytes())
    forget(doomed, next(each["md5"] for each in listing if each["relpath"] == "customers.parquet"))
    found = compare_revisions("first", "shorter", root=doomed)
    assert found.inputs.data.raw == ()
    assert facts_of(found).rows_unknown == ("customers",)
    (command,) = re.findall("`(python -m ops derive .*)` gets it", report_of(found))
    run([*command.split()], cwd=doomed)
    (change,) = compare_revisions("first", "shorter", root=doomed).inputs.data.raw
    assert (change.only_in_base, change.changed) == (1, 0)


def forget(project: Path, md5: str) -> None:
    """Lose an object, in the cache and on the remote."""
    for place in (cached, pushed):
        place(project, md5).unlink()


def _predictions_at(past: Path, name: str) -> pa.Table:
    return predictions_of(Store(snapshot_of(name, root=past), Objects(past))).table

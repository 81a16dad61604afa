"""Stages evaluate and validate on small tables: outputs, groups, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from ruamel.yaml import YAML
from sklearn.metrics import f1_score, roc_auc_score

from lab.core.errors import ModelError, SourceError
from lab.core.result_files import document_of
from lab.core.schema import load_schema
from lab.core.tables import read_table, write_table
from lab.model_files.specification import Specification
from lab.models.models import load_model, save_model
from lab.models.scoring import score_rows
from lab.stats.core.classification import METRICS
from lab.task.money import Money
from lab.train.threshold import ThresholdRule
from lab.train.training import Rules, train_model
from stages import evaluate, validate
from tests.project import files_below
from tests.tables import make_features
from tests.test_templates import PLOTS, ROOT

PARAMS: dict[str, Any] = {
    "seed": 3,
    "evaluate": {"resamples": 200, "smallest_group": 50},
    "validate": {
        "floors": {"accuracy": 0.6, "precision": 0.5, "recall": 0.4, "f1": 0.5, "roc_auc": 0.6},
        "calibration_error": 0.2,
        "accuracy_gap": 0.1,
        "smallest_group": 50,
        "robustness": {"noise": [0.01, 0.1], "accuracy_loss": 0.1, "repeats": 2},
        "champion": {"margin": 0.05, "resamples": 200},
    },
}
MONEY = {"benefit_of_true_positive": 2500, "cost_of_false_positive": 800}
SPECIFICATIONS = {
    "champion": Specification(estimator="logistic_regression", features=("visits",)),
    "challenger": Specification(estimator="logistic_regression"),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the outputs of the earlier stages: features, two models, sections of the task."""
    folder = tmp_path_factory.mktemp("prepared")
    schema = make_features(folder / "data/features", rows=600)
    table = read_table(folder / "data/features/train.parquet")
    for name, specification in SPECIFICATIONS.items():
        trained = train_model(
            table,
            schema,
            specification,
            rules=Rules(folds=3, threshold=ThresholdRule(rule="best_f1"), money=Money(), seed=1),
            where=name,
        )
        (folder / "models" / name).mkdir(parents=True)
        save_model(trained.model, folder / "models" / name)
    write(folder / "data/task/money.json", {"money": MONEY})
    write(folder / "data/task/gates.json", {"gates": {}})
    write_params(folder, PARAMS)
    return folder


@pytest.fixture
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in files_below(prepared).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_params(folder: Path, params: dict[str, Any]) -> None:
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump(params, stream)


def read(path: str) -> Any:
    return document_of(json.loads(Path(path).read_text()))


def refuse(word: str) -> None:
    raise AssertionError(f"found {word}, which JSON does not know")


def run_both() -> None:
    evaluate.main()
    validate.main()


def test_predictions_contain_every_row_with_the_scores_of_both_models(project: Path) -> None:
    evaluate.main()
    for window in ("train", "test", "current"):
        rows = read_table(Path(f"data/features/{window}.parquet"))
        found = read_table(Path(f"data/predictions/{window}.parquet"))
        assert found.column_names == [
            *("customer_id", "moment", "gender", "label"),
            *("champion_score", "challenger_score"),
        ]
        assert found.select(["customer_id", "moment"]) == rows.select(["customer_id", "moment"])
        for model in SPECIFICATIONS:
            expected = score_rows(load_model(Path("models") / model), rows)
            assert np.array_equal(found[f"{model}_score"].to_numpy(), expected)


def test_metrics_are_those_of_the_predictions(project: Path) -> None:
    evaluate.main()
    rows, models = read_table(Path("data/predictions/test.parquet")), read("data/predictions/models.json")
    labels = rows["label"].to_numpy()
    for model in SPECIFICATIONS:
        scores = rows[f"{model}_score"].to_numpy()
        found = read("metrics/evaluate.json")[model]["test"]
        assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-5)
        assert found["f1"] == pytest.approx(f1_score(labels, scores >= models[model]["threshold"]), abs=1e-5)
        low, high = found["roc_auc_95"]
        assert low < found["roc_auc"] < high


def test_training_rows_are_named_in_sample(project: Path) -> None:
    evaluate.main()
    found = read("metrics/evaluate.json")
    assert set(found["challenger"]) == {"threshold", "test", "current", "train_in_sample"}
    assert found["rows"] == {"train_in_sample": 600, "test": 240, "current": 240}


def test_models_are_described_with_all_digits_of_their_thresholds(project: Path) -> None:
    evaluate.main()
    found = read("data/predictions/models.json")
    assert found["champion"]["threshold"] == load_model(Path("models/champion")).threshold
    assert found["champion"]["estimator"] == "logistic_regression"


def test_points_are_few_and_finite_and_have_the_same_fields(project: Path) -> None:
    evaluate.main()
    for path in Path("plots/evaluate").glob("*.json"):
        rows = json.loads(path.read_text(), parse_constant=refuse)
        assert len({tuple(row) for row in rows}) == 1, path
        curves = [(row.get("window"), row["model"]) for row in rows if "threshold" in row]
        assert all(curves.count(curve) <= 200 for curve in set(curves)), path


@pytest.mark.parametrize("name", [name for name, plot in PLOTS.items() if "evaluate" in str(plot["y"])])
def test_every_field_of_a_template_is_in_the_points(project: Path, name: str) -> None:
    evaluate.main()
    ((path, y),), ((_, x),) = PLOTS[name]["y"].items(), PLOTS[name]["x"].items()
    template = json.loads((ROOT / f".dvc/plots/{PLOTS[name]['template']}.json").read_text())
    made = set(values_of(template, "as")) | {"rev"}
    drawn = {field for field in values_of(template, "field") if not field.startswith("<DVC")} | {x, y}
    assert drawn - made <= set(read(path)[0])


def values_of(part: Any, key: str) -> Iterator[str]:
    """Yield every text under a key, at any depth."""
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == key and isinstance(value, str))
    for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from values_of(item, key)


def test_running_again_writes_the_same_bytes(project: Path) -> None:
    run_both()
    before = files_below(project)
    run_both()
    assert files_below(project) == before


def judged(name: str) -> dict[str, Any]:
    """Return one gate of the verdict."""
    found: dict[str, dict[str, Any]] = {gate["gate"]: gate for gate in read("metrics/validate.json")["gates"]}
    return found[name]


def test_every_gate_has_a_reason_and_the_verdict_names_the_failed_ones(project: Path) -> None:
    run_both()
    verdict = read("metrics/validate.json")
    assert {gate["gate"] for gate in verdict["gates"]} == {
        *("accuracy", "precision", "recall", "f1", "roc_auc", "calibration_error", "accuracy_gap_gender"),
        *("accuracy_loss_at_noise_0_01", "accuracy_loss_at_noise_0_1", "accuracy_loss_at_missing_0_1"),
        *("calibration_gap_gender", "roc_auc_against_champion", "roc_auc_above_chance"),
        *("precision_over_base_rate", "gain_over_acting_on_none_or_all"),
    }
    assert all(gate["reason"] for gate in verdict["gates"])
    assert verdict["failed"] == [gate["gate"] for gate in verdict["gates"] if gate["verdict"] == "failed"]
    assert verdict["passed"] is (not verdict["failed"])
    assert len(Path("plots/validate/gates.csv").read_text().splitlines()) == 20


def test_the_gap_between_groups_is_that_of_the_decisions(project: Path) -> None:
    run_both()
    rows, threshold = read_table(Path("data/predictions/test.parquet")), load_model(Path("models/challenger")).threshold
    right = (rows["challenger_score"].to_numpy() >= threshold) == (rows["label"].to_numpy() == 1)
    female = np.array(rows["gender"].to_pylist()) == "female"
    gate = judged("accuracy_gap_gender")
    assert gate["value"] == pytest.approx(abs(right[female].mean() - right[~female].mean()), abs=1e-5)


def test_results_name_the_units_behind_the_rows(project: Path) -> None:
    run_both()
    found, verdict = read("metrics/evaluate.json"), read("metrics/validate.json")
    tables = {name: read_table(Path(f"data/predictions/{name}.parquet")) for name in ("test", "current")}
    for name, table in tables.items():
        assert found["rows"][name] == table.num_rows
        assert found["units"][name] == len(set(table["customer_id"].to_pylist()))
    assert found["units"]["test"] < found["rows"]["test"]
    assert (verdict["rows"], verdict["units"]) == (found["rows"]["test"], found["units"]["test"])
    groups = [row for row in read("plots/evaluate/groups.json") if row["window"] == "test"]
    assert all(0 < row["units"] < row["rows"] for row in groups)


def test_plots_show_the_held_out_windows(project: Path) -> None:
    evaluate.main()
    for name in ("roc", "lift", "calibration", "confusion", "scores", "benefit", "groups"):
        assert {row["window"] for row in read(f"plots/evaluate/{name}.json")} == {"test", "current"}
    windows = {row["window"] for row in read("plots/evaluate/metrics.json")}
    assert windows == {"train_in_sample", "test", "current"}


def test_a_challenger_with_more_features_is_not_worse(project: Path) -> None:
    run_both()
    gate = judged("roc_auc_against_champion")
    assert gate["verdict"] == "passed"
    assert gate["value"] > 0.03


def test_a_floor_out_of_reach_fails_the_verdict_without_failing_the_stage(project: Path) -> None:
    write_params(
        project,
        {**PARAMS, "validate": {**PARAMS["validate"], "floors": {**PARAMS["validate"]["floors"], "accuracy": 0.99}}},
    )
    run_both()
    assert "accuracy" in read("metrics/validate.json")["failed"]


def test_a_floor_of_the_task_comes_before_that_of_the_params(project: Path) -> None:
    write(project / "data/task/gates.json", {"gates": {"accuracy": 0.99}})
    run_both()
    assert judged("accuracy")["threshold"] == 0.99
    assert judged("recall")["threshold"] == 0.4
    assert "accuracy" in read("metrics/validate.json")["failed"]


@pytest.mark.parametrize("label", [0, 1])
def test_a_window_of_one_class_has_undefined_metrics_with_a_reason(project: Path, label: int) -> None:
    rows = read_table(Path("data/features/test.parquet"))
    rows = rows.set_column(
        rows.column_names.index("label"), "label", pa.array(np.full(rows.num_rows, label, dtype=np.int8))
    )
    write_table(rows, Path("data/features/test.parquet"))
    run_both()
    found = read("metrics/evaluate.json")
    assert found["challenger"]["test"]["roc_auc"] is None
    assert found["challenger"]["test"]["roc_auc_95"] is None
    assert found["challenger"]["test"]["accuracy"] is not None
    assert len(found["undefined"]) == 1
    assert {"roc_auc", "roc_auc_against_champion"} <= set(read("metrics/validate.json")["failed"])


def test_an_empty_window_is_accepted(project: Path) -> None:
    rows = read_table(Path("data/features/current.parquet"))
    write_table(rows.slice(0, 0), Path("data/features/current.parquet"))
    run_both()
    assert read("metrics/evaluate.json")["challenger"]["current"]["accuracy"] is None


def change(window: str, name: str, values: Any) -> None:
    """Put other values into a column of the feature rows of a window."""
    path = Path(f"data/features/{window}.parquet")
    rows = read_table(path)
    write_table(rows.set_column(rows.column_names.index(name), name, pa.array(values)), path)


def test_money_is_in_the_currency_of_the_task(project: Path) -> None:
    write(project / "data/task/money.json", {"money": {**MONEY, "currency": "CHF"}})
    evaluate.main()
    rows, found = read_table(Path("data/predictions/test.parquet")), read("metrics/evaluate.json")
    decided = rows["challenger_score"].to_numpy() >= read("data/predictions/models.json")["challenger"]["threshold"]
    net = np.sum(decided * np.where(rows["label"].to_numpy() == 1, 25, -8))
    (net_figure,) = [each for each in found["challenger"]["test"]["money"] if each["figure"] == "net"]
    assert net_figure["total"] == pytest.approx(net)
    assert net_figure["per_row"] == pytest.approx(net / 240, rel=1e-5)
    assert net_figure["total_95"][0] < net < net_figure["total_95"][1]
    assert found["currency"] == "CHF"
    assert {row["currency"] for row in read("plots/evaluate/benefit.json")} == {"CHF"}


def test_a_group_without_training_rows_is_named(project: Path) -> None:
    change("current", "gender", ["other"] * 60 + ["female", "male"] * 90)
    run_both()
    assert read("metrics/evaluate.json")["groups_not_in_training"] == ["gender: other"]
    notes = {(row["window"], row["level"]): row["note"] for row in read("plots/evaluate/groups.json")}
    assert "not in the training rows" in notes["current", "other"]
    assert notes["test", "female"] == ""


def test_every_group_has_every_metric(project: Path) -> None:
    evaluate.main()
    rows = read("plots/evaluate/groups.json")
    groups = {(row["window"], row["level"], row["model"]) for row in rows}
    assert len(groups) == 8
    for group in groups:
        assert {row["metric"] for row in rows if (row["window"], row["level"], row["model"]) == group} >= set(METRICS)


def test_a_group_column_without_a_value_is_one_group(project: Path) -> None:
    for window in ("train", "test", "current"):
        size = read_table(Path(f"data/features/{window}.parquet")).num_rows
        change(window, "gender", pa.nulls(size, pa.string()))
    run_both()
    assert {row["level"] for row in read("plots/evaluate/groups.json")} == {"missing"}
    assert read("metrics/evaluate.json")["groups_not_in_training"] == []
    assert judged("accuracy_gap_gender")["reason"].startswith("nothing to compare")


def test_a_model_with_constant_scores_is_measured(project: Path) -> None:
    for name in ("visits", "amount"):
        change("test", name, [4] * 240 if name == "visits" else pa.nulls(240, pa.float64()))
    evaluate.main()
    found = read("metrics/evaluate.json")["champion"]["test"]  # it knows the visits only
    assert found["roc_auc"] == 0.5
    assert found["roc_auc_95"] == [0.5, 0.5]
    assert found["recall"] in {0, 1}


def test_training_rows_of_one_class_do_not_affect_other_windows(project: Path) -> None:
    change("train", "label", np.zeros(600, dtype=np.int8))
    evaluate.main()
    found = read("metrics/evaluate.json")
    assert found["undefined"] == [
        "train_in_sample: average_precision, balanced_accuracy, f1, recall, roc_auc undefined (600 rows, 0 positive)"
    ]
    assert found["challenger"]["test"]["roc_auc"] is not None


def test_a_damaged_model_is_refused_and_outputs_stay_unchanged(project: Path) -> None:
    evaluate.main()
    before = files_below(project)
    path = project / "models/challenger/pipeline.skops"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="fingerprint"):
        evaluate.main()
    assert files_below(project) == {**before, "models/challenger/pipeline.skops": path.read_bytes()}


def test_predictions_of_other_rows_are_refused(project: Path) -> None:
    evaluate.main()
    rows = read_table(Path("data/features/test.parquet"))
    write_table(rows.slice(1), Path("data/features/test.parquet"))
    with pytest.raises(SourceError, match="are not the 239 rows of data/features"):
        validate.main()


@pytest.mark.parametrize("content", ["[]", "{}", '{"challenger": {}}', "broken"])
def test_metrics_without_the_challenger_are_refused(project: Path, content: str) -> None:
    evaluate.main()
    Path("metrics/evaluate.json").write_text(content)
    with pytest.raises(SourceError, match="has no metrics of the challenger on the window test"):
        validate.main()


def test_the_schema_defines_which_groups_are_measured(project: Path) -> None:
    evaluate.main()
    groups = {row["group"] for row in read("plots/evaluate/groups.json")}
    assert groups == set(load_schema().groups)

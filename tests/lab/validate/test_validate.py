"""Stage validate on bad input: a verdict with reasons, or an error with its cure."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ruamel.yaml import YAML

from lab.core.errors import ParamsError, SourceError
from lab.core.result_files import document_of, read_result, write_json
from lab.core.tables import read_table, write_table
from lab.models.models import save_model
from lab.models.scoring import score_rows
from lab.pages.gate_marks import MARKS, RULES
from stages import evaluate, validate
from tests.fitted import model_of
from tests.project import ROOT, files_below
from tests.tables import make_features

TEST, TRAIN = Path("data/features/test.parquet"), Path("data/features/train.parquet")
VALIDATE: dict[str, Any] = {
    "floors": {"accuracy": 0.6, "precision": 0.5, "recall": 0.3, "f1": 0.4, "roc_auc": 0.6},
    "calibration_error": 0.2,
    "accuracy_gap": 0.15,
    "selection_ratio": 0.5,
    "recall_gap": 0.3,
    "precision_gap": 0.3,
    "calibration_gap": 0.2,
    "smallest_group": 30,
    "robustness": {"noise": [0.05], "missing": [0.1], "accuracy_loss": 0.15, "repeats": 2, "most_rows": 5000},
    "champion": {"margin": 0.05, "resamples": 100},
    "reported": ["selection_ratio", "unseen_category"],
}
VERDICTS = {"passed", "within noise", "failed", "not judged"}
FAIRNESS = ("accuracy_gap", "selection_ratio", "recall_gap", "precision_gap", "calibration_gap")
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the outputs of the earlier stages: features, two models, sections of the task."""
    folder = tmp_path_factory.mktemp("prepared")
    make_features(folder / "data/features", rows=900)
    for name, variant in (("champion", "naive_bayes"), ("challenger", "logistic_regression")):
        (folder / "models" / name).mkdir(parents=True)
        save_model(model_of(variant), folder / "models" / name)
    write_json(
        {"money": {"benefit_of_true_positive": 100, "cost_of_false_positive": 100}}, folder / "data/task/money.json"
    )
    write_json({"gates": {}}, folder / "data/task/gates.json")
    return folder


@pytest.fixture(autouse=True)
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in files_below(prepared).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write_params()
    return tmp_path


def write_params(**changes: Any) -> None:
    with Path("params.yaml").open("w") as stream:
        YAML().dump(
            {
                "seed": 3,
                "evaluate": {"resamples": 100, "smallest_group": 50},
                "validate": {**VALIDATE, **changes},
            },
            stream,
        )


def judge(change: Change = lambda rows: rows, *, where: Path = TEST) -> dict[str, dict[str, Any]]:
    """Change a table, run the stages, and return every gate by name."""
    write_table(change(read_table(where)), where)
    evaluate.main()
    validate.main()
    verdict = document_of(json.loads(Path("metrics/validate.json").read_text(), parse_constant=refuse))
    gates = [*verdict["gates"], *verdict["reported"]]
    for gate in gates:
        assert gate["reason"]
        assert gate["verdict"] in VERDICTS
        assert all(math.isfinite(gate[end]) for end in ("value", "low", "high") if gate[end] is not None)
    named = {word: [gate["gate"] for gate in verdict["gates"] if gate["verdict"] == word] for word in VERDICTS}
    assert (verdict["failed"], verdict["within_noise"]) == (named["failed"], named["within noise"])
    assert verdict["passed"] is not bool(verdict["failed"])
    return {gate["gate"]: gate for gate in gates}


def refuse(word: str) -> None:
    raise AssertionError(f"found {word}, which JSON does not know")


def filled(name: str, values: Any) -> Change:
    """Return a change that fills a column with one value, or with an array made from the row count."""

    def change(rows: pa.Table) -> pa.Table:
        made = values(rows.num_rows) if callable(values) else pa.array([values] * rows.num_rows, rows[name].type)
        return rows.set_column(rows.column_names.index(name), name, made)

    return change


def reasons_of(gates: dict[str, dict[str, Any]], verdict: str) -> dict[str, str]:
    return {name: gate["reason"] for name, gate in gates.items() if gate["verdict"] == verdict}


def test_a_good_model_passes_every_gate() -> None:
    gates = judge()
    assert reasons_of(gates, "failed") == {}
    assert reasons_of(gates, "not judged") == {}
    assert {name for name in gates if name.startswith(FAIRNESS)} == {f"{measure}_gender" for measure in FAIRNESS}
    assert {name for name in gates if name.startswith("accuracy_loss")} == {
        f"accuracy_loss_at_{what}" for what in ("noise_0_05", "missing_0_1", "unseen_category")
    }


SKILL = ("roc_auc_above_chance", "precision_over_base_rate", "gain_over_acting_on_none_or_all")


def test_a_model_without_skill_passes_no_gate_on_skill_and_a_removed_floor_is_not_judged() -> None:
    good = judge()
    write_params(floors={**VALIDATE["floors"], "accuracy": "none"})
    rng = np.random.default_rng(1)
    gates = judge(filled("label", lambda rows: pa.array(rng.permutation(np.arange(rows) % 2), pa.int8())))
    assert {name: good[name]["verdict"] for name in SKILL} == dict.fromkeys(SKILL, "passed")
    assert "passed" not in {gates[name]["verdict"] for name in SKILL}
    assert ("accuracy" in good, "accuracy" in gates) == (True, False)


@pytest.mark.parametrize(
    ("money", "threshold", "unjudged"), [({}, 0.5, SKILL[2]), ({"cost_of_false_positive": 1}, 1.0, SKILL[1])]
)
def test_skill_that_cannot_be_measured_is_not_judged(money: dict[str, int], threshold: float, unjudged: str) -> None:
    write_json({"money": money}, Path("data/task/money.json"))
    manifest = Path("models/challenger/manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "threshold": threshold}))
    assert unjudged in reasons_of(judge(), "not judged")


@pytest.mark.parametrize("label", [0, 1])
def test_equal_labels_fail_only_the_gates_that_need_both_classes(label: int) -> None:
    gates = judge(filled("label", label))
    failed = reasons_of(gates, "failed")
    assert failed["roc_auc"] == "undefined on these rows"
    assert failed["roc_auc_against_champion"] == "undefined on these rows: one class only"
    assert gates["accuracy"]["value"] is not None
    unjudged = reasons_of(gates, "not judged")
    assert ("recall_gap_gender" in unjudged) is (label == 0)


def test_an_empty_window_fails_every_metric_and_judges_no_comparison() -> None:
    gates = judge(lambda rows: rows.slice(0, 0))
    assert {gate["value"] for gate in gates.values()} == {None}
    assert {name for name, gate in gates.items() if gate["verdict"] == "not judged"} == {
        *(f"{measure}_gender" for measure in FAIRNESS),
        "accuracy_loss_at_unseen_category",
    }
    assert gates["roc_auc_against_champion"]["reason"] == "undefined on these rows: no row"


def test_a_group_seen_only_after_training_is_judged_and_named() -> None:
    gates = judge(filled("gender", lambda rows: pa.array(["female", "other"] * (rows // 2))))
    for measure in FAIRNESS:
        assert gates[f"{measure}_gender"]["verdict"] != "not judged"
        assert gates[f"{measure}_gender"]["reason"].endswith("; not in the training rows: other")


def test_a_missing_group_is_a_group() -> None:
    gates = judge(filled("gender", lambda rows: pa.array(["female", None] * (rows // 2))))
    assert "missing" in gates["accuracy_gap_gender"]["reason"]
    assert gates["accuracy_gap_gender"]["value"] is not None


@pytest.mark.parametrize("level", ["female", None])
def test_one_group_alone_is_not_judged(level: str | None) -> None:
    gates = judge(filled("gender", level))
    assert set(reasons_of(gates, "not judged")) == {f"{measure}_gender" for measure in FAIRNESS}
    assert gates["accuracy_gap_gender"]["reason"].startswith("nothing to compare: 1 group of at least 30 rows")


def test_a_group_for_every_row_is_too_small_to_judge_and_few_are_named() -> None:
    gates = judge(filled("gender", lambda rows: pa.array([f"group {place}" for place in range(rows)])))
    assert len(gates["accuracy_gap_gender"]["reason"]) < 1500
    assert gates["accuracy_gap_gender"]["verdict"] == "not judged"


def test_a_category_with_one_level_can_become_unseen() -> None:
    for path in (TRAIN, TEST):
        write_table(filled("region", "north")(read_table(path)), path)
    gate = judge()["accuracy_loss_at_unseen_category"]
    assert gate["reason"].endswith("; region, the worst of 1: its 360 rows on north")
    assert gate["value"] is not None


@pytest.mark.parametrize("where", [TEST, TRAIN])
@pytest.mark.parametrize("name", ["amount", "region", "senior"])
def test_a_feature_that_is_missing_in_every_row_is_accepted(where: Path, name: str) -> None:
    assert judge(filled(name, None), where=where)["accuracy_loss_at_noise_0_05"]["verdict"] == "passed"


@pytest.mark.parametrize("where", [TEST, TRAIN])
@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e308])
def test_infinite_values_are_accepted(where: Path, value: float) -> None:
    def change(rows: pa.Table) -> pa.Table:
        amounts = rows["amount"].to_numpy().copy()
        amounts[::3] = value
        return filled("amount", lambda _: pa.array(amounts, mask=np.isnan(amounts)))(rows)

    assert judge(change, where=where)["accuracy_loss_at_noise_0_05"]["value"] is not None


def test_the_category_with_the_largest_loss_is_shown() -> None:
    write_params(smallest_group=10)
    gate = judge()["accuracy_loss_at_unseen_category"]
    model, rows, training = model_of("logistic_regression"), read_table(TEST), read_table(TRAIN)
    losses = {}
    for name in ("product", "region"):
        level = Counter(training[name].drop_null().to_pylist()).most_common(1)[0][0]
        touched = rows.filter(pc.equal(rows[name], level))
        right = [
            ((score_rows(model, given) >= 0.5) == touched["label"].to_numpy()).mean()
            for given in (touched, filled(name, "another")(touched))
        ]
        losses[name] = right[0] - right[1]
    assert len(set(losses.values())) == 2
    assert gate["value"] == pytest.approx(max(losses.values()), abs=1e-6)
    assert f"; {max(losses, key=lambda name: losses[name])}, the worst of 2: its" in gate["reason"]


def test_many_rows_are_sampled_and_the_reason_says_so() -> None:
    write_params(robustness={**VALIDATE["robustness"], "most_rows": 100})
    assert judge()["accuracy_loss_at_noise_0_05"]["reason"].endswith(", on a sample of 100 of 360 rows")


def test_a_task_overrides_gates_and_the_informational_ones() -> None:
    own = {
        "roc_auc": 0.99,
        "recall_gap": 0.25,
        "robustness": {"noise": [0.2]},
        "champion": {"margin": 0.2},
        "reported": ["roc_auc"],
    }
    write_json({"gates": own}, Path("data/task/gates.json"))
    gates = judge()
    assert gates["roc_auc"]["verdict"] == "failed"
    assert read_result(Path("metrics/validate.json"))["failed"] == []
    assert gates["recall_gap_gender"]["threshold"] == 0.25
    assert gates["roc_auc_against_champion"]["threshold"] == -0.2
    assert {"accuracy_loss_at_noise_0_2", "accuracy_loss_at_missing_0_1"} <= set(gates)
    assert "accuracy_loss_at_noise_0_05" not in gates


def test_running_again_writes_the_same_bytes() -> None:
    judge()
    before = files_below(Path())
    validate.main()
    assert files_below(Path()) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selection_ratio": 1.5}, r"validate\.selection_ratio: Input should be less than or equal to 1"),
        ({"accuracy_gap": float("nan")}, r"validate\.accuracy_gap: Input should be"),
        ({"reported": ["speed"]}, r"validate\.reported\.0: Input should be 'accuracy'"),
        ({"robustness": {**VALIDATE["robustness"], "noise": [-0.1]}}, r"validate\.robustness\.noise\.0"),
        ({"robustness": {**VALIDATE["robustness"], "missing": [0]}}, r"validate\.robustness\.missing\.0"),
    ],
)
def test_an_impossible_gate_is_refused(changes: dict[str, Any], message: str) -> None:
    write_params(**changes)
    with pytest.raises(ParamsError, match=message):
        validate.main()


def test_an_unknown_gate_of_a_task_is_refused() -> None:
    write_json({"gates": {"speed": 1}}, Path("data/task/gates.json"))
    with pytest.raises(ParamsError, match=r"gates\.speed: Extra inputs are not permitted"):
        validate.main()


def test_a_window_without_predictions_is_refused() -> None:
    judge()
    Path("data/predictions/test.parquet").unlink()
    with pytest.raises(SourceError, match=r"data/predictions/test\.parquet"):
        validate.main()


def parts_of(template: Any, key: str) -> set[str]:
    """Return every text under a key, at any depth."""
    if isinstance(template, list):
        return set[str]().union(*(parts_of(item, key) for item in template))
    if not isinstance(template, dict):
        return set()
    own = {template[key]} if isinstance(template.get(key), str) else set()
    return own.union(*(parts_of(item, key) for item in template.values()))


def test_the_template_uses_fields_of_the_plot_and_the_marks_of_the_pages() -> None:
    judge()
    template = json.loads((ROOT / ".dvc/plots/gates.json").read_text())
    computed = set(re.findall(r"datum\.(\w+)", " ".join(parts_of(template, "calculate") | parts_of(template, "test"))))
    header = Path("plots/validate/gates.csv").read_text().splitlines()[0].split(",")
    text = next(words for words in parts_of(template, "calculate") if "must be" in words)
    assert all(f"'{verdict}': '{MARKS[verdict]}'" in text for verdict in ("passed", "within noise", "failed"))
    assert all(f"'{rule}': '{RULES[rule]}'" in text for rule in ("at least", "at most"))
    assert f"|| '{MARKS['not judged']}'" in text
    assert f"|| '{RULES['above']}'" in text
    assert (computed | parts_of(template, "field")) - parts_of(template, "as") <= {*header, "rev"}

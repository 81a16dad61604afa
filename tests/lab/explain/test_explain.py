"""Outputs of stage explain agree with the models, also on samples and on bad input."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ruamel.yaml import YAML

from lab.core.errors import ParamsError
from lab.core.result_files import document_of, write_json
from lab.core.tables import read_table, write_table
from lab.explain.chosen import choose_rows
from lab.explain.explain import Explanation, explain
from lab.explain.reasons import check_words
from lab.models.models import save_model
from lab.models.scoring import score_rows
from lab.task.words import FeatureWords, WordsSection
from ops.pack.reasoning import reasoning_of, reasons_for
from tests.cures import cure_in
from tests.lab.explain.models import PARAMS, SCHEMA, TABLES, model, params, settings, with_column
from tests.project import ROOT

MODELS = {"challenger": model(), "champion": model("logistic_regression")}
NAMES = set(SCHEMA.features)


def stream(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def explained(
    tables: dict[str, pa.Table] | None = None, words: dict[str, FeatureWords] | None = None, **changed: Any
) -> Explanation:
    both = {**TABLES, **(tables or {})}
    return explain(MODELS, both, SCHEMA, words or {}, params=params(**changed), stream_of=stream)


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explained()


def rows_of(found: Explanation, plot: str, **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in found.plots[plot] if all(row[name] == value for name, value in wanted.items())]


def test_method_and_sample_are_recorded_for_each_model(found: Explanation) -> None:
    challenger, champion = found.metrics["challenger"], found.metrics["champion"]
    assert (challenger["method"], challenger["unit"]) == ("tree_path_dependent", "log_odds")
    assert (champion["method"], champion["unit"]) == ("linear", "log_odds")
    assert challenger["sample"] == champion["sample"] == {"window": "test", "rows": 160, "of": 160}


def test_every_feature_has_an_importance_and_a_loss(found: Explanation) -> None:
    for name in MODELS:
        assert {one["feature"] for one in found.metrics[name]["importance"]} == NAMES
        assert {one["feature"] for one in found.metrics[name]["permutation"]} == NAMES


def test_relevant_features_are_important_and_others_are_noise(found: Explanation) -> None:
    losses = {one["feature"]: one for one in found.metrics["champion"]["permutation"]}
    assert not losses["visits"]["noise"]
    assert losses["noise"]["noise"]
    assert found.metrics["champion"]["importance"][0]["feature"] in {"amount", "visits"}


@pytest.mark.parametrize("name", ["challenger/test", "challenger/current", "champion/test", "champion/current"])
def test_a_table_of_explanations_adds_up_to_each_rows_own_score(found: Explanation, name: str) -> None:
    table, (who, window) = found.tables[name], name.split("/")
    sums = np.sum([column.to_numpy() for column in table["contributions"].combine_chunks().flatten()], axis=0)
    output = table["base"].to_numpy() + sums
    assert output == pytest.approx(table["output"].to_numpy(), abs=1e-4)
    assert 1 / (1 + np.exp(-output)) == pytest.approx(table["score"].to_numpy(), abs=1e-4)
    assert table["score"].to_pylist() == score_rows(MODELS[who], TABLES[window]).tolist()
    assert table.select(["customer_id", "moment"]).equals(TABLES[window].select(["customer_id", "moment"]))


def test_a_row_has_its_reasons_in_words(found: Explanation) -> None:
    row = found.tables["challenger/test"].slice(0, 1).to_pylist()[0]
    weightiest = max(row["contributions"], key=lambda name: abs(row["contributions"][name]))
    effect = "raises" if row["contributions"][weightiest] > 0 else "lowers"
    assert row["reason_1"].startswith(f"{effect} the score: {weightiest} is ")


def test_copies_of_a_unit_s_rows_do_not_narrow_the_interval_of_a_loss(found: Explanation) -> None:
    copied = explained({"test": pa.concat_tables([TABLES["test"]] * 3)})
    for name in MODELS:
        (once,), (copies,) = (rows_of(each, "permutation", model=name, feature="visits") for each in (found, copied))
        assert copies["high"] - copies["low"] > 0.55 * (once["high"] - once["low"])  # by row: 0.4


def test_with_a_row_limit_a_sample_and_the_highest_scores_are_explained() -> None:
    found = explained(**settings("rows", exact=30))
    assert found.metrics["challenger"]["sample"] == {"window": "test", "rows": 30, "of": 160}
    scores = score_rows(MODELS["challenger"], TABLES["current"])
    assert sorted(found.tables["challenger/current"]["score"].to_pylist()) == sorted(scores.tolist())[-30:]


def test_heavy_trees_are_explained_on_fewer_rows_than_light_models() -> None:
    found = explained(**settings("rows", tree_steps=20_000))
    assert found.metrics["champion"]["sample"]["rows"] == 160
    assert 1 <= found.metrics["challenger"]["sample"]["rows"] < 160


def test_the_explanation_of_a_row_does_not_depend_on_the_sample(found: Explanation) -> None:
    few, all_rows = explained(**settings("rows", exact=30)).tables["champion/test"], found.tables["champion/test"]
    keys = ["customer_id", "moment"]
    both = few.select([*keys, "output"]).join(all_rows.select([*keys, "output"]), keys, right_suffix="_all")
    assert both.num_rows == 30
    assert pc.all(pc.equal(both["output"], both["output_all"])).as_py()


def test_points_do_not_grow_with_the_rows(found: Explanation) -> None:
    assert max(Counter(row["feature"] for row in found.plots["swarm"]).values()) <= 200
    assert sum(row["rows"] for row in rows_of(found, "swarm", feature="visits")) == 160
    assert len(rows_of(found, "dependence", model="champion", feature="visits")) <= 6


def test_a_waterfall_leads_from_the_base_to_the_rows_output(found: Explanation) -> None:
    table = found.tables["challenger/test"]
    best = int(np.argmax(table["score"].to_numpy()))
    steps = rows_of(found, "waterfall", case="highest score")
    assert steps[0]["start"] == table["base"][0].as_py()
    assert steps[-1]["end"] == pytest.approx(table["output"][best].as_py(), abs=1e-5)
    assert all(one["end"] == other["start"] for one, other in pairwise(steps))
    assert str(table["customer_id"][best].as_py()) in steps[0]["row"]


def test_example_rows_are_chosen_by_rule_and_ties_go_to_the_first() -> None:
    scores = np.array([0.9, 0.1, 0.9, 0.1, 0.6, 0.4])
    labels = np.array([False, True, False, False, True, True])
    chosen = {one.case: one.place for one in choose_rows(scores, labels, threshold=0.5)}
    assert chosen == {
        "highest score": 0,
        "lowest score": 1,
        "nearest the threshold": 4,
        "worst false alarm": 0,
        "worst miss": 1,
    }


def test_without_wrong_decisions_none_is_chosen() -> None:
    chosen = choose_rows(np.array([0.9, 0.1]), np.array([True, False]), threshold=0.5)
    assert [one.case for one in chosen] == ["highest score", "lowest score", "nearest the threshold"]


def test_correlated_features_are_named_and_shuffled_together() -> None:
    doubled = {
        part: with_column(table, "noise", table["visits"].cast(pa.float64()).to_pylist())
        for part, table in TABLES.items()
    }
    found = explained(doubled)
    assert found.metrics["correlated"] == [["noise", "visits"]]
    assert [one["features"] for one in found.metrics["champion"]["permutation_of_groups"]] == [["noise", "visits"]]
    (row,) = rows_of(found, "permutation", model="champion", feature="visits")
    assert row["shares_with"] == "noise"


def test_an_empty_test_window_has_a_note() -> None:
    found = explained({"test": TABLES["test"].slice(0, 0)})
    assert found.metrics["notes"] == [
        "test has no rows: it is not explained, and no loss is measured",
    ]
    assert found.metrics["challenger"]["importance"] == []
    assert found.tables["challenger/test"].num_rows == 0
    assert found.tables["challenger/current"].num_rows == 160


def test_with_one_class_in_test_losses_are_undefined() -> None:
    found = explained({"test": with_column(TABLES["test"], "label", [1] * 160)})
    assert "test has one class only: the loss of ROC AUC is undefined" in found.metrics["notes"]
    assert {one["loss"] for one in found.metrics["challenger"]["permutation"]} == {None}


def test_features_without_information_in_test_are_named(found: Explanation) -> None:
    assert found.metrics["notes"] == [
        "missing in all test rows, so shuffling has no effect: empty",
        "constant in all test rows, so shuffling has no effect: constant",
    ]


def test_a_feature_missing_in_all_test_rows_is_explained_as_missing() -> None:
    found = explained({"test": with_column(TABLES["test"], "visits", [None] * 160)})
    assert "empty, visits" in found.metrics["notes"][0]
    assert found.tables["challenger/test"].num_rows == 160


def test_words_of_unknown_features_are_listed_and_ignored() -> None:
    found = explained(words={"visitz": FeatureWords(says=("came often",)), "visits": FeatureWords(says=("{mount}",))})
    assert found.metrics["unknown_words"] == ["mount", "visitz"]


def test_a_number_format_for_text_is_refused() -> None:
    with pytest.raises(ParamsError, match="is for numbers") as error:
        explained(words={"region": FeatureWords(says=("{region:.0f}",))})
    cure = cure_in(str(error.value), of="lab/explain/reasons.py: write {{}} in the task file, and dvc repro task.")
    assert cure.startswith("write {region}")
    check_words({"region": FeatureWords(says=("{region}",))}, SCHEMA.features)


def write_project(folder: Path) -> None:
    for name, table in TABLES.items():
        write_table(table, folder / f"data/features/{name}.parquet")
    write_json(SCHEMA.model_dump(mode="json"), folder / "data/features/schema.json")
    write_json({"words": {"visits": {"says": "came {visits:.0f} times"}}}, folder / "data/task/words.json")
    for name, own in MODELS.items():
        (folder / "models" / name).mkdir(parents=True)
        save_model(own, folder / "models" / name)
    with (folder / "params.yaml").open("w") as file:
        YAML().dump({"seed": 7, "explain": PARAMS}, file)


def load_words(folder: Path) -> dict[str, FeatureWords]:
    return WordsSection.model_validate_json((folder / "data/task/words.json").read_text()).words


def run_stage(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stages.explain"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def outputs_of(folder: Path) -> dict[str, bytes]:
    outs = ("data/explanations", "plots", "metrics")
    files = (path for out in outs for path in (folder / out).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_the_stage_writes_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    write_project(tmp_path)
    done = run_stage(tmp_path, PYTHONHASHSEED="1")
    assert done.returncode == 0, done.stderr
    first = outputs_of(tmp_path)
    assert set(first) == {
        *(f"data/explanations/{name}/{window}.parquet" for name in MODELS for window in ("test", "current")),
        "data/explanations/reference.parquet",
        "metrics/explain.json",
        *(
            f"plots/explain/{name}.csv"
            for name in ("dependence", "dependence_of_levels", "importance", "permutation", "swarm", "waterfall")
        ),
    }
    assert run_stage(tmp_path, PYTHONHASHSEED="2", OMP_NUM_THREADS="1").returncode == 0
    assert outputs_of(tmp_path) == first
    reasons = read_table(tmp_path / "data/explanations/champion/test.parquet")["reason_1"].to_pylist()
    assert any(": came " in reason for reason in reasons)
    words = load_words(tmp_path)
    reference = read_table(tmp_path / "data/explanations/reference.parquet")
    made = reasoning_of(MODELS["champion"], reference, SCHEMA.features, words, walks=PARAMS["walks"], seed=7)
    alone = reasons_for(made, TABLES["test"].slice(9, 1), most=1)
    assert alone[0][0].text == reasons[9]
    assert document_of(json.loads(first["metrics/explain.json"]))["unknown_words"] == []


def test_a_mistake_in_the_settings_is_one_message(tmp_path: Path) -> None:
    write_project(tmp_path)
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump({"seed": 7, "explain": {**PARAMS, "walks": 0}}, file)
    done = run_stage(tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("params.yaml: explain.walks")

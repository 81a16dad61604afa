"""The model card agrees with the results, and equal results give equal bytes."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.card.page import card_of, headline
from lab.card.results import MODELS, Results, read_found, read_manifests
from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.core.tables import write_table
from lab.model_files.manifest import FoldSize, Manifest, TrainingRows
from lab.model_files.specification import Specification
from lab.task.money import Money
from stages import card as stage
from tests.project import ROOT, files_below
from tests.tables import feature_rows, schema_of

CARD = Path("reports/model_card.md")
PRICES = Money(benefit_of_true_positive=2500, cost_of_false_positive=800)
PINS = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:" + "a" * 64 + "\n"
METRICS = dict.fromkeys(("accuracy", "precision", "recall", "f1", "roc_auc", "average_precision"), 0.75)


TRAFFIC: dict[str, Any] = {
    "analysed": True,
    "decision": {"action": "SHIP", "treatment": "challenger", "rule": "the primary outcome is better"},
    "effects": [
        {
            "outcome": "stayed",
            "role": "primary",
            "treatment": "challenger",
            "word": "better",
            "control": 0.6475,
            "value": 0.7495,
            "difference": 0.102,
            "low": 0.03,
            "high": 0.174,
        },
        {
            "outcome": "net",
            "measured_in": "EUR cents",
            "role": "guardrail",
            "treatment": "challenger",
            "word": "not distinguishable",
            "control": 37677.2,
            "value": 35304.7,
            "difference": -2372.49,
            "low": -7917.72,
            "high": 3172.74,
        },
    ],
}


def measured(value: float) -> dict[str, Any]:
    known = {**METRICS, "balanced_accuracy": 0.7, "brier": 0.15, "log_loss": 0.5, "calibration_error": 0.03}
    figures = [
        {"figure": name, "per_row": 1.5, "per_row_95": [1.0, 2.0], "total": 1500.0, "total_95": [1000.0, 2000.0]}
        for name in ("benefit", "cost", "net")
    ]
    return {
        **known,
        **{f"{name}_95": [0.02, 0.9] for name in known},
        "roc_auc": value,
        "money": [*figures, {"figure": "return_on_cost", "value": 2.5, "value_95": None}],
    }


def gate(name: str, verdict: str = "passed", reason: str = "keeps the limit with its whole interval") -> dict[str, Any]:
    judged = {"value": 0.8, "low": 0.7, "high": 0.9, "rule": "at least", "threshold": 0.75}
    return {"gate": name, **judged, "verdict": verdict, "reason": reason}


def difference(metric: str, verdict: str = "better") -> dict[str, Any]:
    return {"metric": metric, "difference": 0.05, "low": 0.01, "high": 0.09, "p_adjusted": 0.02, "verdict": verdict}


def found() -> dict[str, Any]:
    """Return minimal results of the stages before the card."""
    performance = {"reference": 0.85, "current": 0.82, "difference": -0.03, "low": -0.05, "high": -0.01}
    score = {"verdict": "stable", "positive_share": {"reference": 0.4, "current": 0.35}}
    window = {"starts": "2024-01-01T00:00:00", "ends": "2024-06-30T00:00:00"}
    windows = dict.fromkeys(("train", "test", "current"), window)
    return {
        "ingest": {
            "source": "synthetic",
            "tables": {"sales": {"period": {"moment": {"first": "2024-01-01T08:00:00", "last": "2024-12-31"}}}},
        },
        "prepare": {
            "quality": {
                "accuracy": 0.99,
                "completeness": 0.98,
                "consistency": 0.97,
                "duplicate_share": 0.01,
                "outlier_share": 0.02,
            },
            "rows": {"found": {"sales": 1000}, "kept": {"sales": 990}},
            "split": {"kind": "time", "reason": "the future is predicted from the past", "windows": windows},
            "warnings": 1,
        },
        "featurize": {
            "left_out": {},
            "positive_share": {"train": 0.4, "test": 0.4, "current": 0.4},
            "rows": {"train": 600, "test": 200, "current": 200},
            "without_label": 0,
        },
        "select": {
            "by": "roc_auc",
            "challenger": "boosting",
            "in_words": ["boosting ranks first, not distinguishable from forest on 4 folds: a sentence."],
            "scores": {"boosting": 0.85, "forest": 0.84},
            "search": ["12 of 12 settings on 4 folds"],
        },
        "evaluate": {
            **{
                model: {"test": measured(value), "current": measured(value), "threshold": 0.5}
                for model, value in (("challenger", 0.85), ("champion", 0.8))
            },
            "groups_not_in_training": [],
            "rows": {"test": 200, "current": 200},
            "undefined": [],
            "units": {"test": 200, "current": 150},
        },
        "explain": {
            "challenger": {
                "method": "tree_path_dependent",
                "unit": "log_odds",
                "sample": {"window": "test", "rows": 200},
                "importance": [
                    {"feature": f"feature_{place:02d}", "mean_absolute_contribution": 1 / place}
                    for place in range(1, 13)
                ],
                "permutation": [{"feature": "feature_01", "loss": 0.1, "low": 0.08, "high": 0.12, "noise": False}],
            },
            "correlated": [],
            "notes": [],
        },
        "validate": {"failed": [], "gates": [gate("accuracy"), gate("roc_auc")], "window": "test", "within_noise": []},
        "drift": {
            "columns": {"drifted": 1, "slight": 0, "stable": 2, "unclear": 0, "untestable": 0},
            "models": [
                {"model": model, "performance": {**performance, "verdict": "worse", "reason": ""}, "score": score}
                for model in ("champion", "challenger")
            ],
            "reference": "test",
            "verdict": {"word": "retrain", "text": "RETRAIN: drifted_columns: the share is above the limit"},
            "verdicts": [
                {"column": "visits", "verdict": "drifted", "measure": "wasserstein", "effect": 0.2},
                {"column": "amount", "verdict": "stable", "measure": "wasserstein", "effect": 0.01},
            ],
        },
        "abtest": {
            "answer": {
                "metric": "roc_auc",
                "window": "test",
                "challenger": "better",
                "difference": 0.05,
                "low": 0.01,
                "high": 0.09,
            },
            "offline": {"test": [difference("roc_auc"), difference("accuracy", "not distinguishable")], "current": []},
            "online": {"analysed": False, "reason": "the task has no experiment log"},
        },
    }


def group_rows(note: str = "") -> list[dict[str, Any]]:
    counts = {"rows": 120, "positives": 30, "note": note}
    return [
        {
            "window": window,
            "model": model,
            "group": "gender",
            "level": "female",
            "metric": metric,
            "value": value,
            "low": 0.6,
            "high": 0.8,
            **counts,
        }
        for window, model, value in (
            ("test", "challenger", 0.7),
            ("test", "champion", 0.2),
            ("current", "challenger", 0.3),
        )
        for metric in ("accuracy", "precision", "recall", "roc_auc")
    ]


def manifest(schema: FeatureSchema, **specification: Any) -> Manifest:
    return Manifest(
        specification=Specification(**{"estimator": "random_forest", "settings": {"trees": 200}, **specification}),
        inputs=schema,
        threshold=0.25,
        threshold_rule="cheapest",
        training=TrainingRows(
            rows=600, positives=240, first_moment="2024-01-01", last_moment="2024-06-30", fingerprint="f" * 64
        ),
        folds=(FoldSize(train=300, validation=100),) * 4,
        libraries={"numpy": "2.0.0"},
        files={"pipeline.skops": "a" * 64},
    )


def results(change: Callable[[dict[str, Any]], None] | None = None, **parts: Any) -> Results:
    """Return results; `change` modifies the metrics of the stages, `parts` replaces fields."""
    documents = copy.deepcopy(found())
    if change:
        change(documents)
    schema = parts.get("schema", schema_of("time"))
    whole = {
        "found": documents,
        "groups": group_rows(),
        "manifests": {model: manifest(schema) for model in MODELS},
        "money": PRICES,
        "schema": schema,
        **parts,
    }
    return Results(**whole)


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_first_line_gives_the_verdict_and_the_comparison() -> None:
    assert headline(results()) == (
        "The challenger (random forest): 2 of 2 gates passed. In ROC AUC it is better than the champion on the window "
        "test (+0.0500, 0.0100 to 0.0900)."
    )


def test_failed_gates_are_named_on_top_and_in_the_limitations() -> None:
    def change(documents: dict[str, Any]) -> None:
        gates = [gate("accuracy_loss_at_noise_0_05", "failed"), gate("recall", "within noise"), gate("f1")]
        named = {"failed": ["accuracy_loss_at_noise_0_05"], "within_noise": ["recall"]}
        documents["validate"] |= {**named, "gates": gates}

    text = card_of(results(change))
    words = "1 of 3 gates passed; 1 failed: accuracy loss at noise 0.05; 1 within noise: recall."
    assert f"**The challenger (random forest): {words} In" in text
    assert "| ✗ failed |" in section(text, "Gates")
    assert "| ≈ within noise |" in section(text, "Gates")
    assert "- Beyond the limit, but within noise: recall." in section(text, "Limitations")
    assert "- Gates failed: accuracy loss at noise 0.05." in section(text, "Limitations")


def test_champion_and_challenger_are_shown_with_intervals_and_a_verdict() -> None:
    lines = section(card_of(results()), "Performance").splitlines()
    assert (
        "| ROC AUC | 0.850 (0.020 to 0.900) | 0.800 (0.020 to 0.900) | +0.050 (0.010 to 0.090) | 0.02 | better |"
        in lines
    )
    assert "| recall | 0.750 (0.020 to 0.900) | 0.750 (0.020 to 0.900) | – | – | not tested |" in lines


def test_undefined_metrics_are_shown() -> None:
    def change(documents: dict[str, Any]) -> None:
        for model in MODELS:
            documents["evaluate"][model]["test"] |= {"roc_auc": None, "roc_auc_95": None}
        documents["evaluate"]["undefined"] = ["test: roc_auc undefined (20 rows, 0 positive)"]
        nothing = {"difference": None, "low": None, "high": None, "p_adjusted": None, "verdict": "undefined"}
        documents["abtest"]["offline"]["test"] = [{"metric": "roc_auc", **nothing}]
        documents["abtest"]["answer"] |= {"difference": None, "low": None, "high": None, "challenger": "undefined"}

    text = card_of(results(change))
    assert "| ROC AUC | undefined | undefined | – | – | undefined |" in text
    assert "- Undefined: test: roc_auc undefined (20 rows, 0 positive)." in section(text, "Limitations")
    assert "It cannot be compared with the champion in ROC AUC." in text


def test_a_persons_reason_for_an_overruled_gate_is_shown_as_plain_text() -> None:
    reasons = {"recall": "the <b>north</b> | is closed `rm`", "f1": "see [the minutes](http://evil.example)"}
    whole = results()
    champion = whole.manifests["champion"].model_copy(update={"overruled": reasons})
    text = section(card_of(replace(whole, manifests={**whole.manifests, "champion": champion})), "Gates")
    assert "| recall | `` the <b>north</b> \\| is closed `rm` `` |" in text
    assert "| F1 | `see [the minutes](http://evil.example)` |" in text
    assert "overruled" not in section(card_of(whole), "Gates")


def test_a_gate_that_was_not_judged_is_shown_as_such() -> None:
    def change(documents: dict[str, Any]) -> None:
        unjudged = {"value": None, "low": None, "high": None, "reason": "nothing to compare: 1 group"}
        documents["validate"]["gates"].append({**gate("accuracy_gap_region", "not judged"), **unjudged})

    text = card_of(results(change))
    assert "| accuracy gap region | – | ≥ 0.75 | – not judged |" in section(text, "Gates")
    assert "- Not judged: accuracy gap region (nothing to compare: 1 group)." in section(text, "Limitations")


def test_the_units_stand_beside_the_rows_where_units_repeat() -> None:
    text = section(card_of(results()), "Performance")
    assert "On the window **test** (200 rows), " in text
    assert "On the window **current** (200 rows of 150 units), " in text


def test_limitations_follow_from_the_results() -> None:
    def change(documents: dict[str, Any]) -> None:
        documents["validate"]["gates"][0]["reason"] = "keeps the limit, but its interval crosses it"
        documents["evaluate"]["groups_not_in_training"] = ["gender: other"]
        documents["explain"]["notes"] = ["missing in all test rows: empty"]

    note = "too small to judge: 8 rows, 4 positive"
    text = section(card_of(results(change, groups=group_rows(note))), "Limitations")
    for expected in (
        "- The rows are synthetic:",
        "- One customer_id can be in several rows",
        "- A label is known 60 days after its row",
        "- Passed, but not with the whole interval: accuracy.",
        "- Champion and challenger are not distinguishable in accuracy;",
        "- No A/B test shows that acting",
        "- missing in all test rows: empty.",
        "- Too small to judge: gender female (120 rows).",
        "- No training row is in these groups: gender: other.",
        "- 1 of 3 columns drifted since the window test",
        "- Performance on the newest rows is worse than on the window test: champion and challenger.",
    ):
        assert expected in text, expected


def test_an_ab_test_is_shown_with_its_decision_and_every_outcome() -> None:
    def change(documents: dict[str, Any]) -> None:
        documents["abtest"]["online"] = TRAFFIC

    text = section(card_of(results(change)), "A/B test")
    assert "**SHIP** for challenger: the primary outcome is better." in text
    assert "| stayed | primary | 0.6475 | 0.7495 | +0.1020 (0.0300 to 0.1740) | better |" in text
    assert "| net (EUR cents) | guardrail | 37677 | 35305 | −2372 (−7918 to 3173) | not distinguishable |" in text


def test_limitations_that_do_not_apply_are_not_shown() -> None:
    def change(documents: dict[str, Any]) -> None:
        documents["ingest"]["source"] = "files"
        documents["abtest"]["offline"]["test"] = [difference("roc_auc")]
        documents["abtest"]["online"] = TRAFFIC
        documents["drift"]["columns"]["drifted"] = 0
        for model in documents["drift"]["models"]:
            model["performance"]["verdict"] = "equivalent"

    schema = schema_of("stratified")
    text = section(card_of(results(change, schema=schema)), "Limitations").splitlines()
    assert len([line for line in text if line]) == 2
    assert "Every experiment evaluates on the window test" in text[1]
    assert "The expected calibration error is 0.030" in text[2]


def test_missing_groups_and_prices_are_stated() -> None:
    schema = schema_of("stratified").model_copy(update={"groups": ()})
    text = card_of(results(groups=[], money=Money(), schema=schema))
    assert "The task names no group columns" in section(text, "Performance by group")
    assert "The task gives no prices" in section(text, "Business value")
    assert "- Fairness is not evaluated" in section(text, "Limitations")


def test_groups_are_the_challengers_on_the_window_it_was_judged_on() -> None:
    lines = [line for line in section(card_of(results()), "Performance by group").splitlines() if "female" in line]
    assert lines == ["| gender | female | 120 | 25.0 % |" + " 0.700 (0.600 to 0.800) |" * 4 + "  |"]


def test_money_is_in_the_currency_of_the_task() -> None:
    text = section(card_of(results(money=PRICES.model_copy(update={"currency": "CHF"}))), "Business value")
    assert "earns 25.00 CHF, acting on a negative row costs 8.00" in text
    assert "| net | 1.50 (1.00 to 2.00) | 1,500 (1,000 to 2,000) |" in text
    assert "| return on cost | 2.50 (–) | – | 2.50 (–) | – |" in text


def test_the_settings_of_both_models_are_shown_side_by_side() -> None:
    schema = schema_of("time")
    members = {"trees": {"estimator": "random_forest", "settings": {}}, "line": {"estimator": "logistic_regression"}}
    models = {
        "challenger": manifest(schema, estimator="voting", settings={"members": members}),
        "champion": manifest(schema, calibration="isotonic"),
    }
    text = section(card_of(results(manifests=models, schema=schema)), "Model selection")
    assert "| estimator | voting | random forest |" in text
    assert "| setting: members | line (logistic regression), trees (random forest) | – |" in text
    assert "| calibration | none | isotonic |" in text
    assert "| threshold | 0.25 (cheapest) | 0.25 (cheapest) |" in text
    assert "- boosting ranks first, not distinguishable from forest on 4 folds: a sentence." in text


def test_only_the_features_with_the_largest_contributions_are_shown() -> None:
    text = section(card_of(results()), "Explanation")
    assert text.count("| feature_") == 10
    assert "| feature_01 | 1.000 | 0.1000 (0.0800 to 0.1200) |" in text
    assert "| feature_02 | 0.500 | not shuffled |" in text


def test_a_random_split_shows_shares() -> None:
    def change(documents: dict[str, Any]) -> None:
        split = {"kind": "random", "reason": "chance divides them", "test_share": 0.2, "current_share": 0.3}
        documents["prepare"]["split"] = split
        documents["featurize"]["left_out"] = {"empty": "always missing"}

    text = section(card_of(results(change)), "Data")
    assert "| train | the rest | 600 | 40.0 % |" in text
    assert "| test | 20 % | 200 | 40.0 % |" in text
    assert "- Features left out: empty (always missing)." in text


def test_the_fingerprints_are_those_of_the_manifests() -> None:
    text = section(card_of(results()), "Reproduction")
    assert f"| pipeline | `{'a' * 64}` | `{'a' * 64}` |" in text
    assert f"| training rows | `{'f' * 64}` | `{'f' * 64}` |" in text
    assert "numpy 2.0.0" in text


def test_every_table_of_the_card_has_as_many_cells_in_every_line() -> None:
    blocks = [block for block in card_of(results()).split("\n\n") if block.startswith("|")]
    assert len(blocks) == 10
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1, block


def lay_out(folder: Path) -> None:
    """Write everything that the stage reads."""
    documents, schema = found(), schema_of("time")
    files: dict[Path, Any] = {path: documents[name] for name, path in stage.FOUND.items()}
    files |= {path: manifest(schema).model_dump(mode="json") for path in stage.MANIFESTS.values()}
    files |= {stage.GROUPS: group_rows(), Path("data/task/money.json"): {"money": PRICES.model_dump()}}
    files[Path("data/features/schema.json")] = schema.model_dump(mode="json")
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content))
    (folder / "requirements.txt").write_text(PINS)
    for table in ("data/prepared/sales", "data/features/train"):
        write_table(feature_rows(np.random.default_rng(7), 9), folder / f"{table}.parquet")
    (folder / "data/pages/drift").mkdir(parents=True)
    (folder / "data/pages/drift/page.html").write_text("<p>no drift</p>\n")


def run_card(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stages.card"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_stage_writes_the_same_card_in_another_process(tmp_path: Path) -> None:
    lay_out(tmp_path)
    documents = []
    for seed in ("1", "2"):
        done = run_card(tmp_path, PYTHONHASHSEED=seed)
        assert (done.returncode, done.stderr) == (0, "")
        documents.append(files_below(tmp_path / "reports"))
    assert (tmp_path / "reports/drift/page.html").read_text() == "<p>no drift</p>\n"
    assert documents[0] == documents[1]
    assert {"croissant.json", "cyclonedx.json"} <= {Path(name).name for name in documents[0]}
    assert (tmp_path / CARD).read_text().rstrip() == card_of(results()).rstrip()


def test_missing_results_leave_the_last_card(tmp_path: Path) -> None:
    lay_out(tmp_path)
    assert run_card(tmp_path).returncode == 0
    before = (tmp_path / CARD).read_bytes()
    (tmp_path / "metrics/drift.json").unlink()
    done = run_card(tmp_path)
    assert done.returncode == 2
    assert "metrics/drift.json cannot be read as JSON" in done.stderr
    assert "Cure: dvc repro drift" in done.stderr
    assert (tmp_path / CARD).read_bytes() == before


def test_results_without_the_needed_fields_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "validate.json"
    path.write_text('{"passed": true}')
    with pytest.raises(
        SourceError,
        match=r"lacks \['failed', 'gates', 'window', 'within_noise'\]; it has \['passed'\]\. Cure: dvc repro",
    ):
        read_found({"validate": path})


def test_a_model_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"manifest\.json is missing, .* Cure: dvc repro champion"):
        read_manifests({"champion": tmp_path / "manifest.json"})

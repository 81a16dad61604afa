"""Drift, evaluation and gates become gauges; unknown values are left out."""

import copy
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.core.errors import SourceError
from lab.core.result_files import read_result
from ops.gauges.gauges import HELP_TEXTS, gauges_of
from ops.gauges.judgement import read_judgement
from ops.gauges.text import Gauge, text_of
from serving.models import fingerprint_of
from tests.ops.toy import assert_done, call, promoted_toy
from tests.project import ROOT

DRIFT: dict[str, Any] = read_result(ROOT / "metrics/drift.json")
EVALUATED: dict[str, Any] = read_result(ROOT / "metrics/evaluate.json")
VALIDATED: dict[str, Any] = read_result(ROOT / "metrics/validate.json")
CHAMPION = {"fingerprint": "f" * 64, "version": "v2.0.0"}


def numbers(**changed: Any) -> dict[str, float]:
    """Return the gauges by name and labels, the task left out."""
    asked: dict[str, Any] = {
        "drift": DRIFT, "evaluated": EVALUATED, "validated": VALIDATED, "champion": CHAMPION, **changed
    }  # fmt: skip
    return {_name(gauge): gauge.value for gauge in gauges_of("churn", **asked)}


def _name(gauge: Gauge) -> str:
    labels = ",".join(f"{key}={value}" for key, value in sorted(gauge.labels.items()) if key != "task")
    return f"{gauge.name}{{{labels}}}"


def test_the_judgement_is_told_as_it_stands_in_the_results() -> None:
    found = numbers()
    champion = next(model for model in DRIFT["models"] if model["model"] == "champion")
    assert found["lab_drift_drifted_share{}"] == DRIFT["drifted_share"]
    assert found["lab_drift_columns{verdict=drifted}"] == DRIFT["columns"]["drifted"]
    assert found["lab_drift_retrain_suggested{}"] == DRIFT["retrain"]["suggested"]
    assert found["lab_drift_roc_auc{model=champion,window=current}"] == champion["performance"]["current"]
    assert found["lab_drift_mean_score{model=champion,window=reference}"] == champion["score"]["mean"]["reference"]
    assert found["lab_drift_anomalous_share{bound=low}"] == DRIFT["anomalies"]["low"]
    for rule in DRIFT["policies"]:
        assert found[f"lab_drift_rule_fired{{rule={rule['policy']}}}"] == rule["fired"]
    auc = "lab_performance{bound=low,figure=roc_auc,model=challenger,window=test}"
    assert found[auc] == EVALUATED["challenger"]["test"]["roc_auc_95"][0]
    assert found["lab_gates_failed{}"] == len(VALIDATED["failed"])
    unclear = numbers(validated={"failed": ["f1"], "within_noise": ["recall", "precision"]})
    assert (unclear["lab_gates_failed{}"], unclear["lab_gates_within_noise{}"]) == (1, 2)
    assert found[f"lab_champion{{fingerprint={'f' * 64},version=v2.0.0}}"] == 1


def test_what_is_not_known_is_left_out() -> None:
    unlabelled = copy.deepcopy(DRIFT)
    for model in unlabelled["models"]:
        model["performance"] |= {"current": None, "difference": None, "low": None, "high": None}
    found = numbers(drift=unlabelled, evaluated=None, validated=None, champion=None)
    assert "lab_drift_roc_auc{model=champion,window=current}" not in found
    assert "lab_drift_roc_auc{model=champion,window=reference}" in found
    assert not [name for name in found if name.startswith(("lab_performance", "lab_gates", "lab_champion"))]


def test_every_gauge_is_told_of_and_none_besides() -> None:
    assert {gauge.partition("{")[0] for gauge in numbers()} == set(HELP_TEXTS)


def test_prometheus_reads_back_what_was_written() -> None:
    strange = 'a "quoted" \\ name\nof two lines, {with} = signs'
    text = text_of([Gauge("lab_drift_rows", {"window": strange}, 1e-7), Gauge("lab_drift_rows", {}, True)], HELP_TEXTS)
    (family,) = text_string_to_metric_families(text)
    assert family.type == "gauge"
    assert [(sample.labels, sample.value) for sample in family.samples] == [({}, 1), ({"window": strange}, 1e-7)]


def test_the_same_gauges_are_the_same_text_in_any_order() -> None:
    found = gauges_of("churn", drift=DRIFT, evaluated=EVALUATED, validated=VALIDATED, champion=CHAMPION)
    assert text_of(found, HELP_TEXTS) == text_of(list(reversed(found)), HELP_TEXTS)


def test_a_number_that_is_none_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="expected a finite number: leave unknown values out"):
        text_of([Gauge("lab_drift_rows", {}, float("nan"))], HELP_TEXTS)


@pytest.mark.parametrize(
    ("content", "says"), [("{", "cannot be read"), ("[]", "is not a drift document"), ("{}", "is not a drift document")]
)
def test_what_is_no_judgement_is_refused_with_the_cure(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "drift.json").write_text(content)
    with pytest.raises(SourceError, match=f"{says}.*Cure: python -m ops drift"):
        read_judgement(tmp_path / "drift.json")


@pytest.mark.xdist_group("registry")
def test_the_champion_is_the_stages_or_heads_and_named_as_the_server_names_it(tmp_path: Path) -> None:
    folder = promoted_toy(tmp_path / "base")
    manifest = (folder / "models/champion/manifest.json").read_bytes()

    def champion(*options: str) -> list[dict[str, str]]:
        arguments = ("--drift", str(ROOT / "metrics/drift.json"), "--output", "served/gauges/churn.prom", *options)
        assert assert_done(call(folder, "gauges", *arguments)).stdout.startswith("served/gauges/churn.prom: ")
        families = text_string_to_metric_families((folder / "served/gauges/churn.prom").read_text())
        return [sample.labels for family in families for sample in family.samples if sample.name == "lab_champion"]

    name = {"task": "churn", "fingerprint": fingerprint_of(manifest)}
    assert champion("--stage", "production") == [{**name, "version": "v2.0.0"}]
    assert champion() == [{**name, "version": ""}]
    assert champion("--stage", "staging") == []


@pytest.mark.xdist_group("registry")
def test_a_judgement_that_is_not_there_is_the_users_mistake(tmp_path: Path) -> None:
    done = call(promoted_toy(tmp_path / "base"), "gauges")
    assert done.returncode == 2
    assert "Cure: python -m ops drift" in done.stderr

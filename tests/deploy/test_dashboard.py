"""The dashboard matches its code; its queries are valid and find metrics."""

import http.client
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from benchmarks.feedback import post
from ops.gauges.gauges import HELP_TEXTS
from ops.gauges.text import text_of
from tests.deploy.queries import QUERIES, judged, plain
from tests.deploy.tools import CASES, DEPLOY, RULES, checked
from tests.project import ROOT
from tests.serving.asking import ask, text_at, wait_until
from tests.serving.served import ROWS as CUSTOMERS
from tests.serving.served import model_folder
from tests.serving.server import served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dashboard")]
MADE = DEPLOY / "grafana/dashboard.json"
OF_PROMETHEUS = {"up", "ALERTS"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
NAME = re.compile(r"\b(lab[_:][a-z0-9_:]+|up|ALERTS)\b")


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return what a real server gives after an answer and a refusal, and the batch job: names with their labels."""
    folder = tmp_path_factory.mktemp("served")
    champion, gauges = model_folder(folder / "champion"), folder / "gauges"
    gauges.mkdir()
    (gauges / "churn.prom").write_text(text_of(judged(), HELP_TEXTS))
    with served(folder, champion=str(champion), log=str(folder / "log"), gauges=str(gauges)) as address:
        ask(address, {"features": CUSTOMERS[0]})
        ask(address, {"features": {}})
        send_labels(address)
        wait_until(lambda: "lab_refused_total{" in text_at(address), lambda: text_at(address))
        families = list(text_string_to_metric_families(text_at(address)))
    names = {f"{family.name}{suffix}": set[str]() for family in families for suffix in SUFFIXES[family.type]}
    for family in families:
        for sample in family.samples:
            names[sample.name] |= {*sample.labels}
    return names


def send_labels(address: str) -> None:
    """Send a label, another one for the same prediction, and one for an unknown prediction."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    (identifier,) = post(connection, "/predict/batch", {"rows": [{"features": CUSTOMERS[0]}]})["ids"]
    post(connection, "/feedback/batch", {"ids": [identifier, identifier, "unknown"], "labels": [True, False, True]})
    connection.close()


def test_every_number_that_a_panel_or_a_rule_names_is_exported(exported: dict[str, set[str]]) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {
        name for expression in [*QUERIES, *(rule["expr"] for rule in rules())] for name in NAME.findall(expression)
    }
    assert asked - exported.keys() - recorded - OF_PROMETHEUS == set()


def test_every_number_that_is_exported_is_shown_on_a_panel(exported: dict[str, set[str]]) -> None:
    shown = {name for expression in QUERIES for name in NAME.findall(expression)}
    recorded = {name for rule in rules() if "record" in rule for name in NAME.findall(rule["expr"])}
    aside = {"lab_drift_rule_value", "lab_drift_last_moment_seconds"}  # the limits and the rules' answers are shown
    assert exported.keys() - shown - recorded - aside == set()


def test_every_number_of_the_server_is_told_of_on_the_page(exported: dict[str, set[str]]) -> None:
    page = (ROOT / "docs/watching.md").read_text()
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in exported.keys() - HELP_TEXTS.keys()}
    assert {name for name in families if f"`{name}`" not in page} == set()


def test_every_label_that_is_asked_for_is_exported(exported: dict[str, set[str]]) -> None:
    """A rule's cases would hold, too, where their series have labels that nothing exports."""
    cases = [case for path in CASES for case in YAML(typ="safe").load(path.read_text())["tests"]]
    series = [line["series"] for case in cases for line in case["input_series"]]
    without_values = {"lab_model_trained_until_seconds": {"arm", "fingerprint"}}  # the tests' rows have no moments
    for expression in [*map(plain, QUERIES), *(rule["expr"] for rule in rules()), *series]:
        for name, labels in re.findall(r"\b(lab_[a-z_]+)\{([^}]*)\}", expression):
            asked = {*re.findall(r"(\w+)(?:=|!=|=~|!~)\"", labels)}
            assert asked <= exported[name] | without_values.get(name, set()) | {"job", "instance"}, expression


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    asked = [{"record": f"query:{place}", "expr": plain(expression)} for place, expression in enumerate(QUERIES)]
    path = tmp_path / "queries.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": asked}]}))
    assert f"{len(QUERIES)} rules found" in checked("promtool", "check", "rules", str(path))


def test_where_no_row_was_decided_positive_the_share_is_zero_and_no_gap(tmp_path: Path) -> None:
    (share,) = (plain(query) for query in QUERIES if "lab_positives_total" in query)
    answered = {"series": 'lab_scores_count{arm="champion"}', "values": "0+60x10"}
    expected = {"expr": share, "eval_time": "10m", "exp_samples": [{"labels": '{arm="champion"}', "value": 0}]}
    case = {"interval": "1m", "input_series": [answered], "promql_expr_test": [expected]}
    path = tmp_path / "case.json"  # JSON is YAML
    path.write_text(json.dumps({"tests": [case]}))
    checked("promtool", "test", "rules", str(path))


def test_what_is_committed_has_every_query_and_each_panel_a_place_of_its_own() -> None:
    panels = json.loads(MADE.read_text())["panels"]
    assert [target["expr"] for panel in panels for target in panel.get("targets", [])] == QUERIES
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + row)
        for panel in panels
        for column in range(panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert all(place < 24 for place, _ in taken)


def test_what_is_committed_is_what_the_code_makes() -> None:
    pytest.importorskip(
        "grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed: pip install '.[dashboards]'"
    )
    made: bytes = import_module("deploy.grafana.dashboard").built()
    assert MADE.read_bytes() == made


def kept(said: Any, read: Any) -> bool:
    """Whether all that is said was read as it is; what types add by themselves is left aside."""
    if isinstance(said, dict):
        return isinstance(read, dict) and all(name in read and kept(said[name], read[name]) for name in said)
    if isinstance(said, list):
        return isinstance(read, list) and len(said) == len(read) and all(map(kept, said, read))
    return bool(said == read)


def read_by_types(said: Any) -> Any:
    encoder = import_module("grafana_foundation_sdk.cog.encoder").JSONEncoder
    page = import_module("grafana_foundation_sdk.models.dashboard").Dashboard.from_json(said)
    return json.loads(json.dumps(page, cls=encoder))


def test_grafana_s_types_know_every_word_of_what_is_committed() -> None:
    """No Grafana is to be had from a package registry, to show it; its types are."""
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins", reason="pip install '.[dashboards]'")
    plugins.register_default_plugins()
    said = json.loads(MADE.read_bytes())
    assert kept(said, read_by_types(said))
    said["panels"][1]["fieldConfig"]["defaults"]["unitt"] = "s"
    assert not kept(said, read_by_types(said))

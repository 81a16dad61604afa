"""Every alert fires when it should, has a summary, and links to its page."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.tools import CASES as FILES
from tests.deploy.tools import DEPLOY, RULES, checked
from tests.project import ROOT

PAGE = ROOT / "docs/watching.md"


def document(name: str) -> Any:
    return YAML(typ="safe").load((DEPLOY / name).read_text())


ALERTS: dict[str, Any] = {
    rule["alert"]: rule
    for group in document("prometheus/rules.yml")["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
CASES: list[tuple[str, bool, str]] = [
    (asked["alertname"], bool(asked["exp_alerts"]), case["name"])
    for path in FILES
    for case in document(f"prometheus/{path.name}")["tests"]
    for asked in case["alert_rule_test"]
]


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_case_that_fires_and_one_that_is_silent(alert: str) -> None:
    assert {fires for name, fires, _ in CASES if name == alert} == {True, False}


def test_cases_are_named_for_what_they_show() -> None:
    assert [
        name for alert, fires, name in CASES if not name.startswith(f"{alert} {'fires' if fires else 'is silent'}")
    ] == []
    assert len({name for _, _, name in CASES}) == len(CASES)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_how_bad_it_is_what_happened_and_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook"] == f"docs/watching.md#{alert.lower()}"


def test_the_page_tells_what_to_do_about_every_alert_and_no_other() -> None:
    described = re.findall(r"^### (\w+)\n+(?=[\w`])", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(described) == sorted(ALERTS)


def test_every_severity_has_a_route() -> None:
    routes = document("alertmanager/alertmanager.yml")["route"]
    receivers = {receiver["name"] for receiver in document("alertmanager/alertmanager.yml")["receivers"]}
    assert {routes["receiver"], *(route["receiver"] for route in routes["routes"])} == receivers


@pytest.mark.parametrize(
    ("severity", "receivers"),
    [("critical", "machines,on_call"), ("warning", "machines,people"), ("info", "machines,record")],
)
def test_an_alert_goes_to_machines_and_to_the_people_of_its_severity(severity: str, receivers: str) -> None:
    path = "deploy/alertmanager/alertmanager.yml"
    checked(
        "amtool",
        "config",
        "routes",
        "test",
        f"--config.file={path}",
        f"--verify.receivers={receivers}",
        f"severity={severity}",
    )


def test_no_secret_stands_in_a_configuration() -> None:
    for path in [*DEPLOY.glob("prometheus/**/*.yml"), *DEPLOY.glob("alertmanager/*.yml")]:
        values = re.findall(r"(?:password|api_url|credentials|secret|token)(?:_file)?: *(.*)", path.read_text())
        assert [
            value
            for value in values
            if not value.startswith(("/etc/prometheus/secrets/", "/etc/alertmanager/secrets/"))
        ] == []


def test_the_rules_are_whole_and_their_cases_hold() -> None:
    checked("promtool", "check", "rules", str(RULES))
    checked("promtool", "test", "rules", *map(str, FILES))


def test_the_configurations_are_whole() -> None:
    checked("promtool", "check", "config", "deploy/prometheus/prometheus.yml")
    checked("amtool", "check-config", "deploy/alertmanager/alertmanager.yml")

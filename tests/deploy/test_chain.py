"""A batch job's gauges reach Prometheus, raise an alert, and reach all receivers."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.core.result_files import json_bytes, read_json, read_result, write_text
from ops.gauges.gauges import HELP_TEXTS, gauges_of
from ops.gauges.text import text_of
from tests.deploy.chain import SECRETS, asked, wait_for, watched
from tests.deploy.queries import QUERIES, judged, plain
from tests.deploy.receivers import Received, receivers
from tests.deploy.tools import program
from tests.project import ROOT
from tests.serving.asking import ask
from tests.serving.served import ROWS as CUSTOMERS
from tests.serving.served import model_folder
from tests.serving.server import served

KEY = SECRETS["serving_key"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chain")]


@dataclass(frozen=True)
class Chain:
    """A watched server, and the receivers of its alerts."""

    server: str
    prometheus: str
    received: Received
    gauges: Path


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    program("prometheus"), program("prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("chain")
    champion = with_moment(model_folder(folder / "champion"))
    (folder / "gauges").mkdir()
    with (
        served(
            folder / "server", champion=str(champion), gauges=f"{folder}/gauges", log=f"{folder}/log", api_key=KEY
        ) as server,
        receivers() as received,
        watched(server.removeprefix("http://"), received, folder / "watching") as prometheus,
    ):
        yield Chain(server, prometheus, received, folder / "gauges" / "churn.prom")


def with_moment(model: Path) -> Path:
    """Return a model's folder, its manifest saying when its newest training row was; the tests' rows have no moment."""
    manifest = read_json(model / "manifest.json")
    manifest["training"]["last_moment"] = "2026-01-31T00:00:00"
    (model / "manifest.json").write_bytes(json_bytes(manifest))
    return model


def judgement(*fired: str, suggested: bool) -> str:
    """Return the gauges of a judgement in which these rules fired."""
    drift: dict[str, Any] = copy.deepcopy(read_result(ROOT / "metrics/drift.json"))
    drift["retrain"]["suggested"] = suggested
    for rule in drift["policies"]:
        rule["fired"] = rule["policy"] in fired
    return text_of(gauges_of("churn", drift=drift, evaluated=None, validated=None, champion=None), HELP_TEXTS)


def test_a_server_that_asks_for_a_key_is_watched(chain: Chain) -> None:
    wait_for(lambda: asked(chain.prometheus, 'up{job="serving"} == 1'), lambda: asked(chain.prometheus, "up"))
    wait_for(
        lambda: asked(chain.prometheus, 'lab_model{arm="champion"}'), lambda: asked(chain.prometheus, "{job='serving'}")
    )


def test_every_query_of_the_dashboard_finds_something(chain: Chain) -> None:
    """A label that is misspelt is no mistake to a parser: only a query that finds something shows that it is right."""
    write_text(text_of(judged(), HELP_TEXTS), chain.gauges)
    queries = {plain(query) for query in QUERIES}

    def in_vain() -> set[str]:
        ask(chain.server, {"features": CUSTOMERS[0]}, key=KEY)
        ask(chain.server, {"features": {}}, key=KEY)
        return {query for query in queries if not asked(chain.prometheus, query)}

    wait_for(lambda: not in_vain(), in_vain)


def test_an_alert_reaches_webhook_slack_and_mail_and_is_taken_back(chain: Chain) -> None:
    received = chain.received
    write_text(judgement("realised_performance", suggested=True), chain.gauges)

    def alerts_with(status: str) -> set[str]:
        return {
            alert["labels"]["alertname"]
            for body in received.at("/alerts")
            for alert in body["alerts"]
            if alert["status"] == status
        }

    expected = {"PerformanceFell", "RetrainSuggested"}
    wait_for(lambda: expected <= alerts_with("firing"), lambda: received.posts)
    wait_for(lambda: len(received.at("/slack")) >= len(expected) and received.mails, lambda: received)

    token = {authorization for path, authorization, _ in received.posts if path == "/alerts"}
    assert token == {f"Bearer {SECRETS['webhook_token']}"}
    messages = [message for body in received.at("/slack") for message in body["attachments"]]
    assert "PerformanceFell (critical): firing" in {message["title"] for message in messages}
    assert any("A rule suggests retraining churn." in message["text"] for message in messages)
    assert any("docs/watching.md#retrainsuggested" in message["text"] for message in messages)
    who, mail = received.mails[0]
    assert who.endswith(SECRETS["smtp_password"])
    assert "PerformanceFell" in mail
    assert not any("RetrainSuggested" in mail for _, mail in received.mails)  # people are woken for what is critical

    write_text(judgement(suggested=False), chain.gauges)
    wait_for(lambda: expected <= alerts_with("resolved"), lambda: received.posts)

"""The acts of the play: a champion answers, a quiet day, the newest rows, drift, an alert, a retraining."""

import math
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.core.result_files import read_json
from ops.demo.monitor.alarms import ALERTED, RULES, Alarms
from ops.demo.monitor.processes import wait_until
from ops.demo.monitor.sandbox import Stage
from ops.demo.monitor.server import GAUGES, LOG, Server
from ops.demo.monitor.traffic import Window, ask, give_labels, known_labels, windows_in

JUDGED, PAGE = "logs/drift.json", "logs/drift.html"
GAUGE = "lab_drift_retrain_suggested"
BRANCH = "Branch: "
NEXT = """
What a person does next: look at the proposal, merge it, tag it, and pack it; the server takes it over by itself.
  cd {folder}
  git diff main...{branch} -- champion.yaml metrics
  git merge {branch} && dvc checkout && dvc push
  python -m ops promote --register
  python -m ops pack --stage production"""


@dataclass
class Play:
    """What the acts share."""

    stage: Stage
    server: Server
    alarms: Alarms | None
    since: str = ""
    suggested: bool = False
    windows: tuple[Window, Window] = field(init=False)

    def __post_init__(self) -> None:
        self.windows = windows_in(self.stage.work)

    def tell(self, line: str) -> None:
        """Tell a line of the play's own."""
        self.stage.tell(line)


def a_quiet_day(play: Play) -> None:
    """Ask about rows like those that the champion was judged on; nothing should have drifted."""
    names = ask(play.server.host, play.windows[0])
    play.tell(f"    {len(names):,} rows of the test window are answered, and logged in {LOG}")
    code, _ = play.stage.run("python", "-m", "ops", "drift", "--current", LOG, "--save", JUDGED, expect=(0, 1), most=1)
    play.tell(f"    exit code {code}: {'a retraining is suggested' if code else 'nothing to do'}")


def the_newest_rows(play: Play) -> None:
    """Ask about the newest rows, weeks later, and tell what has come true of the older ones."""
    play.since = _start_of(play.windows[1])
    names = ask(play.server.host, play.windows[1])
    labels = known_labels(play.windows[1], names)
    give_labels(play.server.host, labels)
    play.tell(f"    {len(names):,} rows of the newest window are answered")
    play.tell(f"    POST /feedback: {len(labels):,} labels of the older ones have come true, and are told by their ids")


def drift_is_seen(play: Play) -> None:
    """Judge what was served, as a job does each night: the log alone says what moved."""
    judge = ("--current", LOG, "--since", play.since, "--save", JUDGED, "--page", PAGE)
    code, _ = play.stage.run("python", "-m", "ops", "drift", *judge, expect=(0, 1), most=1)
    found = read_json(play.stage.work / JUDGED)
    columns = [each["column"] for each in found["verdicts"] if each["verdict"] == "drifted"]
    play.tell(f"    drifted: {', '.join(columns) or 'no column'}")
    for model in found["models"]:
        play.tell(f"    {model['model']}, by the labels that came back: {_in_words(model['performance'])}")
    for reason in found["retrain"]["reasons"]:
        play.tell(f"    {reason}")
    play.suggested = code == 1
    play.tell(f"    exit code {code}: {'a retraining is suggested' if code else 'nothing to do'}; the page: {PAGE}")


def an_alert_fires(play: Play) -> None:
    """Make gauges of the judgement, which the server shows, and tell whoever is to know."""
    words = ("--drift", JUDGED, "--output", f"{GAUGES}/monitor.prom")
    play.stage.run("python", "-m", "ops", "gauges", *words)
    shown = _shown(play.server)
    play.tell(f"    GET /metrics: {shown}")
    if not play.suggested:
        play.tell("    No retraining is suggested, so no alert is waited for.")
    elif play.alarms is None:
        play.tell(f"    Without Prometheus nothing fires; by {RULES} it would be {ALERTED}, for this gauge is 1.")
    else:
        _wait_for(play, play.alarms)


def a_retraining(play: Play) -> None:
    """Judge the newest data in a clone of its own, train candidates, and propose what is better."""
    play.tell("    no newer rows exist here than HEAD has; a new export would come with --data (docs/retraining.md)")
    code, printed = play.stage.run("python", "-m", "ops", "retrain", expect=(0, 10, 11), most=6)
    if code == 0:
        play.tell(next_steps(printed, play.stage.work))
    else:
        play.tell(f"    exit code {code}: nothing is proposed, which is an answer, too (docs/retraining.md)")


def next_steps(decision: str, folder: Path) -> str:
    """Return what a person does with a decision that proposes a branch."""
    branch = next(line.removeprefix(BRANCH) for line in decision.splitlines() if line.startswith(BRANCH))
    return NEXT.format(folder=folder, branch=branch)


def _in_words(seen: Mapping[str, Any]) -> str:
    if seen.get("current") is None:
        return f"not known: {seen['reason']}"
    return f"ROC AUC {seen['reference']:.3f} then, {seen['current']:.3f} now: {seen['verdict']}"


def _start_of(window: Window) -> str:
    """Return the moment from which on rows are the newest window's; now, where requests name no moments."""
    if window.dated:
        return min(window.moments).strftime("%Y-%m-%dT%H:%M:%S")
    start = math.ceil(time.time())  # the option has no parts of a second
    time.sleep(max(start - time.time(), 0))
    return datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(server: Server) -> str:
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=30) as answer:  # noqa: S310 - our own server
        lines = answer.read().decode().splitlines()
    return next((line for line in lines if line.startswith(GAUGE)), f"{GAUGE} is not there")


def _wait_for(play: Play, alarms: Alarms) -> None:
    wait_until(lambda: ALERTED in alarms.heard, process=None, output=play.stage.work / "logs/watching/prometheus.txt")
    for name in sorted(alarms.heard):
        play.tell(f"    {name} → {', '.join(sorted(alarms.heard[name]))}: {alarms.says[name]}")


ACTS: Mapping[str, Callable[[Play], None]] = {
    "A quiet day": a_quiet_day,
    "The newest rows": the_newest_rows,
    "Drift is seen": drift_is_seen,
    "An alert fires": an_alert_fires,
    "A retraining": a_retraining,
}

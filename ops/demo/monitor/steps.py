"""Run the steps of the monitoring demo, from a quiet day to a retraining."""

import math
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.core.result_files import read_result
from ops.demo.monitor.alarms import ALERTED, RULES, Alarms
from ops.demo.monitor.processes import wait_until
from ops.demo.monitor.server import GAUGES, LOG, Server
from ops.demo.monitor.traffic import Window, known_labels, send_labels, send_rows, windows_in
from ops.demo.sandbox import Sandbox

JUDGED, PAGE = "logs/drift.json", "logs/drift.html"
GAUGE = "lab_drift_retrain_suggested"
BRANCH = "Branch: "
NEXT = """
Next steps for a person: review the proposal, merge it, tag it, and pack it; the server reloads by itself.
  cd {folder}
  git diff main...{branch} -- champion.yaml metrics
  git merge {branch} && dvc checkout && dvc push
  python -m ops promote --register
  python -m ops pack --stage production"""


@dataclass
class Monitor:
    """What the steps share."""

    sandbox: Sandbox
    server: Server
    alarms: Alarms | None
    since: str = ""
    suggested: bool = False
    windows: tuple[Window, Window] = field(init=False)

    def __post_init__(self) -> None:
        self.windows = windows_in(self.sandbox.work)

    def log(self, line: str) -> None:
        """Print an indented line."""
        self.sandbox.log(f"    {line}")


def a_quiet_day(demo: Monitor) -> None:
    """Send rows of the champion's test window; nothing should drift."""
    names = send_rows(demo.server.host, demo.windows[0])
    demo.log(f"{len(names):,} rows of the test window are predicted and logged in {LOG}")
    code, _ = demo.sandbox.run(
        "python", "-m", "ops", "drift", "--current", LOG, "--save", JUDGED, expect=(0, 1), most=1
    )
    demo.log(f"exit code {code}: {'a retraining is suggested' if code else 'nothing to do'}")


def the_newest_rows(demo: Monitor) -> None:
    """Send the newest rows, and later the labels of the older ones."""
    demo.since = _start_of(demo.windows[1])
    names = send_rows(demo.server.host, demo.windows[1])
    labels = known_labels(demo.windows[1], names)
    send_labels(demo.server.host, labels)
    demo.log(f"{len(names):,} rows of the newest window are predicted")
    demo.log(f"POST /feedback/batch: {len(labels):,} labels of the older rows arrive, by their ids")


def drift_is_seen(demo: Monitor) -> None:
    """Check the server's log for drift, as a nightly job does."""
    judge = ("--current", LOG, "--since", demo.since, "--save", JUDGED, "--page", PAGE)
    code, _ = demo.sandbox.run("python", "-m", "ops", "drift", *judge, expect=(0, 1), most=1)
    found = read_result(demo.sandbox.work / JUDGED)
    columns = [each["column"] for each in found["verdicts"] if each["verdict"] == "drifted"]
    demo.log(f"drifted: {', '.join(columns) or 'no column'}")
    for model in found["models"]:
        demo.log(f"{model['model']}, by the labels that arrived: {_performance(model['performance'])}")
    for reason in found["retrain"]["reasons"]:
        demo.log(f"{reason}")
    demo.suggested = code == 1
    demo.log(f"exit code {code}: {'a retraining is suggested' if code else 'nothing to do'}; the page: {PAGE}")


def an_alert_fires(demo: Monitor) -> None:
    """Export the result as gauges, which the server shows and Prometheus reads."""
    words = ("--drift", JUDGED, "--output", f"{GAUGES}/monitor.prom")
    demo.sandbox.run("python", "-m", "ops", "gauges", *words)
    shown = _shown(demo.server)
    demo.log(f"GET /metrics: {shown}")
    if not demo.suggested:
        demo.log("No retraining is suggested, so no alert is expected.")
    elif demo.alarms is None:
        demo.log(f"Without Prometheus nothing fires; {RULES} would fire {ALERTED}, because this gauge is 1.")
    else:
        _wait_for(demo, demo.alarms)


def a_retraining(demo: Monitor) -> None:
    """Check the newest data in a private clone, train candidates, and propose a better one."""
    demo.log("there are no newer rows than those of HEAD; pass a new export with --data (docs/retraining.md)")
    code, printed = demo.sandbox.run("python", "-m", "ops", "retrain", expect=(0, 10, 11), most=6)
    if code == 0:
        demo.sandbox.log(next_steps(printed, demo.sandbox.work))
    else:
        demo.log(f"exit code {code}: nothing is proposed (docs/retraining.md)")


def next_steps(decision: str, folder: Path) -> str:
    """Return the next steps after a proposal."""
    branch = next(line.removeprefix(BRANCH) for line in decision.splitlines() if line.startswith(BRANCH))
    return NEXT.format(folder=folder, branch=branch)


def _performance(seen: Mapping[str, Any]) -> str:
    if seen.get("current") is None:
        return f"not known: {seen['reason']}"
    return f"ROC AUC {seen['reference']:.3f} then, {seen['current']:.3f} now: {seen['verdict']}"


def _start_of(window: Window) -> str:
    """Return the time at which the newest window starts; now, if requests contain no times."""
    if window.dated:
        return min(window.moments).strftime("%Y-%m-%dT%H:%M:%S")
    start = math.ceil(time.time())  # the option takes whole seconds
    time.sleep(max(start - time.time(), 0))
    return datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(server: Server) -> str:
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=30) as answer:  # noqa: S310 - our own server
        lines = answer.read().decode().splitlines()
    return next((line for line in lines if line.startswith(GAUGE)), f"{GAUGE} is missing")


def _wait_for(demo: Monitor, alarms: Alarms) -> None:
    wait_until(
        lambda: ALERTED in alarms.receivers, process=None, output=demo.sandbox.work / "logs/watching/prometheus.txt"
    )
    for name in sorted(alarms.receivers):
        demo.log(f"{name} → {', '.join(sorted(alarms.receivers[name]))}: {alarms.summaries[name]}")


STEPS: Mapping[str, Callable[[Monitor], None]] = {
    "A quiet day": a_quiet_day,
    "The newest rows": the_newest_rows,
    "Drift is seen": drift_is_seen,
    "An alert fires": an_alert_fires,
    "A retraining": a_retraining,
}

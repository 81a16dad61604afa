"""The monitoring demo runs, leaves no process behind, and leaves the repository unchanged."""

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.core.result_files import read_json, write_json
from lab.core.schema import FeatureSchema
from lab.core.tables import read_table, write_table
from ops.demo.monitor.alarms import ALERTED, watching
from ops.demo.monitor.processes import answers, running, wait_until
from ops.demo.monitor.server import Server
from ops.demo.monitor.setup import sandbox_in
from ops.demo.monitor.steps import next_steps
from ops.demo.monitor.traffic import Window, known_labels, windows_in
from ops.demo.sandbox import DemoError, Sandbox, environment_of
from ops.retrain.decision import Decision, to_text
from tests import forks
from tests.deploy.tools import program
from tests.history import commit_all, copy_of_history
from tests.lab.drift.world import described, rows_of, stamped
from tests.ops.toy import output
from tests.processes import ended
from tests.project import QUIET, ROOT, change_params, files_below, forking

RUNS_ON = re.compile(r"runs at (http://127\.0\.0\.1:\d+)/docs")
AGE = {"drift.policies.age.limit": 30, "drift.policies.age.counts": True}
played_once = pytest.mark.xdist_group("monitor")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("monitor") / "project")
    for part in ("ops", "serving", "deploy"):  # the past may be older
        shutil.rmtree(folder / part, ignore_errors=True)
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    change_params(folder, AGE)  # in so small a world no column is surely another, but the newest rows are newer
    commit_all(folder, "Take the verbs and the server of today")
    return folder


def seen(project: Path) -> dict[str, bytes]:
    """Every file of the repository but what DVC and Python keep for themselves, and where its branches are."""
    kept = {name: content for name, content in files_below(project).items() if "__pycache__" not in name}
    files = {name: content for name, content in kept.items() if not name.startswith(".dvc/tmp")}
    return {**files, "refs": output(project, "git", "show-ref", "--head").encode()}


@dataclass(frozen=True)
class Played:
    """What a play leaves: its folder and what it told; its server's address, and whether it answered to the last."""

    folder: Path
    text: str
    address: str
    answered: bool
    code: int


@pytest.fixture(scope="module")
def played(project: Path) -> Played:
    """Run it without Prometheus, keep the server, and stop it."""
    before, folder = seen(project), project.parent / "played"
    command = [str(forks.commands() / "python"), "-m", "ops", "monitor", str(folder), "--no-watch", "--keep"]
    with subprocess.Popen(
        command,
        cwd=project,
        env={**QUIET, **forking()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        text, address = "", ""
        for line in process.stdout or ():
            text += line
            if found := RUNS_ON.search(line):
                address = found[1]
                break
        answered = answers(f"{address}/docs")
        process.send_signal(signal.SIGTERM)
        text += process.communicate()[0]
    assert seen(project) == before
    return Played(folder, text, address, answered, process.returncode)


@pytest.mark.slow
@played_once
def test_a_quiet_day_is_quiet_and_the_newest_rows_are_judged_with_the_labels_that_came_back(
    played: Played,
) -> None:
    folder, text = played.folder, played.text
    quiet, newest = text.index("2. A quiet day"), text.index("4. Drift is seen")
    assert "exit code 0: nothing to do" in text[quiet:newest]
    assert "exit code 1: a retraining is suggested" in text[newest:]
    found = read_json(folder / "logs/drift.json")
    (champion,) = found["models"]
    expected = read_table(folder / "data/features/current.parquet")
    assert found["rows"]["current"] == expected.num_rows
    assert champion["performance"]["current"] is not None
    assert "champion, by the labels that arrived: ROC AUC 0." in text
    assert "<svg" in (folder / "logs/drift.html").read_text()


@pytest.mark.slow
@played_once
def test_the_judgement_reaches_the_server_and_a_retraining_is_decided(played: Played) -> None:
    text = played.text
    assert 'GET /metrics: lab_drift_retrain_suggested{task="churn"} 1' in text
    assert "Without Prometheus nothing fires; deploy/prometheus/rules.yml would fire RetrainSuggested" in text
    assert "drift suggests it: age" in text[text.index("6. A retraining") :]
    assert re.search(r"exit code 11: nothing is proposed|git merge retrain/churn-", text)


def test_what_a_person_does_next_names_the_branch() -> None:
    decision = Decision("proposed", ("better",), task="churn", base="abc", branch="retrain/churn-1", commit="def")
    steps = next_steps(to_text(decision), Path("/there"))
    assert "git diff main...retrain/churn-1 -- champion.yaml" in steps
    assert "cd /there\n" in steps


@pytest.mark.slow
@played_once
def test_the_server_answers_until_somebody_ends_the_play(played: Played) -> None:
    assert (played.answered, played.code) == (True, 0), played.text
    assert "The server is stopped" in played.text
    assert not answers(f"{played.address}/health")


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DemoError, match="is not empty, expected a new folder"):
        sandbox_in(tmp_path, root=ROOT, log=print)


GOODBYE = """
import signal, sys, time
def end(*_):
    print("an orderly end", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("there", flush=True)
time.sleep(60)
"""
# Says who its child is, and is killed before it could end it.
OWNER = """
import sys, time
from pathlib import Path
from ops.demo.monitor.processes import running
folder = Path(sys.argv[1])
script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
with running(sys.executable, "-c", script, folder=folder, environment={}, output=folder / "said.txt"):
    time.sleep(60)
"""


def test_a_process_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    with running(sys.executable, "-c", GOODBYE, folder=tmp_path, environment={}, output=said) as process:
        wait_until(lambda: "there" in said.read_text(), process=process, output=said)
    assert "an orderly end" in said.read_text()


def test_a_process_dies_with_its_owner_however_that_ends(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], cwd=ROOT, env=QUIET) as owner:
        wait_until(lambda: said.exists() and said.read_text().strip(), process=None, output=said)
        owner.kill()
    child = int(said.read_text())
    assert ended([child])


def test_what_ends_before_it_is_there_ends_the_play_with_its_last_words(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    with (
        running(sys.executable, "-c", "print('no room')", folder=tmp_path, environment={}, output=said) as process,
        pytest.raises(DemoError, match=r"The process ended\. Its output:\nno room"),
    ):
        wait_until(lambda: False, process=process, output=said)


def window(rows: pa.Table, *, dated: bool) -> Window:
    schema: FeatureSchema = described(moment=dated)
    return Window(rows, schema, dated)


def test_the_labels_of_the_newest_moment_are_not_known_yet() -> None:
    rows = stamped(rows_of(np.random.default_rng(3), 10), start="2025-03-01", days=5)
    names = [f"id-{place}" for place in range(10)]
    labels = known_labels(window(rows, dated=True), names)
    assert list(labels) == names[:8]
    assert labels["id-0"] is bool(rows["label"][0].as_py())
    assert list(known_labels(window(rows, dated=False), names)) == names[:5]


@pytest.mark.parametrize(("start", "dated"), [("2025-04-01", True), ("2025-03-01", False)])
def test_requests_name_moments_where_the_newest_rows_are_the_later_ones(
    tmp_path: Path, start: str, *, dated: bool
) -> None:
    for name, first in (("test", "2025-03-01"), ("current", start)):
        rows = stamped(rows_of(np.random.default_rng(3), 20), start=first, days=5)
        write_table(rows, tmp_path / f"data/features/{name}.parquet")
    write_json(described(moment=True).model_dump(mode="json"), tmp_path / "data/features/schema.json")
    assert [each.dated for each in windows_in(tmp_path)] == [dated, dated]


def test_requests_say_what_is_not_known_and_who_is_asked_about() -> None:
    rows = stamped(rows_of(np.random.default_rng(3), 250), start="2025-03-01", days=5)
    first, last = window(rows, dated=True).bodies()
    assert (len(first["units"]), len(last["units"])) == (200, 50)
    assert first["moments"][0] == "2025-03-01T00:00:00"
    assert None in first["columns"]["amount"]
    assert "moments" not in next(window(rows, dated=False).bodies())


@contextmanager
def shown(text: str) -> Iterator[str]:
    """Yield the address (host:port) of a server that shows these numbers, as the one that is watched does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_an_alert_takes_the_repositorys_rules_and_routes(tmp_path: Path) -> None:
    program("prometheus"), program("prometheus-alertmanager")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    text = 'lab_drift_retrain_suggested{task="churn"} 1\nlab_model{arm="champion",fingerprint="ab"} 1\n'
    with (
        shown(text) as host,
        running("sleep", "60", folder=tmp_path, environment=QUIET, output=tmp_path / "said.txt") as process,
        watching(Sandbox(tmp_path, print, environment_of()), Server(host, process)) as alarms,
    ):
        assert alarms is not None
        wait_until(
            lambda: alarms.receivers.get(ALERTED) == {"machines", "people"}, process=None, output=tmp_path / "said.txt"
        )
    assert alarms.summaries[ALERTED] == "warning: A rule suggests retraining churn."


def test_without_prometheus_nobody_is_told_and_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    process: Any = None
    with watching(Sandbox(tmp_path, printed.append, {}), Server("nowhere", process)) as alarms:
        assert alarms is None
    assert printed == ["prometheus and prometheus-alertmanager are not installed: no alert is sent."]

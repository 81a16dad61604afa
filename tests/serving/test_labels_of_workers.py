"""Several workers take labels for each other's predictions and count together."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.project import QUIET, ROOT
from tests.serving.asking import numbers_at, wait_until
from tests.serving.served import ROWS, model_folder
from tests.serving.server import served
from tests.serving.test_log import lines_in

MOST = 1500  # predictions until each worker has answered one
KEYS = {"crm": "key of the crm", "survey": "key of the survey"}


def post(address: str, path: str, body: Any, *, key: str = "") -> Any:
    """Send a request in a connection of its own, so that any worker may get it."""
    headers = {"content-type": "application/json", "x-api-key": key}
    request = urllib.request.Request(f"{address}{path}", json.dumps(body).encode(), headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own address
        return json.load(answer)


def test_labels_and_contradictions_are_counted_once_for_all_workers(tmp_path: Path) -> None:
    champion, log = model_folder(tmp_path / "champion"), tmp_path / "log"
    settings = {"champion": str(champion), "log": str(log), "feedback_keys": json.dumps(KEYS)}
    with served(tmp_path, workers=2, seconds_between_looks="0.1", **settings) as address:
        wait_until(lambda: numbers_at(address).get("lab_workers{}") == 2, lambda: numbers_at(address))
        ids: list[str] = []
        while len(list(log.glob("predictions-*.jsonl"))) < 2 and len(ids) < MOST:  # the system chooses the worker
            ids += [post(address, "/predict", {"features": row})["id"] for row in ROWS[:30]]
        ids = ids[-30:]
        for sender, label in (("crm", True), ("survey", True), ("survey", False)):
            for each in ids:
                assert post(address, "/feedback", {"id": each, "label": label}, key=KEYS[sender])["id"] == each
        batch = {"ids": [*ids, "unknown"], "labels": [True] * 31}
        answer = post(address, "/feedback/batch", batch, key=KEYS["crm"])
        assert (answer["accepted"], answer["unknown"], answer["contradicting"]) == (30, ["unknown"], ids)
        counted = {
            "lab_labels_total{label=1,sender=crm}": 60,
            "lab_labels_total{label=0,sender=survey}": 30,
            "lab_labels_contradicting_total{earlier=survey,sender=survey}": 30,
            "lab_labels_contradicting_total{earlier=survey,sender=crm}": 30,
            "lab_labels_contradicting_total{earlier=crm,sender=survey}": 0,
            "lab_labels_unknown_total{sender=crm}": 1,
        }
        wait_until(lambda: counted.items() <= numbers_at(address).items(), lambda: numbers_at(address))
    assert len({path.name for path in log.glob("predictions-*.jsonl")}) == 2
    assert len(lines_in(log, "feedback")) == 120


def test_keys_that_are_not_json_are_one_message_without_the_keys(tmp_path: Path) -> None:
    environment = {**QUIET, "LAB_FEEDBACK_KEYS": '{"crm": "a secret"'}
    done = subprocess.run(
        [sys.executable, "-m", "serving"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "feedback_keys" in done.stderr
    assert "a secret" not in done.stderr

"""The log loses no acknowledged line after a kill, and keeps its limits."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.app import create_application
from serving.log import Log, LogError, Rules
from serving.log_files import FileRules
from serving.settings import Settings
from tests.project import ROOT
from tests.serving.served import COLUMNS, ROWS, model_folder

FILES = FileRules(most_bytes=1e6, most_seconds=3600, keep_bytes=None, keep_seconds=None)
RULES = Rules("always", FILES)
# Writes lines and prints each after it is acknowledged, until the process is killed.
WRITER = """
import asyncio, sys
from pathlib import Path
from serving.log import Log, Rules
from serving.log_files import FileRules
async def go():
    log = Log(Path(sys.argv[1]), "predictions", Rules("always", FileRules(1e6, 3600, None, None)))
    async def one(client):
        for number in range(10**9):
            await log.append([f'{{"client":{client},"number":{number}}}\\n'.encode()])
            print(client, number, flush=True)
    await asyncio.gather(*map(one, range(4)))
asyncio.run(go())
"""


def lines_in(folder: Path, kind: str = "predictions") -> list[dict[str, Any]]:
    files = sorted(folder.glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def write(log: Log, *numbers: int) -> None:
    async def go() -> None:
        for number in numbers:
            await log.append([b'{"number":%d}\n' % number])

    asyncio.run(go())


def test_lines_are_in_the_file_when_append_returns(tmp_path: Path) -> None:
    log = Log(tmp_path, "predictions", RULES)
    write(log, 1, 2, 3)
    assert [line["number"] for line in lines_in(tmp_path)] == [1, 2, 3]
    log.close()


def test_lines_of_one_iteration_of_the_loop_are_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, forced, real = Log(tmp_path, "predictions", RULES), [], os.fdatasync

    def counted(file: int) -> None:
        forced.append(file)
        real(file)

    async def together() -> None:
        await asyncio.gather(*(log.append([b'{"number":%d}\n' % number]) for number in range(5000)))

    monkeypatch.setattr("serving.log_files.os.fdatasync", counted)
    asyncio.run(together())
    assert [line["number"] for line in lines_in(tmp_path)] == list(range(5000))
    assert len(forced) == 1
    log.close()


@pytest.mark.parametrize("durability", ["batched", "never"])
def test_lines_without_a_waiter_are_in_the_file_after_close(tmp_path: Path, durability: Any) -> None:
    log = Log(tmp_path, "predictions", replace(RULES, durability=durability))
    write(log, *range(20))
    log.close()
    assert [line["number"] for line in lines_in(tmp_path)] == list(range(20))
    assert log.counts.waiting == 0


def test_a_killed_process_loses_no_acknowledged_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().split() for _ in range(200)]
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2]
    Log(tmp_path, "predictions", RULES).close()
    kept = {(line["client"], line["number"]) for line in lines_in(tmp_path)}
    assert {(int(client), int(number)) for client, number in acknowledged} <= kept


def test_a_half_written_last_line_is_cut_off_and_counted(tmp_path: Path) -> None:
    log = Log(tmp_path, "predictions", RULES)
    write(log, 1, 2)
    log.close()
    (path,) = tmp_path.glob("predictions-*.jsonl")
    with path.open("ab") as stream:
        stream.write(b'{"number":3,"sc')
    log = Log(tmp_path, "predictions", RULES)
    write(log, 4)
    assert [line["number"] for line in lines_in(tmp_path)] == [1, 2, 4]
    assert log.repaired == 1
    log.close()


def test_two_processes_write_separate_files(tmp_path: Path) -> None:
    first, second = Log(tmp_path, "predictions", RULES), Log(tmp_path, "predictions", RULES)
    write(first, 1)
    write(second, 2)
    assert len(list(tmp_path.glob("predictions-*.jsonl"))) == 2
    first.close()
    second.close()


def test_full_files_are_closed_and_the_oldest_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.log.SECONDS_TO_GATHER", 0.0)  # what is gathered is written into one file
    rules = Rules("never", replace(FILES, most_bytes=100, keep_bytes=250))
    log = Log(tmp_path, "predictions", rules)
    for number in range(100):
        write(log, number)
        time.sleep(0.001)
    log.close()
    numbers = [line["number"] for line in lines_in(tmp_path)]
    assert numbers == list(range(numbers[0], 100))
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) <= 250 + 2 * 100
    assert len(numbers) < 50


def test_a_file_is_closed_at_its_age(tmp_path: Path) -> None:
    rules = Rules("never", replace(FILES, most_seconds=0.05))
    log = Log(tmp_path, "predictions", rules)
    for number in range(2):
        write(log, number)
        time.sleep(0.2)
    log.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_line_that_cannot_be_written_raises_and_leaves_no_partial_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path, "predictions", RULES)
    write(log, 1)
    real = os.write

    def full(file: int, content: bytes) -> int:
        real(file, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("serving.log_files.os.write", full)
    with pytest.raises(LogError, match="No space left"):
        write(log, 2)
    monkeypatch.setattr("serving.log_files.os.write", real)
    write(log, 3)
    assert [line["number"] for line in lines_in(tmp_path)] == [1, 3]
    assert log.counts.failed == 1
    log.close()


def test_a_prediction_and_its_later_label_are_in_the_logs(tmp_path: Path) -> None:
    champion = model_folder(tmp_path / "champion")
    settings = Settings(champion=champion, log=tmp_path / "log", redact=frozenset({"region"}))
    with TestClient(create_application(settings)) as client:
        asked = {"features": ROWS[0], "unit": "c1", "moment": "2025-03-01T00:00:00"}
        answer = client.post("/predict", json=asked).json()
        (line,) = lines_in(tmp_path / "log")
        assert (line["id"], line["score"], line["unit"]) == (answer["id"], answer["score"], "c1")
        assert line["moment"] == "2025-03-01T00:00:00"
        assert line["features"] == {name: value for name, value in ROWS[0].items() if name != "region"}
        assert client.post("/feedback", json={"id": answer["id"], "label": True}).status_code == 202
        (label,) = lines_in(tmp_path / "log", "feedback")
        assert (label["id"], label["label"], label["sender"]) == (answer["id"], 1, "default")
        client.post("/predict/batch", json={"columns": COLUMNS})
        assert len(lines_in(tmp_path / "log")) == 1 + len(ROWS)


def test_in_shadow_mode_the_challenger_scores_and_the_champion_answers(tmp_path: Path) -> None:
    champion = model_folder(tmp_path / "champion")
    challenger = model_folder(tmp_path / "challenger", "random_forest")
    settings = Settings(champion=champion, challenger=challenger, shadow=True, log=tmp_path / "log")
    with TestClient(create_application(settings)) as client:
        answer = client.post("/predict", json={"features": ROWS[0], "unit": "c1"}).json()
    (line,) = lines_in(tmp_path / "log")
    assert answer["arm"] == "champion"
    assert line["champion_score"] == line["score"] == answer["score"]
    assert line["challenger_score"] != line["champion_score"]


def test_a_prediction_that_cannot_be_logged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(champion=model_folder(tmp_path / "champion"), log=tmp_path / "log")

    def full(_file: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with TestClient(create_application(settings)) as client:
        monkeypatch.setattr("serving.log_files.os.write", full)
        answer = client.post("/predict", json={"features": ROWS[0]})
        monkeypatch.undo()
        assert (answer.status_code, answer.json()["error"]) == (503, "The prediction could not be logged.")
        assert client.post("/predict", json={"features": ROWS[0]}).status_code == 200


def test_without_a_log_feedback_is_refused(tmp_path: Path) -> None:
    with TestClient(create_application(Settings(champion=model_folder(tmp_path / "champion")))) as client:
        assert client.post("/feedback", json={"id": "x", "label": False}).status_code == 409

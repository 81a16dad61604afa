"""A log whose folder, disk or clock fails loses no acknowledged line."""

import asyncio
import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.app import create_application
from serving.log import Log, LogError
from serving.log_files import FileRules, LogFiles
from serving.settings import Settings
from tests.serving.asking import numbers_in, wait_until
from tests.serving.served import ROWS, model_folder
from tests.serving.test_log import FILES, RULES, lines_in, write

DAY = 86_400.0
REAL_WRITE = os.write


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a switch: while the disk is full, a write stops after five bytes."""

    def full(file: int, content: bytes) -> int:
        REAL_WRITE(file, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    return lambda on: monkeypatch.setattr("serving.log_files.os.write", full if on else REAL_WRITE)


@pytest.mark.parametrize("durability", ["always", "batched", "never"])
@pytest.mark.parametrize("remove", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("moved"))])
def test_a_removed_folder_is_noticed_at_the_next_write(
    tmp_path: Path, durability: Any, remove: Callable[[Path], object]
) -> None:
    folder = tmp_path / "log"
    log = Log(folder, "predictions", replace(RULES, durability=durability))
    write(log, *range(20))
    wait_until(lambda: log.counts.lines == 20, lambda: log.counts)
    remove(folder)
    write(log, *range(20, 50))
    log.close()
    assert [line["number"] for line in lines_in(folder)] == list(range(20, 50))
    assert log.lost == 20


def test_a_removed_file_is_noticed_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path, "predictions", RULES)
    write(log, 1)

    def write_and_remove(file: int, content: bytes) -> int:
        written = REAL_WRITE(file, content)
        monkeypatch.setattr("serving.log_files.os.write", REAL_WRITE)
        next(tmp_path.glob("predictions-*.jsonl")).unlink()
        return written

    monkeypatch.setattr("serving.log_files.os.write", write_and_remove)
    write(log, 2)
    log.close()
    assert [line["number"] for line in lines_in(tmp_path)] == [2]


def test_a_folder_that_cannot_be_made_again_refuses_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    log = Log(folder, "predictions", RULES)
    write(log, 1)
    shutil.rmtree(folder)
    folder.write_text("a file in its place")
    with pytest.raises(LogError, match="File exists"):
        write(log, 2)
    assert (log.counts.failed, log.failing) == (1, "File exists")
    folder.unlink()
    wait_until(lambda: not log.failing, lambda: log.failing)
    write(log, 3)
    log.close()
    assert [line["number"] for line in lines_in(folder)] == [3]


def accepted(log: Log, number: int) -> bool:
    try:
        write(log, number)
    except LogError:
        return False
    return True


@pytest.mark.parametrize("durability", ["batched", "never"])
def test_a_full_disk_loses_no_acknowledged_line(
    tmp_path: Path, durability: Any, full_disk: Callable[[bool], None]
) -> None:
    log = Log(tmp_path, "predictions", replace(RULES, durability=durability))
    acknowledged = list(range(10))
    write(log, *acknowledged)
    full_disk(True)
    acknowledged += list(takewhile(partial(accepted, log), range(10, 100_000)))
    for _ in range(5):
        with pytest.raises(LogError, match="No space left"):
            write(log, -1)
    assert log.counts.failed == 6
    full_disk(False)
    wait_until(lambda: not log.failing, lambda: log.failing)
    write(log, 200_000)
    log.close()
    assert [line["number"] for line in lines_in(tmp_path)] == [*acknowledged, 200_000]
    assert log.counts.waiting == 0


@pytest.mark.parametrize("durability", ["always", "batched"])
def test_lines_above_the_limit_of_the_queue_are_refused(tmp_path: Path, durability: Any) -> None:
    log = Log(tmp_path, "predictions", replace(RULES, durability=durability, most_waiting_bytes=100))

    async def together() -> list[Any]:
        return await asyncio.gather(*(log.append([b'"%037d"\n' % one]) for one in range(9)), return_exceptions=True)

    found = asyncio.run(together())
    log.close()
    assert [type(each) for each in found] == [type(None)] * 2 + [LogError] * 7
    assert len(lines_in(tmp_path)) == 2


def test_a_failed_sync_is_an_error_and_the_next_line_goes_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path, "predictions", RULES)
    write(log, 1)

    def broken(_file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("serving.log_files.os.fdatasync", broken)
        with pytest.raises(LogError, match="Input/output"):
            write(log, 2)
    write(log, 3)
    log.close()
    assert [line["number"] for line in lines_in(tmp_path)] == [1, 3]
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_readiness_shows_a_log_that_fails_until_it_can_be_written(
    tmp_path: Path, full_disk: Callable[[bool], None]
) -> None:
    settings = Settings(champion=model_folder(tmp_path / "champion"), log=tmp_path / "log")
    with TestClient(create_application(settings)) as client:
        assert client.get("/ready").json()["failing_logs"] == {}
        full_disk(True)
        assert client.post("/predict", json={"features": ROWS[0]}).status_code == 503
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "the log fails")
        assert answer.json()["failing_logs"] == {"predictions": "No space left on device"}
        assert numbers_in(client.get("/metrics").text)["lab_log_failing{log=predictions}"] == 1
        full_disk(False)
        wait_until(lambda: client.get("/ready").status_code == 200, lambda: client.get("/ready").json())
        assert numbers_in(client.get("/metrics").text)["lab_log_failing{log=predictions}"] == 0


def test_batched_answers_503_while_the_disk_is_full(tmp_path: Path, full_disk: Callable[[bool], None]) -> None:
    champion = model_folder(tmp_path / "champion")
    settings = Settings(champion=champion, log=tmp_path / "log", durability="batched")
    with TestClient(create_application(settings)) as client:
        full_disk(True)
        wait_until(lambda: client.post("/predict", json={"features": ROWS[0]}).status_code == 503, str)
        assert client.get("/ready").status_code == 503
        full_disk(False)


def test_only_the_owner_and_the_group_may_read_the_log(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = Log(tmp_path / "log", "predictions", RULES)
        write(log, 1)
        log.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "log").iterdir()}
    assert modes == {".predictions-0.lock": 0o640, "predictions-0-000001.jsonl": 0o640}


@dataclass
class Clocks:
    """The clocks of one machine: `run` lets time pass, `step` sets the system's clock alone."""

    system: float
    running: float = 100.0

    def run(self, seconds: float) -> None:
        self.system += seconds
        self.running += seconds

    def step(self, seconds: float) -> None:
        self.system += seconds

    def time(self) -> float:
        return self.system

    def monotonic(self) -> float:
        return self.running


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    found = Clocks(system=time.time())
    monkeypatch.setattr("serving.log_files.time", found)
    return found


def kept(folder: Path) -> list[int]:
    return [line["number"] for line in lines_in(folder)]


def a_file_a_day(files: LogFiles, clocks: Clocks, *days: int) -> None:
    for day in days:
        files.write([b'{"number":%d}\n' % day], sync=True)
        clocks.run(DAY)


KEEP_A_MONTH = FileRules(most_bytes=1e6, most_seconds=DAY / 2, keep_bytes=None, keep_seconds=30 * DAY)


def test_files_are_deleted_at_their_age(tmp_path: Path, clocks: Clocks) -> None:
    files = LogFiles(tmp_path, "predictions", KEEP_A_MONTH)
    a_file_a_day(files, clocks, *range(40))
    files.close()
    assert kept(tmp_path) == list(range(9, 40))


@pytest.mark.parametrize("years", [10, -10])
@pytest.mark.parametrize("restart", [False, True])
def test_a_step_of_the_clock_deletes_nothing_and_later_the_oldest(
    tmp_path: Path, clocks: Clocks, years: int, restart: bool
) -> None:
    files = LogFiles(tmp_path, "predictions", KEEP_A_MONTH)
    a_file_a_day(files, clocks, *range(20))
    clocks.step(years * 365 * DAY)
    for day in range(20, 25):
        if restart:
            files.close()
            files = LogFiles(tmp_path, "predictions", KEEP_A_MONTH)
        a_file_a_day(files, clocks, day)
    assert kept(tmp_path) == list(range(25))
    clocks.step(-years * 365 * DAY)
    if restart:
        files.close()
        files = LogFiles(tmp_path, "predictions", KEEP_A_MONTH)
    a_file_a_day(files, clocks, *range(25, 40))
    files.close()
    assert kept(tmp_path)[-31:] == list(range(9, 40))
    assert len(kept(tmp_path)) < 40


def test_a_clock_that_is_set_back_does_not_change_which_files_are_the_oldest(tmp_path: Path, clocks: Clocks) -> None:
    files = LogFiles(tmp_path, "predictions", replace(FILES, most_bytes=10, keep_bytes=100))
    a_file_a_day(files, clocks, *range(10, 14))
    clocks.step(-1000 * DAY)
    a_file_a_day(files, clocks, *range(14, 40))
    files.close()
    assert kept(tmp_path) == list(range(40 - len(kept(tmp_path)), 40))
    assert len(kept(tmp_path)) < 10

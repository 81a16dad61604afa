"""Progress of a search: a bar in a terminal, lines in a log."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial

import pytest

from lab.search.result import Progress, Trial
from lab.train.progress import progress_display
from tests.project import ROOT

SCRIPT = """
import sys
from lab.train.progress import progress_display
from tests.lab.train.test_progress import search
with progress_display("forest", by="roc_auc", stream=sys.stderr) as report:
    search(report)
"""


def search(report: Callable[[Progress], None]) -> None:
    """Report three trials on two folds each; the second cannot be fitted."""
    best = None
    for number, score in enumerate((0.8, None, 0.9), start=1):
        report(Progress(2 * number - 1, 6, best, None))
        best = max(best or 0, score) if score is not None else best
        trial = Trial(number, {"trees": 100 * number, "rate": 0.1234567}, score, 2 if score else 0, best)
        report(Progress(2 * number, 6, best, trial))


def in_a_log() -> str:
    stream = io.StringIO()
    with progress_display("forest", by="roc_auc", stream=stream) as report:
        search(report)
    return stream.getvalue()


def in_a_terminal(columns: int) -> str:
    """Return the output of a process in its own terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b"".join(iter(partial(_read, ours), b""))
    os.close(ours)
    assert process.returncode == 0, written.decode()
    return written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # Linux says so when the other end has closed
        return b""


def test_a_log_gets_one_line_for_each_trial() -> None:
    assert in_a_log().splitlines() == [
        "forest  2 of 6 fits  trial 1: roc_auc 0.8000 on 2 folds  best 0.8000  trees 100, rate 0.123457",
        "forest  4 of 6 fits  trial 2: could not be fitted  best 0.8000  trees 200, rate 0.123457",
        "forest  6 of 6 fits  trial 3: roc_auc 0.9000 on 2 folds  best 0.9000  trees 300, rate 0.123457",
    ]


def test_a_pipe_gets_no_carriage_return() -> None:
    command = [sys.executable, "-c", SCRIPT]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    written = subprocess.run(command, env=environment, stderr=subprocess.PIPE, check=True).stderr
    assert b"\r" not in written
    assert written.decode() == in_a_log()


def test_a_log_is_written_immediately() -> None:
    """Lines are flushed, not buffered."""
    flushed: list[str] = []

    class Stream(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    with progress_display("forest", by="roc_auc", stream=Stream()) as report:
        search(report)
    assert [text.count("\n") for text in flushed] == [1, 2, 3]


def test_before_the_first_score_there_is_no_best() -> None:
    stream = io.StringIO()
    with progress_display("forest", by="brier", stream=stream) as report:
        report(Progress(1, 6, None, Trial(1, {}, 0.1, 1, None)))
    assert "brier 0.1000 on 1 fold  best none yet" in stream.getvalue()


@pytest.mark.parametrize("columns", [120, 0], ids=["wide", "of unknown width"])
def test_a_terminal_gets_one_bar(columns: int) -> None:
    written = in_a_terminal(columns)
    assert written.count("\n") == 1
    last = written.rstrip().split("\r")[-1]
    assert "forest |████████████████████| 6 of 6 fits" in last
    assert "best roc_auc 0.9000" in last

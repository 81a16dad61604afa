"""A stage and its workers end when DVC, which runs them, is killed."""

import os
import signal
import subprocess
import sys

import pytest

from tests.processes import ended, is_alive
from tests.project import QUIET, ROOT

STAGE = "import lab.core.determinism; import os, time; print(os.getpid(), flush=True); time.sleep(600)"
# Calls in other processes, which loky keeps for five minutes.
WORKERS = """
import lab.core.determinism
import os, subprocess, time
from lab.train.workers import fit_runner
print(os.getpid(), flush=True)
with fit_runner("loky") as run:
    list(run(os.system, [("echo $PPID",)] * 2))
    time.sleep(600)
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def started_by_a_killed_process(script: str, *, processes: int, **environment: str) -> list[int]:
    """Run a script below another process, which is killed as soon as the script has printed its processes."""
    command = [sys.executable, "-c", PARENT, script]
    words = {**QUIET, "LOKY_MAX_CPU_COUNT": "2", **environment}
    with subprocess.Popen(command, cwd=ROOT, env=words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        found = [int(parent.stdout.readline()) for _ in range(processes)]
        parent.kill()
    return found


@pytest.mark.parametrize(("script", "processes"), [(STAGE, 1), (WORKERS, 3)])
def test_a_stage_and_its_workers_end_with_dvc(script: str, processes: int) -> None:
    assert ended(started_by_a_killed_process(script, processes=processes, DVC_STAGE="train"))


def test_a_stage_that_a_person_runs_does_not_end_with_the_shell() -> None:
    watched, alone = (
        started_by_a_killed_process(STAGE, processes=1, **words) for words in ({"DVC_STAGE": "train"}, {})
    )
    assert ended(watched)
    assert all(map(is_alive, alone))
    os.kill(alone[0], signal.SIGKILL)

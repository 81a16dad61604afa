"""How tests run: groups stay in one worker, child processes receive SIGINT."""

import os
import subprocess
import sys

import pytest

from tests.project import ROOT

# Pytest's set-up, then a process as a test starts one.
CHILD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
SUITE = f"import tests.conftest, subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"


@pytest.mark.xdist_group("together")
def test_workers_see_the_groups(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there are no workers: -n0")
    assert request.node.nodeid.endswith("@together")


def test_child_processes_receive_sigint_when_the_suite_runs_in_the_background() -> None:
    in_the_background = ["bash", "-c", "trap '' INT; exec \"$@\"", "bash", sys.executable, "-c", SUITE]
    done = subprocess.run(in_the_background, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

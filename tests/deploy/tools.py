"""The programs of Prometheus, where they are installed: Debian has them in prometheus and prometheus-alertmanager."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"
CASES = sorted(RULES.parent.glob("rules_test*.yml"))


def program(name: str) -> str:
    """Return where a program is; a test that needs one that is not installed is skipped, with the cure."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus prometheus-alertmanager")
    return found


def checked(*command: str, cwd: Path = ROOT) -> str:
    """Run one of the programs, and return what it said; it must be content."""
    done = subprocess.run([program(command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

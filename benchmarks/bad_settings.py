"""`python -m benchmarks.bad_settings`: the processor time in which real stages refuse bad settings."""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bad_settings import BadSetting, bad_settings, lay_out
from tests.project import QUIET, ROOT

LIMIT = 10.0  # seconds of processor time
WAIT = 300  # seconds until a stage is killed


def main() -> None:
    found, slowest = Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as folder:
        prepared = lay_out(Path(folder) / "prepared")
        for bad in bad_settings():
            outcome, seconds = refused_by(bad, shutil.copytree(prepared, Path(folder) / "project"))
            shutil.rmtree(Path(folder) / "project")
            found[outcome] += 1
            slowest = max(slowest, seconds)
            if outcome != "one message, exit 2":
                sys.stdout.write(f"{outcome}: {bad.title}\n")
    sys.stdout.write(f"{json.dumps({'settings': found.total(), **found, 'slowest, seconds': round(slowest, 1)})}\n")


def refused_by(bad: BadSetting, folder: Path) -> tuple[str, float]:
    """Return what the stage did, and its processor time."""
    bad.write(folder)
    start = _processor_seconds()
    try:
        done = subprocess.run(
            [sys.executable, "-m", *f"stages.{bad.stage}".split()],
            cwd=folder,
            env={**QUIET, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no end", float(WAIT)
    seconds = _processor_seconds() - start
    if seconds > LIMIT:
        return f"over {LIMIT:g} seconds", seconds
    if "Traceback" in done.stderr or done.returncode < 0:
        return "traceback", seconds
    return ("one message, exit 2" if done.returncode == 2 else f"exit {done.returncode}"), seconds


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()

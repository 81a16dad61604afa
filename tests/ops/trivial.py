"""A DVC repository of a few trivial stages, in a temporary folder with git history."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.project import QUIET, ROOT, run

HERE = {"PYTHONPATH": str(ROOT)}
MOST_SECONDS = 120  # seconds, only so that a test of what is broken ends at all
# What `dvc init` and `dvc remote add` write, without the seconds that they take.
OF_DVC = {
    ".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n    url = storage\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n/storage\n",
}


def trivial(folder: Path, stages: str, *, files: dict[str, str] | None = None) -> Path:
    """Return a committed repository with this dvc.yaml and these files; nothing has run."""
    folder.mkdir(parents=True)
    run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=folder)
    for name, content in {**OF_DVC, "dvc.yaml": stages, ".gitignore": "/out\n", **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "out").mkdir(exist_ok=True)
    commit(folder, "start")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit everything; return the commit."""
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", message], cwd=folder)
    return run(["git", "rev-parse", "HEAD"], cwd=folder).stdout.strip()


def interrupted(
    command: Sequence[str],
    *,
    cwd: Path,
    when: Callable[[], bool],
    environment: dict[str, str],
    by: signal.Signals = signal.SIGINT,
) -> subprocess.CompletedProcess[str]:
    """Run a command, press Ctrl-C as soon as something is so, or send another signal; return how it left."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**QUIET, **HERE, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            while not when():
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            process.send_signal(by)
            out, error = process.communicate(timeout=MOST_SECONDS)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, error)

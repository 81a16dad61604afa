"""`python -m ops restore` brings back the last good outputs after a failed run."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.ops.trivial import HERE, commit, trivial
from tests.project import QUIET, files_below, run

# A stage that ends as its input says: refused, or killed together with DVC at one of three moments.
WORK = """\
import lab.core.determinism
import os, signal, sys
from pathlib import Path
from lab.core.command import run
from lab.core.errors import LabError

def main():
    word = Path("word.txt").read_text()
    end(word, "start")
    Path("out/model").mkdir(parents=True)
    Path("out/model/a.txt").write_text(word)
    Path("metrics.json").write_text('{"word": "%s"}' % word)
    end(word, "half")
    Path("plots").mkdir()
    Path("plots/a.csv").write_text(f"x,y\\n1,{word}\\n")
    end(word, "end")

def end(word, moment):
    if word == moment:
        os.killpg(0, signal.SIGKILL)
    if word == "refused" and moment == "half":
        raise LabError("found refused")

run(main)
"""
STAGES = """\
stages:
  work:
    cmd: python work.py
    deps: [word.txt]
    outs: [out/model]
    metrics: [metrics.json: {cache: false}]
    plots: [plots: {cache: false}]
"""
GOOD = ("out/model/a.txt", "metrics.json", "plots/a.csv", "dvc.lock")


def give(folder: Path, word: str) -> None:
    (folder / "word.txt").write_text(word)


def results(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_below(folder).items() if name.startswith(("out/", "plots/"))} | {
        name: (folder / name).read_bytes() for name in ("metrics.json", "dvc.lock") if (folder / name).exists()
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose results are committed, and were then made again from another input."""
    folder = trivial(tmp_path_factory.mktemp("restore") / "project", STAGES, files={"work.py": WORK})
    for word in ("one", "two"):
        give(folder, word)
        run(["dvc", "repro", "--quiet"], cwd=folder, environment=HERE)
        if word == "one":
            commit(folder, word)
    return folder


def repro(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["dvc", "repro"],
        cwd=folder,
        env={**QUIET, **HERE},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("moment", ["refused", "start", "half", "end"])
def test_a_failed_or_killed_run_loses_no_result(project: Path, tmp_path: Path, moment: str) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "project", symlinks=True))
    before = results(folder)
    assert sorted(before) == sorted(GOOD)
    give(folder, moment)
    ended = repro(folder)
    assert results(folder) != before
    if moment == "refused":
        assert ended.stderr.startswith("found refused\n`python -m ops restore` brings back the last good outputs.\n"), (
            ended.stderr
        )
    else:
        assert ended.returncode == -signal.SIGKILL
    done = run(["python", "-m", "ops", "restore"], cwd=folder, environment=HERE)
    assert done.stdout.startswith("Restored: ")
    assert results(folder) == before
    assert run(["python", "-m", "ops", "restore"], cwd=folder, environment=HERE).stdout == "Nothing to restore.\n"


def test_a_clone_without_a_cache_gets_back_what_git_keeps(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    run(["git", "clone", "--quiet", str(project), str(folder)], cwd=project)
    committed = results(folder)
    give(folder, "refused")
    assert "found refused" in repro(folder).stderr
    done = run(["python", "-m", "ops", "restore"], cwd=folder, environment=HERE, check=False)
    assert (done.returncode, done.stdout) == (1, "Restored: metrics.json and plots.\n")
    assert done.stderr == "Neither in the cache nor in git: out/model. `dvc repro` makes them.\n"
    assert {name: content for name, content in results(folder).items() if not name.startswith("out/")} == committed

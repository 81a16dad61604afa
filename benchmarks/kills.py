"""`python -m benchmarks.kills [KILLS] [SEED] [CASE …]`: kill verbs, and call them again.

Each kill (SIGKILL, to the verb alone or to its process group) has a fresh copy of a small project. After it, nothing
may run any more. Then the verb is called again; where it is refused, the one command that the message names is run
first. Then files, commits, tags and branches must equal those of a call that nobody killed.
"""

import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil  # type: ignore[import-untyped]

from tests.ops.toy import output, toy
from tests.ops.toy_retraining import new_data, retraining_toy
from tests.ops.trivial import commit, trivial
from tests.project import QUIET, ROOT, files_below, run

MARK = "LAB_KILLS"  # in the environment of a verb and of all that it starts
MOST_SECONDS = 10.0  # until nothing runs after a kill
CURE = re.compile(r"Cure: `?((?:git|dvc|rm|python -m) [^`;,\n]+)")
NOTHING = "Cure: nothing to do"  # the kill came after the last step
PASSING = (".git/", ".dvc/tmp/", ".dvc/cache/", "__pycache__/")
REFS = ("refs/heads", "refs/tags", "refs/exps")
LEFT = (".git/*.lock", ".git/refs/**/*.lock", ".dvc/tmp/*.json", ".dvc/tmp/retrain", ".dvc/tmp/sweep/clone-*")
WORK = """\
import lab.core.determinism
import sys, time
from pathlib import Path
from lab.core.atomic_outputs import replaced_file
from lab.core.command import run

def main():
    name, *inputs = sys.argv[1:]
    text = "".join(Path(path).read_text() for path in inputs)
    time.sleep(0.3)
    with replaced_file(Path("out", name)) as partial:
        partial.write_text(f"{text}{name}\\n")

run(main)
"""
STAGES = """\
stages:
  first:
    cmd: python work.py first params.yaml
    params: [word]
    outs: [out/first]
  each:
    foreach: [a, b, c]
    do:
      cmd: python work.py ${item} out/first
      deps: [out/first]
      outs: ["out/${item}"]
  last:
    cmd: python work.py last out/a out/b out/c
    deps: [out/a, out/b, out/c]
    outs: [out/last]
"""

State = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """A project and a verb; `make` returns the project's folder below another one."""

    make: Callable[[Path], Path]
    verb: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """What a whole call took, and how it left the project."""

    seconds: float
    state: State


@dataclass(frozen=True)
class Kill:
    """What followed from one kill: seconds until nothing ran, a cure that was needed, and what differed at the end."""

    after: float
    victim: Literal["verb", "group"]
    seconds: float
    survivors: int
    cure: str
    differing: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.survivors and not self.differing


def stages(base: Path) -> Path:
    return trivial(base / "project", STAGES, files={"params.yaml": "word: one\n", "work.py": WORK})


def two_versions(base: Path) -> Path:
    """Return a project at its second version, whose cache and remote do not have the first one."""
    folder = stages(base)
    environment = {"PYTHONPATH": str(ROOT)}
    for number, word in enumerate(("one", "two"), start=1):
        (folder / "params.yaml").write_text(f"word: {word}\n")
        run(["dvc", "repro", "--quiet"], cwd=folder, environment=environment)
        commit(folder, word)
        run(["git", "tag", f"v{number}"], cwd=folder)
    shutil.rmtree(folder / ".dvc/cache")
    return folder


def new_rows(base: Path) -> Path:
    folder = retraining_toy(base)
    new_data(folder, strength=3, drift="yes")
    return folder


OPS = ("python", "-P", "-m", "ops")
CASES = {
    "dvc repro": Case(stages, ("dvc", "repro")),
    "ops repro --jobs 2": Case(stages, (*OPS, "repro", "--jobs", "2")),
    "ops promote": Case(toy, (*OPS, "promote", "--push")),
    "ops sweep": Case(stages, (*OPS, "sweep", "-S", "word=two,three", "--jobs", "2", "--json")),
    "ops retrain": Case(new_rows, (*OPS, "retrain", "--data", "../rows.txt", "--push")),
    "ops revert": Case(two_versions, (*OPS, "revert", "v1")),
}


def main(arguments: Sequence[str]) -> None:
    numbers = [int(word) for word in arguments if word.isdecimal()]
    kills, seed = [*numbers, 60, 1][: len(numbers)] + [60, 1][len(numbers) :]
    names = [word for word in arguments if not word.isdecimal()] or list(CASES)
    good = True
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        for name in names:
            rng = random.Random(f"{seed} {name}")  # noqa: S311 - moments, no secrets
            found = measured(CASES[name], Path(folder, name), count=-(-kills // len(names)), rng=rng)
            sys.stdout.write(f"{to_text(name, found)}\n")
            sys.stdout.flush()
            good = good and all(kill.good for kill in found)
    sys.exit(0 if good else 1)


def to_text(name: str, found: Sequence[Kill]) -> str:
    """Return a line about a case, and one about each bad kill and each cure."""
    first = (
        f"{name}: {len(found)} kills up to {max(kill.after for kill in found):.1f} s, "
        f"{sum(kill.survivors > 0 for kill in found)} left processes, "
        f"the last ended after {max(kill.seconds for kill in found):.2f} s; "
        f"{sum(bool(kill.cure) for kill in found)} needed a cure, "
        f"{sum(bool(kill.differing) for kill in found)} ended with other bytes"
    )
    return "\n".join([first, *(f"  {kill}" for kill in found if kill.cure or not kill.good)])


def measured(case: Case, base: Path, *, count: int, rng: random.Random) -> list[Kill]:
    """Kill a verb at random moments of its run, each time in a fresh copy of its project."""
    base.mkdir(parents=True)
    place = case.make(base / "made").relative_to(base / "made")
    whole = call(case, copied(base, "whole") / place)
    found: list[Kill] = []
    while len(found) < count:
        folder = copied(base, "killed") / place
        after, alone = rng.uniform(0, whole.seconds), rng.random() < 0.5
        if killed_in_time(case, folder, after=after, alone=alone):
            found.append(followed(case, folder, whole, after=after, alone=alone))
        shutil.rmtree(base / "killed")
    return found


def copied(base: Path, name: str) -> Path:
    return Path(shutil.copytree(base / "made", base / name, symlinks=True))


def call(case: Case, folder: Path) -> Call:
    """Run the verb to its end, which must be a good one."""
    started = time.monotonic()
    done = ended(case, folder)
    assert done.returncode == 0, f"{case.verb} in {folder}: {done.returncode}\n{done.stdout}"
    return Call(time.monotonic() - started, state_of(folder))


def killed_in_time(case: Case, folder: Path, *, after: float, alone: bool) -> bool:
    """Kill the verb after some seconds; return whether it still ran then."""
    with start(case, folder) as process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def followed(case: Case, folder: Path, whole: Call, *, after: float, alone: bool) -> Kill:
    """Wait until nothing runs, call the verb again, and compare."""
    seconds, survivors = until_nothing_runs(str(folder))
    done, cure = ended(case, folder), ""
    if done.returncode and (named := CURE.search(done.stdout)):
        cure = named[1].rstrip(". ")
        run(shlex.split(cure), cwd=folder, check=False)
        done = ended(case, folder)
    good = done.returncode == 0 or NOTHING in done.stdout
    differing = [] if good else [f"exit code {done.returncode}: {done.stdout[-500:]}"]
    found = state_of(folder)
    differing += sorted(key for key in {*whole.state, *found} if whole.state.get(key) != found.get(key))
    return Kill(after, "verb" if alone else "group", seconds, survivors, cure, tuple(differing))


def start(case: Case, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        case.verb,
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT), MARK: str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def ended(case: Case, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        case.verb,
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def until_nothing_runs(mark: str) -> tuple[float, int]:
    """Return the seconds until no process with the mark runs, and how many had to be killed at the end."""
    started = time.monotonic()
    while (left := marked(mark)) and time.monotonic() - started < MOST_SECONDS:
        time.sleep(0.02)
    for process in left:
        process.kill()
    return time.monotonic() - started, len(left)


def marked(mark: str) -> list[psutil.Process]:
    """Return the running processes that a verb started, however they are related to it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it has ended, or it is another user's
    return found


def state_of(folder: Path) -> dict[str, object]:
    """Return the project's files, the trees of its branches, tags and experiments, and what is left behind."""
    files = {
        name: content for name, content in files_below(folder).items() if not any(part in name for part in PASSING)
    }
    places = [place for place in (folder, folder.parent / "origin.git") if place.exists()]
    refs = {f"{place.name} {ref}": tree_of(place, ref) for place in places for ref in refs_of(place)}
    left = [str(path.relative_to(folder)) for pattern in LEFT for path in folder.glob(pattern)]
    return {
        **files,
        **refs,
        "HEAD": output(folder, "git", "rev-parse", "HEAD^{tree}"),
        "changes": output(folder, "git", "status", "--porcelain"),
        "left": sorted(left),
    }


def refs_of(place: Path) -> list[str]:
    return output(place, "git", "for-each-ref", "--format=%(refname)", *REFS).splitlines()


def tree_of(place: Path, ref: str) -> list[str]:
    """Return the files of a branch, tag or experiment; of the latter without DVC's pickled arguments."""
    return [line for line in output(place, "git", "ls-tree", "-r", ref).splitlines() if ".dvc/tmp/" not in line]


if __name__ == "__main__":
    main(sys.argv[1:])

"""Where production is played: a private clone of HEAD with everything that HEAD made, and commands that are told."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.demo.monitor.errors import PlayError
from ops.demo.story.lines import first_lines
from ops.dvc.config import cache_folder, read_config, write_local_config
from ops.retrain.kill_with_parent import kill_with_parent
from ops.revisions.git import git, text_of

SHOWN = 12
# What would lead a command somewhere else: git's own for hooks, tokens of a hub, and settings of another server.
KEPT_OUT = ("GIT_", "GITHUB_", "REPO_TOKEN", "LAB_")
PLAYER = {
    "GIT_AUTHOR_NAME": "monitor",
    "GIT_AUTHOR_EMAIL": "monitor@example.invalid",
    "GIT_COMMITTER_NAME": "monitor",
    "GIT_COMMITTER_EMAIL": "monitor@example.invalid",
}


@dataclass(frozen=True)
class Stage:
    """The clone, and how a line is told."""

    work: Path
    tell: Callable[[str], None]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command: this process's, without what leads elsewhere."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
        return {**own, **PLAYER, "DVC_NO_ANALYTICS": "true", "PYTHONUNBUFFERED": "1"}

    def run(self, *command: str, expect: Sequence[int] = (0,), most: int = SHOWN) -> tuple[int, str]:
        """Run a command in the clone, tell it and the first lines of its output; return its code and all it printed.

        What it says of its progress is told at once. Another code than was expected ends the play.
        """
        self.tell(f"$ {' '.join(command)}")
        full = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
        said: list[str] = []
        with subprocess.Popen(
            kill_with_parent(*full), cwd=self.work, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
        ) as process:  # fmt: skip
            listener = threading.Thread(target=self._listen, args=(process.stderr or (), said))
            listener.start()
            printed = process.stdout.read() if process.stdout else ""
            listener.join()
            code = process.wait()
        if code not in expect:
            raise PlayError(f"`{' '.join(command)}` in {self.work} left with {code}.\n{printed}{''.join(said)}")
        self.show(printed, most=most)
        return code, printed

    def show(self, text: str, *, most: int = SHOWN) -> None:
        """Tell the first lines of a text."""
        for line in first_lines(text, most=most):
            self.tell(line)

    def _listen(self, lines: Iterable[str], said: list[str]) -> None:
        for line in lines:
            said.append(line)
            if line.strip() and not line.startswith("  "):  # what a command of a command says is indented
                self.tell(f"    {line.rstrip()}")


def stage_in(folder: Path, *, root: Path, tell: Callable[[str], None]) -> Stage:
    """Return the stage in a new folder: HEAD, with its data and models out of this repository's cache or remote."""
    if folder.exists() and any(folder.iterdir()):
        raise PlayError(f"{folder} is not empty, expected a new folder to play in. Cure: remove it, or name another.")
    commit = text_of("rev-parse", "HEAD", root=root)
    tell(f"{folder}: a clone of HEAD ({commit[:8]}) with what it made; this repository stays as it is")
    git("clone", "--quiet", "--no-checkout", str(root), str(folder))
    git("checkout", "--quiet", "-B", "main", commit, root=folder)
    git("remote", "remove", "origin", root=folder)
    _fill(Stage(folder.resolve(), tell), root)
    return Stage(folder.resolve(), tell)


def _fill(stage: Stage, root: Path) -> None:
    remotes = _remotes_of(root)
    write_local_config(stage.work, cache={}, remotes=remotes)
    said = ""
    for name in remotes:
        pulled = ["dvc", "pull", "--quiet", "--remote", name]
        done = subprocess.run(
            pulled, cwd=stage.work, env=stage.environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        said = done.stderr
    raise PlayError(f"What HEAD made is neither in the cache nor on the remote: {said.strip()}. Cure: make repro")


def _remotes_of(root: Path) -> Mapping[str, str]:
    """Return where objects may lie: this repository's cache, and its default remote."""
    settings = read_config(root)
    default = settings.get("core", {}).get("remote")
    there = {"there": str(settings["remote"][default]["url"])} if default else {}
    return {"here": str(cache_folder(root).resolve()), **there}

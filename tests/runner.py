"""Run jobs of the workflows as GitHub Actions does, each in a fresh clone."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests import forks
from tests.project import QUIET, ROOT, run

# These would run this test again, or install programs on this machine.
ELSEWHERE = ("make test", "make check", "make test-programs")
NAME = re.compile(r"\b(?:github|vars|secrets|runner)(?:\.[A-Za-z_]+)+")


@dataclass
class Runner:
    """A repository with variables, and storage that jobs share: caches, artifacts, the DVC remote."""

    folder: Path
    variables: Mapping[str, str]
    environment: Mapping[str, str]
    commands: list[str] = field(default_factory=list)
    jobs: int = 0

    @property
    def repository(self) -> Path:
        return self.folder / "hub.git"

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def workflow(self, name: str, *, github: Mapping[str, Any]) -> dict[str, str]:
        """Run every job of a workflow in its order; return how each ended: success, failure or skipped."""
        found = YAML(typ="safe").load((ROOT / f".github/workflows/{name}.yml").read_text())
        ended: dict[str, str] = {}
        for job, body in found["jobs"].items():
            needed = body.get("needs")
            ready = needed is None or ended[needed] == "success"
            ended[job] = self._job(body, github) if ready and self._holds(body.get("if"), github, Path()) else "skipped"
        return ended

    def _job(self, body: Mapping[str, Any], github: Mapping[str, Any]) -> str:
        self.jobs += 1
        clone = self.folder / f"job-{self.jobs}"
        outcome = "success"
        for step in body["steps"]:
            always = "!cancelled()" in step.get("if", "")
            if (outcome == "success" or always) and self._holds(step.get("if"), github, clone):
                ended = self._step(step, body.get("env", {}), github, clone)
                outcome = ended if outcome == "success" else outcome
        shutil.rmtree(clone)
        return outcome

    def _step(self, step: Mapping[str, Any], env: Mapping[str, Any], github: Mapping[str, Any], clone: Path) -> str:
        said = {key: self._filled(str(value), github, clone) for key, value in step.get("with", {}).items()}
        action = step.get("uses", "").partition("@")[0]
        if action == "actions/checkout":
            self._check_out(clone, said.get("ref") or str(github["ref_name"]))
        elif action.startswith("actions/cache/") and not said["path"].startswith("~"):  # packages are installed here
            self._carry(clone / said["path"], self.folder / "caches", said, save=action.endswith("save"))
        elif action.startswith(("actions/upload", "actions/download")):
            self._carry(
                clone / said["path"],
                self.folder / "artifacts",
                {**said, "key": said.get("name") or said["pattern"]},
                save="upload" in action,
            )
        elif "run" in step and step["run"] not in ELSEWHERE:
            given = {
                key: self._filled(str(value), github, clone) for key, value in {**env, **step.get("env", {})}.items()
            }
            return self._run(step["run"], given, github, clone)
        return "success"

    def _run(self, command: str, given: Mapping[str, str], github: Mapping[str, Any], clone: Path) -> str:
        event = self.folder / "event.json"
        event.write_text(json.dumps(github["event"]))
        environment = {
            **{key: value for key, value in QUIET.items() if not key.startswith("GIT_")},
            "CI": "true",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            **self.environment,
            **given,
        }
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        self.commands.append(command)
        with (self.folder / "log").open("a") as log:
            log.write(f"$ {command}  # {github['ref_name']}: {done.returncode}\n{done.stdout}\n{done.stderr}\n")
        return "failure" if done.returncode else "success"

    def _check_out(self, clone: Path, ref: str) -> None:
        run(["git", "clone", "--quiet", str(self.repository), str(clone)], cwd=self.folder)
        run(["git", "checkout", "--quiet", ref], cwd=clone)
        # What a set-up makes stands here already, and is newer than the pins of the clone.
        (clone / ".venv").symlink_to(self._environment_that_forks())
        for pins in ("requirements.txt", "tests/requirements.txt", ".github/lint/package-lock.json"):
            os.utime(clone / pins, (0, 0))
        (clone / ".dvc/storage").symlink_to(self.storage)

    def _environment_that_forks(self) -> Path:
        """Return a .venv like this repository's, whose `python` and `dvc` are forks where they can be."""
        folder = self.folder / "venv"
        if not folder.exists():
            (folder / "bin").mkdir(parents=True)
            for path in (*(ROOT / ".venv").iterdir(), *(ROOT / ".venv/bin").iterdir()):
                place = folder / path.relative_to(ROOT / ".venv")
                if not place.exists():
                    place.symlink_to(forks.commands() / path.name if path.name in {"python", "dvc"} else path)
        return folder

    def _carry(self, path: Path, shelf: Path, said: Mapping[str, str], *, save: bool) -> None:
        kept = shelf / said["key"]
        if save and path.is_dir():
            shutil.copytree(path, kept, dirs_exist_ok=True)
        elif save:
            if path.exists() or said.get("if-no-files-found") != "warn":
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)
        elif not kept.exists() and "restore-keys" in said:
            kept = next(iter(sorted(shelf.glob(f"{said['restore-keys']}*"))), kept)
        if not save and kept.exists():
            shutil.copytree(kept, path, dirs_exist_ok=True)

    def _filled(self, text: str, github: Mapping[str, Any], clone: Path) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: str(self._value(found[1], github, clone)), text)

    def _holds(self, condition: str | None, github: Mapping[str, Any], clone: Path) -> bool:
        return condition is None or bool(self._value(condition, github, clone))

    def _value(self, expression: str, github: Mapping[str, Any], clone: Path) -> Any:
        contexts = {
            "github": github,
            "vars": self.variables,
            "secrets": {},
            "runner": {"os": "Linux"},
        }
        python = NAME.sub(lambda found: repr(_found(contexts, found[0])), expression)
        python = python.replace("!cancelled()", "True").replace("&&", " and ").replace("||", " or ")
        functions = {
            "contains": lambda text, part: part in text,
            "hashFiles": lambda name: hashlib.sha256((clone / name).read_bytes()).hexdigest(),
        }
        return eval(python, {"__builtins__": {}}, functions)  # noqa: S307 - the workflows are ours


def _found(contexts: Mapping[str, Any], name: str) -> Any:
    value: Any = contexts
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    return value

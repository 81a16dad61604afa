"""Execute the Dockerfile without an engine, in mounts that look like the image.

The base image is this machine's /usr, /etc and Python, with nothing installed for Python but pip. What a real engine
does besides, such as layers and the registry, is not shown.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from zipfile import ZipFile

from tests.project import ROOT

FOLDER = ROOT / "deploy/container"
DOCKERFILE = FOLDER / "Dockerfile"
USER = "10001:10001"
PASSED_ON = re.compile(r"(PIP|UV)_|.*_proxy$|SSL_CERT_|REQUESTS_CA_", re.IGNORECASE)
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"

# Every argument is a path without spaces. What is mounted ends with the process that was started.
MOUNTS = r"""
set -eu
root=$1; shift
mount --make-rprivate /
mount --bind "$root/files" "$root/files"
at=$root/files
for name in usr etc bin lib lib64 sbin; do
  if [ -L "/$name" ]; then [ -L "$at/$name" ] || ln -s "$(readlink "/$name")" "$at/$name"
  elif [ -d "/$name" ]; then
    mkdir -p "$at/$name"; mount --rbind "/$name" "$at/$name"; mount -o remount,bind,ro "$at/$name"
  fi
done
mkdir -p "$at/proc" "$at/dev" "$at/tmp" "$at/run"
mount --rbind /proc "$at/proc"
mount --rbind /dev "$at/dev"
mount -t overlay python -o "lowerdir=$PYTHON,upperdir=$root/python,workdir=$root/work" "$at/usr/local"
mount --bind "$root/site" "$at/usr/local/$SITE"
mount -t tmpfs -o mode=1777 tmp "$at/tmp"
for pair in $VOLUMES; do mkdir -p "$at${pair#*=}"; mount --bind "${pair%%=*}" "$at${pair#*=}"; done
if [ -n "$READ_ONLY" ]; then
  mount -o remount,bind,ro "$at"; mount -o remount,ro "$at/usr/local"; mount -o remount,bind,ro "$at/usr/local/$SITE"
fi
exec chroot "$at" /bin/sh -c "$INSIDE" sh "$@"
"""


@dataclass(frozen=True)
class Step:
    """One instruction, without its comments and line ends."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments: of the JSON form, or else as a shell reads them."""
        if not self.text.startswith("["):
            return shlex.split(self.text)
        words: list[str] = json.loads(self.text)
        return words

    @property
    def options(self) -> dict[str, str]:
        """What stands before the arguments of COPY, such as --from."""
        return dict(word.removeprefix("--").split("=", 1) for word in self.words if word.startswith("--"))

    @property
    def places(self) -> list[str]:
        """The sources of COPY, and its target at the end."""
        return [word for word in self.words if not word.startswith("--")]


@dataclass(frozen=True)
class Stage:
    """What lies between one FROM and the next."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def of(self, word: str) -> list[Step]:
        """Return the instructions of one kind."""
        return [step for step in self.steps if step.word == word]


def read_stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile, in order."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif word:
            stages[-1].steps.append(Step(word, rest.strip()))
    return stages


@cache
def context() -> list[str]:
    """Return the files that are sent to the engine: what git knows, less what Dockerfile.dockerignore leaves out."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    known = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    return [path for path in known if (ROOT / path).is_file() and not _ignored(path, rules)]


def _ignored(path: str, rules: Sequence[str]) -> bool:
    """Whether the last rule that fits says so; a rule fits a path if it fits the path's parts from the first on."""
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!").split("/")
        parts = path.split("/")[: len(pattern)]
        if len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern)):
            ignored = not rule.startswith("!")
    return ignored


def copied(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield each file of the repository that a stage copies, with its place in the image."""
    for step in stage.of("COPY"):
        if "from" not in step.options:
            yield from copied_by(step)


def copied_by(step: Step) -> Iterator[tuple[str, str]]:
    """Yield each file of the repository that one instruction copies, with its place."""
    *sources, target = step.places
    for source in sources:
        found = [path for path in context() if path == source or path.startswith(f"{source}/")]
        assert found, f"COPY {source}: no such file in the context"
        for path in found:
            below = path.removeprefix(source).lstrip("/") or Path(path).name
            yield path, f"{target.rstrip('/')}/{below}"


class Image:
    """A stage as it is after its instructions: files, environment, user and folder."""

    def __init__(self, stage: Stage, folder: Path, base: "Image | None") -> None:
        self.stage, self._folder = stage, folder
        self.environment: dict[str, str] = {**(base.environment if base else {"PATH": "/usr/local/bin:/usr/bin:/bin"})}
        self.user: str = base.user if base else "0:0"
        self.workdir: str = base.workdir if base else "/"
        for name in ("files", "python", "work", "site"):
            (folder / name).mkdir(parents=True)
            if base is not None and name != "work":
                shutil.copytree(
                    base._folder / name, folder / name, symlinks=True, dirs_exist_ok=True, copy_function=os.link
                )
        if base is None:
            _put_pip(folder / "site")

    def build(self, others: Mapping[str, "Image"], packed: Path) -> "Image":
        """Carry the instructions out and return the image."""
        for step in self.stage.steps:
            if step.word == "COPY":
                for source, place in self._sources(step, others, packed):
                    self._copy(source, place, mode=step.options.get("chmod"))
            elif step.word == "ENV":
                self.environment |= dict(word.split("=", 1) for word in step.words)
            elif step.word == "WORKDIR":
                self.workdir = step.text
            elif step.word == "USER":
                self.user = step.text
            elif step.word == "RUN":
                done = self.run(step.words)
                assert done.returncode == 0, f"RUN {step.text}: {done.stdout}{done.stderr}"
        return self

    def _sources(self, step: Step, others: Mapping[str, "Image"], packed: Path) -> Iterator[tuple[Path, str]]:
        name = step.options.get("from")
        if name is None:
            yield from ((ROOT / path, place) for path, place in copied_by(step))
        else:
            source, target = step.places
            yield (packed if name == "packed" else others[name]._folder / "files" / source.lstrip("/")), target

    def _copy(self, source: Path, place: str, *, mode: str | None) -> None:
        """Copy a file or a folder; with a mode, all of it gets that, and else it keeps its own."""
        target = self._folder / "files" / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            copy = shutil.copy2 if mode else _linked
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=copy)
        else:
            shutil.copy2(source, target)
        for path in [target, *target.rglob("*")] if mode else []:
            path.chmod(int(mode or "", 8))

    def run(self, command: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        argv, environment = self.command(command, **options)  # type: ignore[arg-type]  # passed on as they are
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=300)

    def start(self, command: Sequence[str], output: Path, **options: object) -> subprocess.Popen[bytes]:
        """Run a command and go on."""
        argv, environment = self.command(command, **options)  # type: ignore[arg-type]
        with output.open("ab") as stream:
            return subprocess.Popen(argv, env=environment, stdout=stream, stderr=stream, start_new_session=True)

    def command(
        self,
        command: Sequence[str],
        *,
        user: str | None = None,
        read_only: bool = False,
        volumes: Mapping[str, Path] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[list[str], dict[str, str]]:
        """Return a command line, and its environment, that runs a command in the image as an engine would."""
        user, _, group = (user or self.user).partition(":")
        privileges = "--no-new-privs --bounding-set=-all --inh-caps=-all" if user != "0" else ""
        switch = f"setpriv --reuid={user} --regid={group} --clear-groups {privileges}"
        # The linker's cache is this machine's, and knows nothing of a Python in /usr/local.
        inside = {**_passed_on(), **self.environment, **(settings or {}), "LD_LIBRARY_PATH": "/usr/local/lib"}
        enter = f"mkdir -p {self.workdir} 2>/dev/null; cd {self.workdir}"
        assignments = " ".join(shlex.quote(f"{name}={value}") for name, value in inside.items())
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": sys.base_prefix,
            "SITE": SITE,
            "VOLUMES": " ".join(f"{folder}={place}" for place, folder in (volumes or {}).items()),
            "READ_ONLY": "yes" if read_only else "",
            "INSIDE": f'{enter}; exec {switch} env -i {assignments} "$@"',
        }
        return ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", str(self._folder), *command], environment


def build(folder: Path, packed: Path) -> dict[str, Image]:
    """Return the images of the Dockerfile's stages, by name."""
    images: dict[str, Image] = {}
    for stage in read_stages(DOCKERFILE.read_text()):
        if stage.base != "scratch":
            base = images.get(stage.base)
            images[stage.name] = Image(stage, folder / stage.name, base).build(images, packed)
    return images


def _linked(source: str, target: str) -> None:
    """Copy a file that no step changes in place: its content is shared."""
    os.link(source, target, follow_symlinks=False)


def why_not() -> str | None:
    """Say why no image can be built here, None if one can."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return "mounts that look like an image need Linux, root and util-linux"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmp", "/mnt"], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else f"this machine allows no mounts of one's own: {tried.stderr.decode()}"


def _passed_on() -> dict[str, str]:
    """Return what pip needs to reach the package registry from here."""
    return {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}


def _put_pip(site: Path) -> None:
    """Unpack the pip that Python brings: the official image has pip, and so has its imitation."""
    import ensurepip  # noqa: PLC0415 - nobody else needs it

    wheel = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    with ZipFile(wheel) as opened:
        opened.extractall(site)

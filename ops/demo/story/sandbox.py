"""Where the story plays: a folder with a clone to work in, a bare git remote, and an S3 remote on loopback."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.core.errors import LabError
from ops.demo.story.lines import first_lines
from ops.revisions.git import text_of

BUCKET = "lab"
KEYS = {"AWS_ACCESS_KEY_ID": "story", "AWS_SECRET_ACCESS_KEY": "story", "AWS_DEFAULT_REGION": "us-east-1"}
TELLER = {
    "GIT_AUTHOR_NAME": "story",
    "GIT_AUTHOR_EMAIL": "story@example.invalid",
    "GIT_COMMITTER_NAME": "story",
    "GIT_COMMITTER_EMAIL": "story@example.invalid",
}


Fingerprints = dict[str, str]


class StoryError(LabError):
    """The story went another way than it is told."""


@dataclass(frozen=True)
class Scene:
    """The folder, the address of the S3 remote, how a line is told, and what each tagged version held."""

    folder: Path
    endpoint: str
    tell: Callable[[str], None]
    environment: Mapping[str, str]
    seen: dict[str, Fingerprints] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The clone that the story works in."""
        return self.folder / "work"

    @property
    def origin(self) -> Path:
        """The bare remote of git."""
        return self.folder / "origin.git"

    def run(self, *command: str, expect: Sequence[int] = (0,), cwd: Path | None = None, shown: bool = True) -> str:
        """Run a command and return what it printed; another exit code than was expected ends the story."""
        if shown:
            self.tell(f"$ {' '.join(command)}")
        full = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
        done = subprocess.run(
            full, cwd=cwd or self.work, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in expect:
            raise StoryError(
                f"`{' '.join(command)}` in {cwd or self.work} left with {done.returncode}, expected one of "
                f"{list(expect)}.\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def show(self, text: str, *, most: int = 12) -> None:
        """Tell the first lines of what a command printed."""
        for line in first_lines(text, most=most):
            self.tell(line)


@contextmanager
def scene_in(folder: Path, *, tell: Callable[[str], None]) -> Iterator[Scene]:
    """Yield the scene, its clone made from HEAD of this repository, its remotes empty."""
    if folder.exists() and any(folder.iterdir()):
        raise StoryError(
            f"{folder} is not empty, expected a new folder for the story. Cure: remove it, or name another."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _s3() as endpoint:
        scene = Scene(folder.resolve(), endpoint, tell, _environment())
        here = Path(text_of("rev-parse", "--show-toplevel"))
        scene.run(
            "git", "clone", "--quiet", "--no-local", "--single-branch", str(here), "work", cwd=scene.folder, shown=False
        )
        scene.run(
            "git", "init", "--quiet", "--bare", "--initial-branch=main", "origin.git", cwd=scene.folder, shown=False
        )
        scene.run("git", "checkout", "--quiet", "-B", "main", shown=False)
        scene.run("git", "remote", "remove", "origin", shown=False)
        scene.run("git", "remote", "add", "origin", str(scene.origin), shown=False)
        # Whatever the main branch of this repository is called, the story's is main.
        head = "refs/remotes/origin/HEAD", "refs/remotes/origin/main"
        scene.run("git", "symbolic-ref", *head, shown=False)
        yield scene


@contextmanager
def _s3() -> Iterator[str]:
    """Yield the address of an S3 server of this process's own, with one bucket; it forgets all when the story ends."""
    try:
        import boto3  # noqa: PLC0415 - an extra, as is the next
        from moto.server import ThreadedMotoServer  # noqa: PLC0415
    except ImportError as error:
        raise StoryError(
            f"{error.name} is not installed, and the story needs an S3 server. Cure: make story"
        ) from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each object would drown the story
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "story", "aws_secret_access_key": "story", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.stop()


def _environment() -> dict[str, str]:
    """Return the process's own environment with the story's keys and without what a token would let it reach."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GIT_", "REPO_TOKEN"))}
    return {**own, **KEYS, **TELLER, "DVC_NO_ANALYTICS": "true"}

"""Set up the story: a clone, a bare git remote, and an S3 remote."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.demo.sandbox import DemoError, Sandbox, check_new, environment_of
from ops.revisions.git import text_of

BUCKET = "lab"
KEYS = {"AWS_ACCESS_KEY_ID": "story", "AWS_SECRET_ACCESS_KEY": "story", "AWS_DEFAULT_REGION": "us-east-1"}

Fingerprints = dict[str, str]


@dataclass(frozen=True)
class Story:
    """The sandbox, the folder around it, the address of S3, and the fingerprints of each tagged version."""

    sandbox: Sandbox
    folder: Path
    endpoint: str
    seen: dict[str, Fingerprints] = field(default_factory=dict)

    @property
    def origin(self) -> Path:
        """The bare remote of git."""
        return self.folder / "origin.git"


@contextmanager
def story_in(folder: Path, *, log: Callable[[str], None]) -> Iterator[Story]:
    """Yield the story with a clone of this repository's HEAD and empty remotes."""
    check_new(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _s3() as endpoint:
        folder = folder.resolve()
        story = Story(Sandbox(folder / "work", log, environment_of(**KEYS)), folder, endpoint)
        here = text_of("rev-parse", "--show-toplevel")
        _git(story, "clone", "--quiet", "--no-local", "--single-branch", here, "work", cwd=folder)
        _git(story, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git", cwd=folder)
        _git(story, "checkout", "--quiet", "-B", "main")
        _git(story, "remote", "remove", "origin")
        _git(story, "remote", "add", "origin", str(story.origin))
        # Whatever the main branch of this repository is called, the story's is main.
        _git(story, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        yield story


def _git(story: Story, *arguments: str, cwd: Path | None = None) -> None:
    story.sandbox.run("git", *arguments, cwd=cwd, quiet=True)


@contextmanager
def _s3() -> Iterator[str]:
    """Yield the address of an S3 server in this process, with one bucket in memory."""
    try:
        import boto3  # noqa: PLC0415 - an extra, as is the next
        from moto.server import ThreadedMotoServer  # noqa: PLC0415
    except ImportError as error:
        raise DemoError(f"{error.name} is not installed, and the story needs an S3 server. Cure: make story") from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs a line for each object
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

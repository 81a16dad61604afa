"""Post with CML where it is installed, and only where it would not make a second comment or touch somebody else's."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.github.client import Comment, Hub
from ops.github.http import Wire

SEEN = 30  # `cml comment update` asks for one page of comments, and GitHub's page has 30
OLDEST = (0, 20)
VERSION = re.compile(r"v?(\d+)\.(\d+)\.\d+\s*")
POSTED = re.compile(r"^https?://\S+#issuecomment-\d+$", flags=re.MULTILINE)
SECRETS = ("REPO_TOKEN", "repo_token", "CML_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "BITBUCKET_TOKEN")


@dataclass(frozen=True)
class Cml:
    """CML's executable, of GitHub Actions' `iterative/setup-cml`."""

    executable: str
    environment: Mapping[str, str] = field(repr=False)
    timeout: float = 120

    def post(self, text: str, *, hub: Hub, number: int, title: str) -> str:
        """Return the address of the comment that CML made or updated; "" where it did not, which it says to `say`."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.md"
            report.write_text(text, encoding="utf-8")
            command = [self.executable, *arguments(report, hub=hub, number=number, title=title, server=self._server)]
            try:
                done = _run(command, environment=self._trusted(hub, Path(folder)), timeout=self.timeout)
            except (OSError, subprocess.TimeoutExpired) as error:
                hub.patience.say(f"cml did not end well: {type(error).__name__}")
                return ""
        posted = POSTED.search(done.stdout)
        if done.returncode == 0 and posted:
            return posted[0]
        hub.patience.say(f"cml did not post: exit code {done.returncode}; {_last(done, hub.wire)}")
        return ""

    @property
    def _server(self) -> str:
        return self.environment.get("GITHUB_SERVER_URL", "https://github.com")

    def _trusted(self, hub: Hub, folder: Path) -> dict[str, str]:
        # The same token as ours, so the same author. CML writes safe.directory=* to the global git configuration and
        # reports its use to its maker: neither is wanted.
        own = {
            "REPO_TOKEN": hub.token,
            "ITERATIVE_DO_NOT_TRACK": "1",
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        }
        return {**_without_secrets(self.environment), **own}


def arguments(report: Path, *, hub: Hub, number: int, title: str, server: str) -> list[str]:
    """Return what is said to CML 0.20.6: one pull request, our mark, and no upload of images to its maker's host."""
    return [
        "comment",
        "update",
        "--driver=github",
        f"--repo={server}/{hub.repository}",
        f"--target=pr/{number}",
        "--publish=false",
        f"--watermark-title={mark_of(title)}",
        str(report),
    ]


def found_cml(environment: Mapping[str, str], *, timeout: float) -> Cml | None:
    """Return CML where the Node tool is installed: the package `cml` of PyPI is another thing."""
    executable = shutil.which("cml", path=environment.get("PATH", os.defpath))
    if executable is None:
        return None
    try:
        done = _run([executable, "--version"], environment=_without_secrets(environment), timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = VERSION.fullmatch(done.stdout)
    fit = done.returncode == 0 and version is not None and (int(version[1]), int(version[2])) >= OLDEST
    return Cml(executable, environment) if fit else None


def would_hit(comments: Sequence[Comment], ours: Comment | None, *, title: str) -> bool:
    """Say whether `cml comment update` would do the right thing: update ours, or make one where there is none.

    It looks at the first 30 comments, at whoever made them, and takes the last with its mark.
    """
    marked = [comment for comment in comments[:SEEN] if f"CML watermark {mark_of(title)}" in comment.body]
    return (marked[-1] if marked else None) == ours


def mark_of(title: str) -> str:
    """Return the title as CML's mark: letters, digits and spaces, since it escapes others in its own way.

    >>> mark_of("## Experiment report: churn_2")
    'Experiment report churn 2'
    """
    return " ".join(re.findall(r"[^\W_]+", title))


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in SECRETS}


def _run(command: list[str], *, environment: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=dict(environment),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


def _last(done: subprocess.CompletedProcess[str], wire: Wire) -> str:
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return wire.hidden(lines[-1]) if lines else "it said nothing"

"""Post with CML if it is installed and would update the right comment."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.core.errors import LabError
from ops.github.client import Comment, GitHub
from ops.github.http import HttpClient

SEEN = 30  # `cml comment update` reads one page of comments, 30 on GitHub
OLDEST = (0, 20)
VERSION = re.compile(r"v?(\d+)\.(\d+)\.\d+\s*")
POSTED = re.compile(r"^https?://\S+#issuecomment-\d+$", flags=re.MULTILINE)
SECRETS = ("REPO_TOKEN", "repo_token", "CML_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "BITBUCKET_TOKEN")


class CmlFailedError(LabError):
    """CML did not post, or does not say where."""


@dataclass(frozen=True)
class Cml:
    """CML's executable, as GitHub's action `iterative/setup-cml` installs it."""

    executable: str
    environment: Mapping[str, str] = field(repr=False)
    timeout: float = 120

    def post(self, text: str, *, github: GitHub, number: int, title: str) -> str:
        """Return the address of the comment that CML wrote."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.md"
            report.write_text(text, encoding="utf-8")
            command = [
                self.executable,
                *arguments(report, github=github, number=number, title=title, server=self._server),
            ]
            try:
                done = _run(command, environment=self._trusted(github, Path(folder)), timeout=self.timeout)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise CmlFailedError(f"CML failed with {type(error).__name__}") from error
        posted = POSTED.search(done.stdout)
        if done.returncode == 0 and posted:
            return posted[0]
        raise CmlFailedError(f"CML failed with exit code {done.returncode}: {_last(done, github.http)}")

    @property
    def _server(self) -> str:
        return self.environment.get("GITHUB_SERVER_URL", "https://github.com")

    def _trusted(self, github: GitHub, folder: Path) -> dict[str, str]:
        # The same token gives the same author. CML writes safe.directory=* to the global git configuration and sends
        # telemetry; both are prevented.
        own = {
            "REPO_TOKEN": github.token,
            "ITERATIVE_DO_NOT_TRACK": "1",
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        }
        return {**_without_secrets(self.environment), **own}


def arguments(report: Path, *, github: GitHub, number: int, title: str, server: str) -> list[str]:
    """Return the arguments of CML 0.20.6: one pull request, our watermark, no upload of images."""
    return [
        "comment",
        "update",
        "--driver=github",
        f"--repo={server}/{github.repository}",
        f"--target=pr/{number}",
        "--publish=false",
        f"--watermark-title={watermark_of(title)}",
        str(report),
    ]


def found_cml(environment: Mapping[str, str], *, timeout: float) -> Cml | str:
    """Return CML, or why it cannot post; the package `cml` on PyPI is a different tool."""
    executable = shutil.which("cml", path=environment.get("PATH", os.defpath))
    if executable is None:
        return "CML is not installed"
    try:
        done = _run([executable, "--version"], environment=_without_secrets(environment), timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`cml --version` failed with {type(error).__name__}"
    version = VERSION.fullmatch(done.stdout)
    fit = done.returncode == 0 and version is not None and (int(version[1]), int(version[2])) >= OLDEST
    return Cml(executable, environment) if fit else f"`cml` is not CML {OLDEST[0]}.{OLDEST[1]} or newer"


def updates_ours(comments: Sequence[Comment], ours: Comment | None, *, title: str) -> bool:
    """Return whether `cml comment update` would update our comment, or create one if there is none.

    It reads the first 30 comments by any author, and updates the last one with its watermark.
    """
    marked = [comment for comment in comments[:SEEN] if f"CML watermark {watermark_of(title)}" in comment.body]
    return (marked[-1] if marked else None) == ours


def watermark_of(title: str) -> str:
    """Return the title as CML's watermark: letters, digits and spaces, because CML escapes other characters.

    >>> watermark_of("## Experiment report: churn_2")
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


def _last(done: subprocess.CompletedProcess[str], http: HttpClient) -> str:
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return http.hidden(lines[-1]) if lines else "no output"

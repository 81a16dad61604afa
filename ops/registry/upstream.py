"""Fetch and push the registry of the shared git remote, atomically."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import LabError
from ops.registry.lock import LostError
from ops.registry.tags import FORM
from ops.revisions.git import git, lines_of

MAIN = "main"
PEELED = "^{}"
CREDENTIALS = re.compile(r"://[^/\s'\"]*@")


class UpstreamError(LabError):
    """The remote did not respond, or has other tags than this clone."""


@dataclass(frozen=True)
class Shared:
    """The remote's newest commit of its branch, if any, and its registry tags."""

    tip: str | None
    tags: frozenset[str]


@dataclass(frozen=True)
class Upstream:
    """A remote of a clone, and its default branch, on which champions are promoted."""

    root: Path
    name: str
    branch: str

    @property
    def label(self) -> str:
        return f"{self.name}/{self.branch}"

    def fetch(self) -> Shared:
        """Fetch the branch and the registry's tags, and return the remote's state.

        A tag that differs here and there is refused.
        """
        theirs = self._refs()
        ours = {ref: commit for commit, ref in (line.split() for line in lines_of("show-ref", root=self.root))}
        tags = [ref for ref in theirs if FORM.fullmatch(ref.removeprefix("refs/tags/"))]
        if apart := [ref.removeprefix("refs/tags/") for ref in tags if ours.get(ref, theirs[ref]) != theirs[ref]]:
            raise UpstreamError(
                f"{', '.join(apart)} differs from {self.name}, expected the same tag. Cure: take "
                f"theirs: git tag --delete {' '.join(apart)}; git fetch --tags {self.name}"
            )
        branch = f"refs/heads/{self.branch}"
        wanted = [f"{ref}:{ref}" for ref in tags if ref not in ours] + [branch] * (branch in theirs)
        if wanted:
            _git("fetch", "--quiet", "--no-tags", self.name, *wanted, root=self.root)
        return Shared(theirs.get(branch), frozenset(ref.removeprefix("refs/tags/") for ref in tags))

    def push(self, tags: Sequence[str], *, commit: str | None) -> None:
        """Push new tags, and a commit to the branch if one is given, atomically."""
        leases = [f"--force-with-lease=refs/tags/{tag}:" for tag in tags]
        branch = [f"{commit}:refs/heads/{self.branch}"] if commit else []
        refs = [*branch, *(f"refs/tags/{tag}" for tag in tags)]
        done = git("push", "--atomic", "--porcelain", *leases, self.name, *refs, root=self.root, check=False)
        if done.returncode == 0:
            return
        lines = done.stdout.decode(errors="replace").splitlines()
        refused = [line.split("\t") for line in lines if line.startswith("!\t")]
        if not refused:
            said = without_credentials(done.stderr.decode(errors="replace").strip())
            raise UpstreamError(f"{self.name} did not accept the push: {said}. Nothing was changed there. Try again.")
        found = "; ".join(f"{parts[1].rpartition(':')[2].removeprefix('refs/')} {parts[2]}" for parts in refused)
        raise LostError(
            f"{self.name} refused the push, all of it: {found}. Another change came first. "
            f"See: git pull --tags {self.name} {self.branch}; python -m ops history"
        )

    def _refs(self) -> Mapping[str, str]:
        lines = (line.split("\t") for line in _git("ls-remote", self.name, root=self.root).splitlines())
        return {ref: commit for commit, ref in lines if not ref.endswith(PEELED)}


def upstream_of(root: Path) -> Upstream | None:
    """Return the shared remote: that of the branch, else origin, else the only one; None without one."""
    names = lines_of("remote", root=root)
    if not names:
        return None
    branch = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False).stdout.decode().strip()
    configured = git("config", f"branch.{branch}.remote", root=root, check=False).stdout.decode().strip()
    name = next((each for each in (configured, "origin", *names[: len(names) == 1]) if each in names), None)
    if name is None:
        raise UpstreamError(f"found the remotes {names}, expected origin. Cure: git remote rename NAME origin")
    return Upstream(root, name, _default_branch(name, root))


def _default_branch(name: str, root: Path) -> str:
    known = git("symbolic-ref", "--quiet", "--short", f"refs/remotes/{name}/HEAD", root=root, check=False)
    if known.returncode == 0:
        return known.stdout.decode().strip().removeprefix(f"{name}/")
    head = _git("ls-remote", "--symref", name, "HEAD", root=root).split()
    return head[1].removeprefix("refs/heads/") if head[:1] == ["ref:"] else MAIN


def without_credentials(text: str) -> str:
    """Return git's output without user and password in addresses.

    >>> without_credentials("fatal: unable to access 'https://someone:secret@example.org/it.git/'")
    "fatal: unable to access 'https://example.org/it.git/'"
    """
    return CREDENTIALS.sub("://", text)


def _git(*arguments: str, root: Path) -> str:
    done = git(*arguments, root=root, check=False)
    if done.returncode:
        said = without_credentials(done.stderr.decode(errors="replace").strip())
        raise UpstreamError(
            f"git {arguments[0]} with the remote failed: {said}. "
            "Cure: check `git remote --verbose`, the network and the credentials."
        )
    return done.stdout.decode()

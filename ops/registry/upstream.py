"""Fetch and push the registry of the shared git remote, atomically."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.registry.lock import LostError
from ops.registry.tags import FORM
from ops.revisions.git import git, lines_of
from ops.revisions.remote import Remote, RemoteError

MAIN = "main"


@dataclass(frozen=True)
class Shared:
    """The remote's newest commit of its branch, if any, and its registry tags."""

    tip: str | None
    tags: frozenset[str]


@dataclass(frozen=True)
class Upstream:
    """A remote of a clone, and its default branch, on which champions are promoted."""

    remote: Remote
    branch: str

    @property
    def label(self) -> str:
        return f"{self.remote.name}/{self.branch}"

    def fetch(self) -> Shared:
        """Fetch the branch and the registry's tags, and return the remote's state.

        A tag that differs here and there is refused.
        """
        theirs = self.remote.refs()
        ours = {ref: commit for commit, ref in (line.split() for line in lines_of("show-ref", root=self.remote.root))}
        tags = [ref for ref in theirs if FORM.fullmatch(ref.removeprefix("refs/tags/"))]
        if apart := [ref.removeprefix("refs/tags/") for ref in tags if ours.get(ref, theirs[ref]) != theirs[ref]]:
            raise RemoteError(
                f"{', '.join(apart)} differs from {self.remote.name}, expected the same tag. Cure: take "
                f"theirs: git tag --delete {' '.join(apart)}; git fetch --tags {self.remote.name}"
            )
        branch = f"refs/heads/{self.branch}"
        wanted = [f"{ref}:{ref}" for ref in tags if ref not in ours] + [branch] * (branch in theirs)
        if wanted:
            self.remote.fetch(*wanted)
        return Shared(theirs.get(branch), frozenset(ref.removeprefix("refs/tags/") for ref in tags))

    def push(self, tags: Sequence[str], *, commit: str | None) -> None:
        """Push new tags, and a commit to the branch if one is given, atomically."""
        leases = [f"--force-with-lease=refs/tags/{tag}:" for tag in tags]
        branch = [f"{commit}:refs/heads/{self.branch}"] if commit else []
        refs = [*branch, *(f"refs/tags/{tag}" for tag in tags)]
        remote = self.remote
        done = git("push", "--atomic", "--porcelain", *leases, remote.name, *refs, root=remote.root, check=False)
        if done.returncode == 0:
            return
        lines = done.stdout.decode(errors="replace").splitlines()
        refused = [line.split("\t") for line in lines if line.startswith("!\t")]
        if not refused:
            raise remote.refused("push", done.stderr)
        found = "; ".join(f"{parts[1].rpartition(':')[2].removeprefix('refs/')} {parts[2]}" for parts in refused)
        raise LostError(
            f"{remote.name} refused the push, all of it: {found}. Another change came first. "
            f"See: git pull --tags {remote.name} {self.branch}; python -m ops history"
        )


def upstream_of(root: Path) -> Upstream | None:
    """Return the shared remote: that of the branch, else origin, else the only one; None without one."""
    names = lines_of("remote", root=root)
    if not names:
        return None
    branch = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False).stdout.decode().strip()
    configured = git("config", f"branch.{branch}.remote", root=root, check=False).stdout.decode().strip()
    name = next((each for each in (configured, "origin", *names[: len(names) == 1]) if each in names), None)
    if name is None:
        raise RemoteError(f"found the remotes {names}, expected origin. Cure: git remote rename NAME origin")
    remote = Remote(root, name)
    return Upstream(remote, _default_branch(remote))


def _default_branch(remote: Remote) -> str:
    known = git("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote.name}/HEAD", root=remote.root, check=False)
    if known.returncode == 0:
        return known.stdout.decode().strip().removeprefix(f"{remote.name}/")
    return remote.head() or MAIN

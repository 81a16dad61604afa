"""The git remote that clones share: what it has of the registry, and one push that wins whole or not at all."""

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
    """The shared repository could not be asked, or has other tags than this clone."""


@dataclass(frozen=True)
class Shared:
    """What the shared repository has: the newest commit of its branch, if any, and the registry's tags."""

    tip: str | None
    tags: frozenset[str]


@dataclass(frozen=True)
class Upstream:
    """A remote of a clone, and the branch on which champions are promoted there: its default one."""

    root: Path
    name: str
    branch: str

    @property
    def spoken(self) -> str:
        return f"{self.name}/{self.branch}"

    def fetch(self) -> Shared:
        """Bring the branch and the registry's tags here, and return what is there.

        A tag that is another one there is refused, for nobody could say which of the two is meant.
        """
        theirs = self._refs()
        ours = {ref: commit for commit, ref in (line.split() for line in lines_of("show-ref", root=self.root))}
        tags = [ref for ref in theirs if FORM.fullmatch(ref.removeprefix("refs/tags/"))]
        if apart := [ref.removeprefix("refs/tags/") for ref in tags if ours.get(ref, theirs[ref]) != theirs[ref]]:
            raise UpstreamError(
                f"{', '.join(apart)} is one tag here and another on {self.name}, expected one of each. Cure: take "
                f"theirs: git tag --delete {' '.join(apart)}; git fetch --tags {self.name}"
            )
        branch = f"refs/heads/{self.branch}"
        wanted = [f"{ref}:{ref}" for ref in tags if ref not in ours] + [branch] * (branch in theirs)
        if wanted:
            _asked("fetch", "--quiet", "--no-tags", self.name, *wanted, root=self.root)
        return Shared(theirs.get(branch), frozenset(ref.removeprefix("refs/tags/") for ref in tags))

    def push(self, tags: Sequence[str], *, commit: str | None) -> None:
        """Push tags that must not be there yet, and a commit onto the branch where one is given: all or none."""
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
            raise UpstreamError(f"{self.name} could not be pushed to: {said}. Nothing was changed there. Try again.")
        found = "; ".join(f"{parts[1].rpartition(':')[2].removeprefix('refs/')} {parts[2]}" for parts in refused)
        raise LostError(
            f"{self.name} did not take it, and took none of it: {found}. Somebody else was first. "
            f"Look at it: git pull --tags {self.name} {self.branch}; python -m ops history"
        )

    def _refs(self) -> Mapping[str, str]:
        lines = (line.split("\t") for line in _asked("ls-remote", self.name, root=self.root).splitlines())
        return {ref: commit for commit, ref in lines if not ref.endswith(PEELED)}


def upstream_of(root: Path) -> Upstream | None:
    """Return the remote that is shared: that of the branch, else origin, else the only one; None where none is."""
    names = lines_of("remote", root=root)
    if not names:
        return None
    branch = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False).stdout.decode().strip()
    told = git("config", f"branch.{branch}.remote", root=root, check=False).stdout.decode().strip()
    name = next((each for each in (told, "origin", *names[: len(names) == 1]) if each in names), None)
    if name is None:
        raise UpstreamError(f"found the remotes {names}, expected origin. Cure: git remote rename NAME origin")
    return Upstream(root, name, _default_branch(name, root))


def _default_branch(name: str, root: Path) -> str:
    known = git("symbolic-ref", "--quiet", "--short", f"refs/remotes/{name}/HEAD", root=root, check=False)
    if known.returncode == 0:
        return known.stdout.decode().strip().removeprefix(f"{name}/")
    asked = _asked("ls-remote", "--symref", name, "HEAD", root=root).split()
    return asked[1].removeprefix("refs/heads/") if asked[:1] == ["ref:"] else MAIN


def without_credentials(text: str) -> str:
    """Return what git says with the user and the password taken out of every address.

    >>> without_credentials("fatal: unable to access 'https://someone:secret@example.org/it.git/'")
    "fatal: unable to access 'https://example.org/it.git/'"
    """
    return CREDENTIALS.sub("://", text)


def _asked(*arguments: str, root: Path) -> str:
    done = git(*arguments, root=root, check=False)
    if done.returncode:
        said = without_credentials(done.stderr.decode(errors="replace").strip())
        raise UpstreamError(
            f"The shared repository could not be asked (git {arguments[0]}): {said}. "
            "Cure: check `git remote --verbose`, the network and the credentials."
        )
    return done.stdout.decode()

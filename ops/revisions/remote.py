"""Read and push refs of a git remote; a refusal is one message without credentials."""

import re
from dataclasses import dataclass
from pathlib import Path

from ops.revisions.git import GitError, git

CREDENTIALS = re.compile(r"://[^/\s'\"]*@")
PEELED = "^{}"


class RemoteError(GitError):
    """The remote did not respond, or refused."""


@dataclass(frozen=True)
class Remote:
    """A git remote of a repository, by its name or address."""

    root: Path
    name: str

    def refs(self, *names: str) -> dict[str, str]:
        """Return the commit or tag object of each ref, or of those with the given names."""
        lines = (line.split("\t") for line in self._asked("ls-remote", self.name, *names).splitlines())
        return {ref: commit for commit, ref in lines if not ref.endswith(PEELED)}

    def commit_at(self, ref: str) -> str | None:
        """Return the commit of a ref, or None."""
        return self.refs(ref).get(ref)

    def head(self) -> str | None:
        """Return the default branch, or None if the remote does not say it."""
        found = self._asked("ls-remote", "--symref", self.name, "HEAD").split()
        return found[1].removeprefix("refs/heads/") if found[:1] == ["ref:"] else None

    def fetch(self, *refs: str) -> None:
        """Fetch refs, and no other tag."""
        self._asked("fetch", "--quiet", "--no-tags", self.name, *refs)

    def bring(self, ref: str) -> str | None:
        """Fetch a ref and return its commit, or None where the remote has none."""
        commit = self.commit_at(ref)
        if commit is not None:
            self.fetch(ref)
        return commit

    def push_new(self, commit: str, ref: str) -> None:
        """Push a new ref; if another clone pushed it first, theirs stays."""
        # The pre-push hook checks the user's working tree, which is not what is pushed.
        options = ("--quiet", "--no-verify", f"--force-with-lease={ref}:")
        done = git("push", *options, self.name, f"{commit}:{ref}", root=self.root, check=False)
        if done.returncode and self.commit_at(ref) is None:
            raise self.refused("push", done.stderr)

    def refused(self, what: str, error: bytes) -> RemoteError:
        """Return the error of a git command that failed."""
        said = without_credentials(error.decode(errors="replace").strip())
        return RemoteError(
            f"git {what} with the remote {without_credentials(self.name)} failed: {said}. Cure: check "
            "`git remote --verbose`, the network and the credentials; or work without the remote: --no-push, or no "
            "--push."
        )

    def _asked(self, *arguments: str) -> str:
        done = git(*arguments, root=self.root, check=False)
        if done.returncode:
            raise self.refused(arguments[0], done.stderr)
        return done.stdout.decode()


def without_credentials(text: str) -> str:
    """Return git's output without user and password in addresses.

    >>> without_credentials("fatal: unable to access 'https://someone:secret@example.org/it.git/'")
    "fatal: unable to access 'https://example.org/it.git/'"
    """
    return CREDENTIALS.sub("://", text)

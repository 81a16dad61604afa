"""Read and push refs of the git remote that a retraining publishes to."""

from dataclasses import dataclass
from pathlib import Path

from ops.registry.upstream import without_credentials
from ops.revisions.git import GitError, git


@dataclass(frozen=True)
class Shared:
    """A remote of the user's repository."""

    root: Path
    name: str

    def commit_at(self, ref: str) -> str | None:
        """Return the commit of a ref on the remote, or None."""
        found = self._asked("ls-remote", self.name, ref).split()
        return found[0] if found else None

    def bring(self, ref: str) -> str | None:
        """Fetch a ref of the remote and return its commit, or None."""
        commit = self.commit_at(ref)
        if commit is not None:
            self._asked("fetch", "--quiet", "--no-tags", self.name, ref)
        return commit

    def push_new(self, commit: str, ref: str) -> None:
        """Push a new ref; if another clone pushed it first, theirs stays."""
        # The pre-push hook checks the user's working tree, which is not what is pushed.
        options = ("--quiet", "--no-verify", f"--force-with-lease={ref}:")
        done = git("push", *options, self.name, f"{commit}:{ref}", root=self.root, check=False)
        if done.returncode and self.commit_at(ref) is None:
            raise self._refused("push", done.stderr)

    def _asked(self, *arguments: str) -> str:
        done = git(*arguments, root=self.root, check=False)
        if done.returncode:
            raise self._refused(arguments[0], done.stderr)
        return done.stdout.decode()

    def _refused(self, what: str, error: bytes) -> GitError:
        said = without_credentials(error.decode(errors="replace").strip())
        return GitError(
            f"git {what} with the remote {without_credentials(self.name)} failed: {said}. Cure: check "
            "`git remote --verbose`, the network and the credentials; or leave out --push."
        )


def commit_here(root: Path, ref: str) -> str | None:
    """Return the commit of a ref of the user's repository, or None."""
    done = git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", root=root, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None

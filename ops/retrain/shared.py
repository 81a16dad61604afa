"""The git remote that a retraining publishes to: what is there, and a push of what must not be there yet."""

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
        """Return the commit of a ref there, or None where there is no such ref."""
        found = self._asked("ls-remote", self.name, ref).split()
        return found[0] if found else None

    def bring(self, ref: str) -> str | None:
        """Return the commit of a ref there once it is here, too; None where there is no such ref."""
        commit = self.commit_at(ref)
        if commit is not None:
            self._asked("fetch", "--quiet", "--no-tags", self.name, ref)
        return commit

    def push_new(self, commit: str, ref: str) -> None:
        """Push a ref that must not be there yet; where another clone was first, theirs stands."""
        # The hook before a push looks at the user's working tree, which is not what is pushed.
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
            f"git {what} with the remote {without_credentials(self.name)} was refused: {said}. Cure: look at "
            "`git remote --verbose`, the network and the credentials; or leave out --push."
        )


def commit_here(root: Path, ref: str) -> str | None:
    """Return the commit of a ref of the user's repository, or None where there is no such ref."""
    done = git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", root=root, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None

"""Find what an earlier run kept: its experiment, its proposal."""

from pathlib import Path

from ops.retrain.request import Options, Request
from ops.revisions.git import git
from ops.revisions.remote import Remote


def earlier_commit(ref: str, request: Request, options: Options) -> str | None:
    """Return the commit of a ref in the user's repository or, if the run pushes, on the remote; or None."""
    here = commit_here(request.root, ref)
    return Remote(request.root, options.remote).bring(ref) if here is None and options.push else here


def commit_here(root: Path, ref: str) -> str | None:
    """Return the commit of a ref of a repository, or None."""
    done = git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", root=root, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None

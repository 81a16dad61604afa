"""Keep each trained candidate as a DVC experiment, so that none is trained twice."""

from ops.retrain.request import Options, Request
from ops.retrain.shared import Shared, commit_here
from ops.retrain.staging import run_checked
from ops.retrain.workplace import Workplace
from ops.revisions.git import git


def experiment_of(request: Request, options: Options) -> str | None:
    """Return the commit of an earlier run's experiment, local or on the remote; or None."""
    ref = experiment_ref(request)
    here = commit_here(request.root, ref)
    return Shared(request.root, options.remote).bring(ref) if here is None and options.push else here


def save_experiment(request: Request, options: Options, work: Workplace, page: str) -> str:
    """Return the commit of the experiment, kept in the user's repository with the page as its message."""
    git("reset", "--quiet", "--soft", request.base, root=work.tree)  # a killed save may have moved HEAD
    git("add", "--all", root=work.tree)
    run_checked(work, "dvc", "exp", "save", "--quiet", "--force", "--name", request.experiment, "--message", page)
    ref = experiment_ref(request)
    commit = work.bring_home(ref)
    if options.push:
        Shared(request.root, options.remote).push_new(commit, ref)
    return commit


def experiment_ref(request: Request) -> str:
    """Return the ref under which DVC keeps the experiment."""
    return f"refs/exps/{request.base[:2]}/{request.base[2:]}/{request.experiment}"

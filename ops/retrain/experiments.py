"""Keep each trained candidate as a DVC experiment, so that none is trained twice."""

from ops.retrain.earlier import earlier_commit
from ops.retrain.request import Options, Request
from ops.retrain.staging import run_checked
from ops.retrain.workplace import Workplace
from ops.revisions.git import git
from ops.revisions.remote import Remote


def experiment_of(request: Request, options: Options) -> str | None:
    """Return the commit of an earlier run's experiment, local or on the remote; or None."""
    return earlier_commit(experiment_ref(request), request, options)


def save_experiment(request: Request, options: Options, work: Workplace, page: str) -> str:
    """Return the commit of the experiment, kept in the user's repository with the page as its message."""
    git("reset", "--quiet", "--soft", request.base, root=work.tree)  # a killed save may have moved HEAD
    git("add", "--all", root=work.tree)
    run_checked(work, "dvc", "exp", "save", "--quiet", "--force", "--name", request.experiment, "--message", page)
    ref = experiment_ref(request)
    commit = work.bring_home(ref)
    if options.push:
        Remote(request.root, options.remote).push_new(commit, ref)
    return commit


def experiment_ref(request: Request) -> str:
    """Return the ref under which DVC keeps the experiment."""
    return f"refs/exps/{request.base[:2]}/{request.base[2:]}/{request.experiment}"

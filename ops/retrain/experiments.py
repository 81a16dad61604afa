"""Keep what a training gave as a DVC experiment, a rejected candidate too, so that nothing is trained twice."""

from ops.retrain.options import Wishes
from ops.retrain.request import Request
from ops.retrain.shared import Shared, commit_here
from ops.retrain.staging import asked
from ops.retrain.workplace import Workplace
from ops.revisions.git import git


def experiment_of(request: Request, wishes: Wishes) -> str | None:
    """Return the commit of the experiment that an earlier run kept, here or where it was pushed to; or None."""
    ref = experiment_ref(request)
    here = commit_here(request.root, ref)
    return Shared(request.root, wishes.remote).bring(ref) if here is None and wishes.push else here


def save_experiment(request: Request, wishes: Wishes, work: Workplace, page: str) -> str:
    """Return the commit of the experiment, kept in the user's repository with the page as its message."""
    git("reset", "--quiet", "--soft", request.base, root=work.tree)  # a killed save may have moved HEAD
    git("add", "--all", root=work.tree)
    asked(work, "dvc", "exp", "save", "--quiet", "--force", "--name", request.experiment, "--message", page)
    ref = experiment_ref(request)
    commit = work.bring_home(ref)
    if wishes.push:
        Shared(request.root, wishes.remote).push_new(commit, ref)
    return commit


def experiment_ref(request: Request) -> str:
    """Return where DVC keeps an experiment of the base."""
    return f"refs/exps/{request.base[:2]}/{request.base[2:]}/{request.experiment}"

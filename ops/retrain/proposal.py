"""Propose a candidate on a branch: its data and results, then the change of champion.yaml."""

from ops.retrain.decision import Decision, EndedError
from ops.retrain.earlier import earlier_commit
from ops.retrain.request import Options, Request
from ops.retrain.staging import crash, run_checked
from ops.retrain.workplace import Workplace, environment_of
from ops.revisions.git import git, lines_of, text_of

PROPOSE = ("python", "-m", "ops", "promote", "--propose")
GUARD_REFUSES = 1
NO = "NO  "
OF_DVC = ".dvc/tmp/repro.dat"  # what `dvc exp save` adds to an experiment: its arguments, pickled


def proposal_of(request: Request, options: Options) -> str | None:
    """Return the commit of the proposal's branch, local or on the remote; or None."""
    return earlier_commit(branch_ref(request), request, options)


def first_commit(request: Request, commit: str) -> str:
    """Return the first commit of a proposal: the candidate's results, with the page as its message."""
    return lines_of("rev-list", "--reverse", "--first-parent", f"{request.base}..{commit}", root=request.root)[0]


def propose(request: Request, options: Options, work: Workplace, experiment: str) -> str:
    """Return the newest commit of the proposal's branch, which the user's repository gets once it is complete."""
    work.make(request.base)
    page = text_of("log", "-1", "--format=%B", experiment, root=request.root)
    work.switch(experiment)
    git("rm", "--quiet", "--force", "--ignore-unmatch", "--", OF_DVC, root=work.tree)
    arguments = ("commit-tree", text_of("write-tree", root=work.tree), "-p", request.base, "-m", page)
    results = git(*arguments, root=work.tree, environment=environment_of(request.root)).stdout.decode().strip()
    work.switch(results, branch=request.branch)
    run_checked(work, "dvc", "checkout", "--quiet", "--force", "--allow-missing")
    if options.push:
        run_checked(work, "dvc", "push", "--quiet")
    outcome = work.run(*PROPOSE, *([] if options.push else ["--no-push"]))
    if outcome.code == GUARD_REFUSES:
        answers = [line.strip() for line in outcome.lines if line.startswith(NO)]
        raise EndedError(Decision("rejected", ("the registry refuses it:", *answers), experiment=request.experiment))
    if outcome.code:
        raise crash(f"`{' '.join(PROPOSE[1:])}` exited with {outcome.code}", outcome)
    return work.bring_home(branch_ref(request))


def branch_ref(request: Request) -> str:
    """Return the full name of the proposal's branch."""
    return f"refs/heads/{request.branch}"

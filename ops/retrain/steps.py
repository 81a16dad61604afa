"""The way of a retraining, in the order that saves: known already, contract, drift, training, judgement, proposal."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from lab.core.errors import LabError
from ops.registry.promotion import Promotion
from ops.retrain.data import bring_in, drawn_by
from ops.retrain.decision import Decision, EndedError, Word
from ops.retrain.experiments import experiment_of, save_experiment
from ops.retrain.findings import Findings, judged
from ops.retrain.lock import LOCK, retrain_lock
from ops.retrain.need import Need, judge_need
from ops.retrain.options import Wishes
from ops.retrain.page import page_of
from ops.retrain.proposal import first_commit, proposal_of, propose
from ops.retrain.publishing import publish
from ops.retrain.request import Request
from ops.retrain.staging import reproduce
from ops.retrain.workplace import Workplace
from ops.revisions.snapshot import WORKSPACE, Snapshot

LAST_BEFORE_TRAINING = "featurize"


@dataclass(frozen=True)
class Run:
    """One run of the verb."""

    request: Request
    wishes: Wishes
    work: Workplace
    say: Callable[[str], None]

    def decision(self, word: Word, *reasons: str, **more: Any) -> Decision:
        return Decision(word, reasons, task=self.request.task, base=self.request.base, **more)


def retrain(request: Request, wishes: Wishes, *, say: Callable[[str], None]) -> Decision:
    """Return how it ended. A run that is killed leaves what the next one goes on from; one that ends leaves nothing."""
    try:
        with retrain_lock(request.root / LOCK, doing=f"{request.task} from commit {request.base[:12]}") as lock:
            return _ended(Run(request, wishes, Workplace(request.root, lock, say), say))
    except EndedError as busy:
        return busy.decision


def _ended(run: Run) -> Decision:
    # What broke off is taken up once more; where that breaks off too, nothing there is worth keeping.
    kept = not run.work.exists
    try:
        decision = _known(run) or _found_out(run)
        kept = False
    except EndedError as ended:
        decision = replace(ended.decision, task=run.request.task, base=run.request.base)
        kept = kept and decision.word == "crashed"
    except KeyboardInterrupt:
        kept = True
        raise
    except LabError:
        kept = False
        raise
    finally:
        if not kept:
            run.work.remove()
    return decision


def _known(run: Run) -> Decision | None:
    """Return what an earlier run on the same data and base came to; None where none did, or one was killed before."""
    request, wishes = run.request, run.wishes
    if not request.is_known:
        return None
    if (commit := proposal_of(request, wishes)) is not None:
        run.say(f"{request.branch} is there already")
        return _published(run, commit, again=True)
    commit = experiment_of(request, wishes)
    promotion = judged(Snapshot(request.experiment, commit, request.root)) if commit is not None else None
    return _rejected(run, promotion, again=True) if promotion is not None and not promotion.allowed else None


def _found_out(run: Run) -> Decision:
    commit = experiment_of(run.request, run.wishes) if run.request.is_known else None
    if commit is None:
        run = _with_sound_data(run)
        if run.request.asks_source and (known := _known(run)) is not None:
            return known
        commit = experiment_of(run.request, run.wishes) or _trained(run)
    if run.wishes.dry_run:
        return run.decision("would train", "an earlier run has trained the candidate; it would be proposed")
    promotion = judged(Snapshot(run.request.experiment, commit, run.request.root))
    if not promotion.allowed:
        return _rejected(run, promotion)
    run.say(f"proposes it on {run.request.branch}")
    return _published(run, propose(run.request, run.wishes, run.work, commit))


def _with_sound_data(run: Run) -> Run:
    """Return the run with its data in the clone and through the contract; a database's data name the request."""
    run.say(f"new data for {run.request.task}, from commit {run.request.base[:12]}")
    bring_in(run.request, run.work)
    if run.request.asks_source:
        reproduce(run.work, "ingest", force=True)
    reproduce(run.work, LAST_BEFORE_TRAINING)
    return replace(run, request=replace(run.request, drawn=drawn_by(run.request, run.work)))


def _trained(run: Run) -> str:
    """Return the experiment that the training gave; where none is due, the retraining ends."""
    need = judge_need(run.wishes, run.work)
    for reason in need.reasons:
        run.say(reason)
    if not need.due:
        raise EndedError(run.decision("no need", *need.reasons, drift=need.drift))
    if run.wishes.dry_run:
        raise EndedError(run.decision("would train", *need.reasons, drift=need.drift))
    run.say("trains the candidates and holds the best against the champion")
    reproduce(run.work)
    made = Snapshot(WORKSPACE, None, run.work.tree)
    promotion = judged(made)
    return save_experiment(run.request, run.wishes, run.work, page_of(_findings(run, need, made, promotion)))


def _findings(run: Run, need: Need, made: Snapshot, promotion: Promotion) -> Findings:
    base = Snapshot(run.request.base[:12], run.request.base, run.request.root)
    return Findings(run.request, base, made, need, promotion)


def _rejected(run: Run, promotion: Promotion, *, again: bool = False) -> Decision:
    return run.decision(
        "rejected",
        *promotion.reasons,
        again=again,
        experiment=run.request.experiment,
        promotion=asdict(promotion),
        next=(f"python -m ops compare {run.request.base[:12]} {run.request.experiment}",),
    )


def _published(run: Run, commit: str, *, again: bool = False) -> Decision:
    """Return the proposal, pushed and with its pull request where that was asked for."""
    request = run.request
    told = publish(request, run.wishes, run.work, commit, say=run.say) if not run.wishes.dry_run else None
    promotion = judged(Snapshot(request.experiment, first_commit(request, commit), request.root))
    return run.decision(
        "proposed",
        *(["it was proposed before"] if again else []),
        *promotion.reasons,
        again=again,
        branch=request.branch,
        commit=commit,
        experiment=request.experiment,
        pull_request=told.url if told else None,
        next=told.next if told else (),
        promotion=asdict(promotion),
    )

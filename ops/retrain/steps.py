"""Run the steps of a retraining: contract, drift, training, comparison, proposal."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from lab.core.errors import LabError
from ops.registry.promotion import Promotion
from ops.retrain.candidate import Findings, judged
from ops.retrain.data import bring_in, drawn_by
from ops.retrain.decision import Decision, EndedError, Word
from ops.retrain.experiments import experiment_of, save_experiment
from ops.retrain.lock import LOCK, retrain_lock
from ops.retrain.need import Need, judge_need
from ops.retrain.page import page_of
from ops.retrain.proposal import first_commit, proposal_of, propose
from ops.retrain.publishing import publish
from ops.retrain.request import Options, Request
from ops.retrain.staging import reproduce
from ops.retrain.workplace import Workplace
from ops.revisions.snapshot import WORKSPACE, Snapshot

LAST_BEFORE_TRAINING = "featurize"


@dataclass(frozen=True)
class Run:
    """One run of the verb."""

    request: Request
    options: Options
    work: Workplace
    log: Callable[[str], None]

    def decision(self, word: Word, *reasons: str, **more: Any) -> Decision:
        return Decision(word, reasons, task=self.request.task, base=self.request.base, **more)


def retrain(request: Request, options: Options, *, log: Callable[[str], None]) -> Decision:
    """Return the decision. A killed run leaves its clone for the next run to resume; a finished one removes it."""
    try:
        with retrain_lock(request.root / LOCK, doing=f"{request.task} from commit {request.base[:12]}"):
            return _decide(Run(request, options, Workplace(request.root, log), log))
    except EndedError as busy:
        return busy.decision


def _decide(run: Run) -> Decision:
    # A crashed run is resumed once; if it crashes again, its clone is removed.
    kept = not run.work.exists
    try:
        decision = _earlier_decision(run) or _new_decision(run)
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


def _earlier_decision(run: Run) -> Decision | None:
    """Return the decision of an earlier run on the same data and base, or None."""
    request, options = run.request, run.options
    if not request.is_known:
        return None
    if (commit := proposal_of(request, options)) is not None:
        run.log(f"{request.branch} exists already")
        return _published(run, commit, again=True)
    commit = experiment_of(request, options)
    promotion = judged(Snapshot(request.experiment, commit, request.root)) if commit is not None else None
    return _rejected(run, promotion, again=True) if promotion is not None and not promotion.allowed else None


def _new_decision(run: Run) -> Decision:
    commit = experiment_of(run.request, run.options) if run.request.is_known else None
    if commit is None:
        run = _with_sound_data(run)
        if run.request.asks_source and (known := _earlier_decision(run)) is not None:
            return known
        commit = experiment_of(run.request, run.options) or _trained(run)
    if run.options.dry_run:
        return run.decision("would train", "an earlier run trained the candidate; it would be proposed")
    promotion = judged(Snapshot(run.request.experiment, commit, run.request.root))
    if not promotion.allowed:
        return _rejected(run, promotion)
    run.log(f"proposes it on {run.request.branch}")
    return _published(run, propose(run.request, run.options, run.work, commit))


def _with_sound_data(run: Run) -> Run:
    """Bring in the data and check its contract; return the run, named by the data of a database."""
    run.log(f"new data for {run.request.task}, from commit {run.request.base[:12]}")
    bring_in(run.request, run.work)
    if run.request.asks_source:
        reproduce(run.work, "ingest", force=True)
    reproduce(run.work, LAST_BEFORE_TRAINING)
    return replace(run, request=replace(run.request, drawn=drawn_by(run.request, run.work)))


def _trained(run: Run) -> str:
    """Train and return the experiment; end the retraining if no training is due."""
    need = judge_need(run.options, run.work)
    for reason in need.reasons:
        run.log(reason)
    if not need.due:
        raise EndedError(run.decision("no need", *need.reasons, drift=need.drift))
    if run.options.dry_run:
        raise EndedError(run.decision("would train", *need.reasons, drift=need.drift))
    run.log("trains the candidates and compares the best with the champion")
    reproduce(run.work)
    made = Snapshot(WORKSPACE, None, run.work.tree)
    promotion = judged(made)
    return save_experiment(run.request, run.options, run.work, page_of(_findings(run, need, made, promotion)))


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
    """Publish the proposal if asked to, and return the decision."""
    request = run.request
    published = publish(request, run.options, run.work, commit, log=run.log) if not run.options.dry_run else None
    promotion = judged(Snapshot(request.experiment, first_commit(request, commit), request.root))
    return run.decision(
        "proposed",
        *(["it was proposed before"] if again else []),
        *promotion.reasons,
        again=again,
        branch=request.branch,
        commit=commit,
        experiment=request.experiment,
        pull_request=published.url if published else None,
        next=published.next if published else (),
        promotion=asdict(promotion),
    )

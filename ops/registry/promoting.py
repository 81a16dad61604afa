"""Promote the challenger: check the guards, write champion.yaml, derive, compare, commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from lab.core.errors import ParamsError, SourceError
from lab.core.params import CURE, PARAMS, parse
from lab.train.champion import FILE, Champion, Gain
from ops.registry.champion_changes import champion_changes
from ops.registry.deriving import DerivingError, commit_results, derive, dvc
from ops.registry.entries import entry_at, entry_of, write_entry
from ops.registry.guards import Answer, checked, versions_are_behind, working_tree_answers
from ops.registry.judged import CHALLENGER, CHAMPION, differences, different_scores, identity, judged_at
from ops.registry.outcome import Change
from ops.registry.place import Place, place_of
from ops.registry.promotion import PromoteParams, Promotion, judge_promotion, missed_gates
from ops.registry.registering import (
    check_can_be_registered,
    following_answers,
    objects_answer,
    register_or_undo,
)
from ops.registry.task import task_of
from ops.registry.unfinished import in_progress, registry_change, taken_up
from ops.revisions.snapshot import WORKSPACE, Snapshot, snapshot_of
from ops.verify.state import State

NOTHING_OVERRULED: Mapping[str, str] = MappingProxyType({})
VALIDATE, ABTEST = "metrics/validate.json", "metrics/abtest.json"


@dataclass(frozen=True)
class Case:
    """What HEAD says for and against the challenger."""

    place: Place
    head: Snapshot
    champion: Champion
    promotion: Promotion
    better: bool  # by the gain only, regardless of the gates
    least_gain: float
    force: str | None
    missed: Sequence[str]  # the deciding gates that did not pass
    overruled: Mapping[str, str]  # of these, the ones that a person overrules, with the reason


def propose(
    root: Path,
    *,
    task: str | None = None,
    force: str | None = None,
    overrule: Mapping[str, str] = NOTHING_OVERRULED,
    push: bool | None = None,
    dry_run: bool = False,
) -> Change:
    """Commit the challenger of HEAD as the champion on the current branch; tags follow after the merge.

    Nothing changes if a guard refuses: see `allowed` and `answers`. `force` is a person's reason that overrules the
    gain, and `overrule` has one for each gate that did not pass. With `push=False` nothing is pushed to DVC's remote.
    """
    with registry_change(root, dry_run=dry_run):
        place = Place(root, task_of(root, task), push, None, None)
        earlier = taken_up(place, "promote", dry_run=dry_run)
        return earlier or _proposed(_case_of(place, force, overrule), dry_run=dry_run)


def promote(
    root: Path,
    *,
    task: str | None = None,
    stage: str = "production",
    force: str | None = None,
    overrule: Mapping[str, str] = NOTHING_OVERRULED,
    push: bool | None = None,
    dry_run: bool = False,
) -> Change:
    """Propose and register in one step; undo the commit if it cannot be registered."""
    with registry_change(root, dry_run=dry_run):
        place = place_of(root, task_of(root, task), push=push)
        check_can_be_registered(place)
        change = taken_up(place, "promote", dry_run=dry_run)
        if change is None:
            change = _proposed(_case_of(place, force, overrule), dry_run=dry_run)
        if change.commit is None:
            return change
        return replace(change, registration=register_or_undo(place, stage=stage, commit=change.commit))


def _case_of(place: Place, force: str | None, overrule: Mapping[str, str]) -> Case:
    head = snapshot_of("HEAD", root=place.root)
    found = head.yaml(str(PARAMS)) or {}
    rule = parse(found.get("promote", {}), kind=PromoteParams, where=f"{PARAMS}: promote", cure=CURE)
    validate, abtest = head.result(VALIDATE), head.result(ABTEST)
    try:
        promotion = judge_promotion(validate, abtest, rule)
        better = judge_promotion({"failed": []}, abtest, rule).allowed
        missed = [name for names in missed_gates(validate).values() for name in names]
    except (KeyError, TypeError) as error:
        raise SourceError(
            f"{VALIDATE} and {ABTEST} at HEAD have no comparison with a challenger: {error!r}. "
            "Cure: dvc repro, then commit its results."
        ) from error
    if unknown := sorted(set(overrule) - set(missed)):
        raise ParamsError(
            f"--overrule names {unknown}, expected gates that did not pass: {missed}. "
            "Cure: see python -m ops gate; leave out --overrule for a gate that passed."
        )
    champion = entry_at(head, place.task)
    return Case(place, head, champion, promotion, better, rule.least_gain, force, missed, overrule)


def _proposed(case: Case, *, dry_run: bool) -> Change:
    place = case.place
    seen = [each.version for each in champion_changes(place.task, root=place.root)]
    change = Change(
        task=place.task,
        version=max([case.champion.version, *place.registry.versions, *seen]) + 1,
        replaces=case.champion.version,
        because=_because(case),
        answers=tuple(_answers(case)),
        gain=_gain(case.promotion),
    )
    return change if dry_run or not change.allowed else replace(change, commit=_commit(case, change))


def _answers(case: Case) -> list[Answer]:
    place, root = case.place, case.place.root
    state = State(root, asks_remote=place.push is not False)
    return [
        *working_tree_answers(root, state),
        *objects_answer(place, state),
        checked("after every version", lambda: versions_are_behind(place.registry, root)),
        *following_answers(place),
        _gates(case),
        _gain_is_enough(case),
        checked("challenger is another model", lambda: _is_another(case)),
    ]


def _gates(case: Case) -> Answer:
    cure = "see python -m ops gate; a person may overrule each: --overrule GATE=REASON"
    reason = _overruled(case) if set(case.overruled) == set(case.missed) else None
    return Answer("gates passed", not case.missed, case.promotion.reasons[0], cure, overruled=reason)


def _overruled(case: Case) -> str:
    return "; ".join(f"{gate}: {reason}" for gate, reason in case.overruled.items())


def _gain_is_enough(case: Case) -> Answer:
    cure = "see python -m ops compare; to overrule: --force REASON"
    return Answer("better by enough", case.better, case.promotion.reasons[1], cure, overruled=case.force)


def _is_another(case: Case) -> Answer:
    judged = judged_at(case.head, case.place.root)
    challenger, champion = judged.manifest(CHALLENGER), judged.manifest(CHAMPION)
    another = identity(challenger) != identity(champion)
    found = f"{challenger.specification.estimator} against {champion.specification.estimator}"
    return Answer(
        "challenger is another model",
        another,
        found if another else "the challenger is the champion already, byte for byte",
        "nothing to do",
    )


def _because(case: Case) -> str:
    gates = f"gates overruled: {_overruled(case)}" if case.overruled else "passed its gates"
    if case.force is not None and not case.better:
        forced = f"forced: {case.force} ({case.promotion.reasons[1]})"
        return f"{gates}; {forced}" if case.overruled else forced
    return f"{gates}; significantly better, by {case.least_gain:g} or more"


def _gain(promotion: Promotion) -> Gain | None:
    if promotion.gain is None or promotion.low is None or promotion.high is None:
        return None
    return Gain(metric=promotion.metric, value=promotion.gain, low=promotion.low, high=promotion.high)


def _commit(case: Case, change: Change) -> str:
    root, judged = case.place.root, judged_at(case.head, case.place.root)
    entry = entry_of(
        judged.manifest(CHALLENGER),
        version=change.version,
        replaces=change.replaces,
        because=change.because,
        gain=change.gain,
        overruled=dict(case.overruled) or None,
    )
    message = _message(case, entry)
    with in_progress(case.place, "promote", message=message):
        write_entry(root / FILE, case.place.task, entry)
        derive(root, remote_is_complete=case.place.push is not False)
        derived = judged_at(snapshot_of(WORKSPACE, root=root), root)
        if wrong := [*differences(judged, CHALLENGER, derived), *different_scores(judged, derived)]:
            raise DerivingError(
                f"The champion derived from {FILE} is not the judged challenger: {'; '.join(wrong)}. "
                "Everything was restored. Cure: `dvc repro --force`, commit its results, and try again."
            )
        if case.place.push is not False:
            dvc("push", "--quiet", root=root, check=True)
        return commit_results(root, message, after=str(case.head.commit))


def _message(case: Case, entry: Champion) -> str:
    lines = [
        f"Promote version {entry.version} of {case.place.task} over version {entry.replaces}",
        "",
        f"{entry.estimator} replaces {case.champion.estimator}, because:",
        *(f"- {reason}" for reason in case.promotion.reasons),
        *(f"- a person overruled the gate {gate}: {reason}" for gate, reason in case.overruled.items()),
        *([f"- forced: {case.force}"] if case.force is not None and not case.better else []),
    ]
    if entry.trained_until is not None:
        lines += ["", f"Trained on rows whose label was known by {entry.trained_until}."]
    return "\n".join(lines)

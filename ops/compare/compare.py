"""Compare two revisions: what went in, what came out, and what follows from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.abtest.comparison_settings import ComparisonParams
from lab.core.errors import LabError, SourceError
from lab.core.params import parse
from lab.predictions.predictions import MODELS
from lab.task.money import Money, MoneySection
from ops.compare.changes import Change, changes, in_one_line
from ops.compare.comparison import Comparison, Inputs, Metrics, Revision
from ops.compare.data import data_change
from ops.compare.differences import ModelDifferences, judge_model, plain_differences
from ops.compare.drift import drift_change
from ops.compare.experiment import answer_of
from ops.compare.figures import figures_of
from ops.compare.freshness import stale_stages
from ops.compare.gates import gate_changes
from ops.compare.graph import graph_of
from ops.compare.plots import plots_of
from ops.compare.predicted import MONEY, Predictions, Store, briefly, json_of, predictions_of
from ops.compare.rows import match_rows
from ops.compare.settings import seed_of, settings_of
from ops.compare.touched import code_change
from ops.compare.training import training_of
from ops.registry.promotion import PromoteParams, Promotion, judge_promotion
from ops.revisions.git import git
from ops.revisions.lock import LockedStage
from ops.revisions.objects import Objects
from ops.revisions.snapshot import Snapshot, snapshot_of

EVALUATE, VALIDATE, ABTEST, DRIFT = (f"metrics/{name}.json" for name in ("evaluate", "validate", "abtest", "drift"))
OTHER_TASK = "the task is another one"

Say = Callable[[str], None]


def compare_revisions(base: str, head: str, *, root: Path = Path(), say: Say = lambda _: None) -> Comparison:
    """Return two revisions side by side; nothing is checked out, pulled or written. `say` gets the progress."""
    objects = Objects(root)
    stores = tuple(Store(snapshot_of(name, root=root), objects) for name in (base, head))
    return compare_stores(*stores, say=say)


def compare_stores(base: Store, head: Store, *, say: Say) -> Comparison:
    """Return two revisions with their outputs side by side."""
    old, new = base.snapshot, head.snapshot
    settings = settings_of(new)
    origin = origin_of(base, head)
    say(f"reading {old.name} and {new.name}")
    revisions = [
        Revision(store.snapshot.name, store.snapshot.commit, _task(store.snapshot), stale_stages(store))
        for store in (base, head)
    ]
    promotion, no_promotion = _promotion(new)
    return Comparison(
        base=revisions[0],
        head=revisions[1],
        base_is_ahead=_base_is_ahead(old, new),
        settings=settings,
        branch_point=None if origin is base else origin.snapshot.commit,
        inputs=_inputs(origin, head),
        metrics=_metrics(base, head, settings=settings, say=say),
        training=training_of(old, new),
        gates=gate_changes(
            old.result(VALIDATE),
            new.result(VALIDATE),
            origin=origin.snapshot.result(VALIDATE),
            other_task=revisions[0].task != revisions[1].task,
        ),
        drift=drift_change(old.result(DRIFT), new.result(DRIFT)),
        base_answer=answer_of(old.result(ABTEST)),
        head_answer=answer_of(new.result(ABTEST)),
        plots=plots_of(old, new),
        graph=graph_of(base.stages, head.stages),
        promotion=promotion,
        no_promotion=no_promotion,
    )


def origin_of(base: Store, head: Store) -> Store:
    """Return where the head left the base: what the base changed since then is not the head's doing.

    It is the base itself where the head is one of its ancestors.
    """
    old, new, root = base.snapshot, head.snapshot, base.snapshot.root
    if old.commit is None:
        return base
    found = git("merge-base", old.commit, new.commit or "HEAD", root=root, check=False)
    commit = found.stdout.decode().strip()
    if not commit:
        raise SourceError(
            f"{old.name} and {new.name} share no commit, expected two revisions of one history. "
            "Cure: git fetch --unshallow, if this clone is shallow"
        )
    if commit in {old.commit, new.commit}:
        return base
    return Store(Snapshot(f"the branch point {commit[:12]}", commit, root), base.objects)


def _inputs(base: Store, head: Store) -> Inputs:
    old, new = base.snapshot, head.snapshot
    return Inputs(
        params=_changes("params.yaml", old, new),
        task=changes(*(snapshot.task(_task(snapshot)) for snapshot in (old, new))),
        champion=_changes("champion.yaml", old, new),
        data=data_change(base, head),
        code=code_change(old, new),
        training=training_of(old, new),
        trained_anew=_trained(base.stages) != _trained(head.stages),
    )


def _metrics(base: Store, head: Store, *, settings: ComparisonParams, say: Say) -> Metrics:
    old, new = (store.snapshot.result(EVALUATE) for store in (base, head))
    try:
        predictions = _comparable(base, head, say=say)
        matched = match_rows(*predictions, stores=(base, head))
        untested = "" if matched.rows.same else "the test rows differ"
    except LabError as error:
        predictions, matched, untested = None, None, briefly(error)
    money, seed = _money(head), seed_of(head.snapshot)
    if matched is not None and matched.rows.compared:
        say(f"comparing {matched.rows.compared:,} rows")

    def judged(model: str) -> ModelDifferences:
        plain = plain_differences(old, new, model=model, why=untested) if untested else ()
        if predictions is None or matched is None:
            return ModelDifferences(model, same_predictions=False, tested=(), further=(), untested=plain)
        same, tested, further = judge_model(model, *predictions, matched, settings=settings, seed=seed, money=money)
        return ModelDifferences(model, same, tested, further, plain)

    models = {model: judged(model) for model in MODELS}
    return Metrics(
        rows=matched.rows if matched else None,
        untested=untested,
        challenger=models["challenger"],
        champion=models["champion"],
        figures=figures_of(old, new),
        currency=str((new or {}).get("currency", "")),
    )


def _comparable(base: Store, head: Store, *, say: Say) -> tuple[Predictions, Predictions]:
    """Return both revisions' predictions of the same question."""
    if _task(base.snapshot) != _task(head.snapshot):
        raise LabError(OTHER_TASK)
    found = []
    for store in (base, head):
        say(f"fetching the predictions of {store.snapshot.name}")
        try:
            found.append(predictions_of(store))
        except LabError as error:
            raise LabError(f"{briefly(error)} (at {store.snapshot.name})") from error
    asked = [(each.schema.question, each.schema.positive, each.keys) for each in found]
    if asked[0] != asked[1]:
        raise LabError("the task asks another question, counts another answer as positive, or names rows otherwise")
    return found[0], found[1]


def _money(store: Store) -> Money | None:
    try:
        return parse(json_of(store, MONEY), kind=MoneySection, where=MONEY, cure="dvc repro task").money
    except LabError:
        return None  # then no figure in money is shown


def _promotion(head: Snapshot) -> tuple[Promotion | None, str]:
    params, validate, abtest = head.yaml("params.yaml") or {}, head.result(VALIDATE), head.result(ABTEST)
    if validate is None or abtest is None:
        return None, f"{VALIDATE if validate is None else ABTEST} is not there"
    if "promote" not in params:
        return None, "params.yaml has no section `promote`"
    rule = parse(
        params["promote"], kind=PromoteParams, where=f"params.yaml at {head.name}: promote", cure="Correct it."
    )
    return judge_promotion(validate, abtest, rule), ""


def _changes(path: str, base: Snapshot, head: Snapshot) -> tuple[Change, ...]:
    return changes(base.yaml(path) or {}, head.yaml(path) or {})


def _trained(stages: dict[str, LockedStage]) -> list[Any]:
    """Return all inputs of the training, in one comparable form."""
    return [
        (name, in_one_line(stage.params), [(path, item.md5) for path, item in sorted(stage.dependencies.items())])
        for name, stage in sorted(stages.items())
        if name.split("@")[0] == "train"
    ]


def _task(snapshot: Snapshot) -> str:
    return str((snapshot.yaml("params.yaml") or {}).get("task", ""))


def _base_is_ahead(base: Snapshot, head: Snapshot) -> int:
    if base.commit is None:
        return 0
    asked = git(
        "rev-list", "--count", base.commit, f"^{head.commit or 'HEAD'}", "--", "dvc.lock", root=base.root, check=False
    )
    return int(asked.stdout) if asked.returncode == 0 else 0

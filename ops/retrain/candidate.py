"""Decide whether a trained candidate may replace the champion."""

from dataclasses import dataclass

from lab.core.errors import SourceError
from lab.core.params import parse
from ops.registry.promotion import PromoteParams, Promotion, judge_promotion
from ops.retrain.need import Need
from ops.retrain.request import Request
from ops.revisions.snapshot import Snapshot

VALIDATE, ABTEST, PARAMS = "metrics/validate.json", "metrics/abtest.json", "params.yaml"


@dataclass(frozen=True)
class Findings:
    """The request, both revisions, why training was due, and the decision on promotion."""

    request: Request
    base: Snapshot
    made: Snapshot
    need: Need
    promotion: Promotion


def judged(made: Snapshot) -> Promotion:
    """Return whether the candidate of a revision may replace its champion."""
    rule = (made.yaml(PARAMS) or {}).get("promote", {})
    cure = "Compare it with the committed file: git diff params.yaml"
    validate, abtest = made.result(VALIDATE), made.result(ABTEST)
    if validate is None or abtest is None:
        raise SourceError(f"{made.name} lacks {VALIDATE} or {ABTEST}. Cure: dvc repro, and commit what it writes.")
    return judge_promotion(
        validate, abtest, parse(rule, kind=PromoteParams, where=f"{PARAMS} at {made.name}: promote", cure=cure)
    )

"""The candidates: models that are trained side by side, each under its name in params.yaml."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from lab.core.errors import ParamsError
from lab.core.params import Params, parse
from lab.model_files.specification import Specification
from lab.search.rule import SearchRule
from lab.train.threshold import ThresholdRule
from lab.train.workers import Workers

SECTION = "params.yaml: train.candidates"
NAME = re.compile(r"[a-z][a-z0-9_]*")
CURE = "Correct it there."
Share = Annotated[float, Field(gt=0, le=1)]


class FitParams(Params):
    """What holds for every model that is fitted, the champion too; what else train is told is not its business."""

    model_config = ConfigDict(extra="ignore")

    folds: int = Field(ge=2, le=50)
    threshold: ThresholdRule


class TrainParams(Params):
    """How every candidate is trained; one candidate's mistake must not stop another, so each is checked on its own."""

    folds: int = Field(ge=2, le=50)
    threshold: ThresholdRule
    search: SearchRule
    learning_curve: Annotated[tuple[Share, ...], Field(strict=False)]
    workers: Workers
    candidates: dict[str, Any] = Field(default_factory=dict)


class Candidate(Specification):
    """A specification, and how its settings are searched where that differs from the others."""

    search: dict[str, Any] = Field(default_factory=dict)

    @property
    def specification(self) -> Specification:
        return Specification.model_validate({name: getattr(self, name) for name in Specification.model_fields})


def candidate_named(arguments: Sequence[str], candidates: Mapping[str, Any]) -> str:
    """Return the name on the command line, which must be that of a candidate."""
    if len(arguments) != 1 or arguments[0] not in candidates:
        raise ParamsError(
            f"python -m stages.train was given {list(arguments)}, expected one name of {SECTION}: {sorted(candidates)}."
        )
    if not NAME.fullmatch(arguments[0]):
        raise ParamsError(f"{SECTION} names {arguments[0]!r}, expected small letters, digits and underscores. {CURE}")
    return arguments[0]


def candidate_of(name: str, candidates: Mapping[str, Any]) -> Candidate:
    """Return a candidate, checked but for what only its estimator knows."""
    return parse(candidates[name], kind=Candidate, where=f"{SECTION}.{name}", cure=CURE)


def search_of(name: str, candidate: Candidate, common: SearchRule) -> SearchRule:
    """Return how a candidate is searched: as all are, but for what it says itself."""
    merged = {**common.model_dump(), **candidate.search}
    return parse(merged, kind=SearchRule, where=f"{SECTION}.{name}.search", cure=CURE)

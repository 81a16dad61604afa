"""Candidates: the models in params.yaml that are trained and compared."""

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
ADDRESS = re.compile(r"(?:[^@]*:)?train@(.*)", re.DOTALL)  # before the colon: the way to dvc.yaml from another folder
CURE = "Correct it there."
Share = Annotated[float, Field(gt=0, le=1)]


class FitParams(Params):
    """The settings of every fit, also of the champion; other settings of train are ignored."""

    model_config = ConfigDict(extra="ignore")

    folds: int = Field(ge=2, le=50)
    threshold: ThresholdRule


class TrainParams(Params):
    """The settings of training; each candidate is validated separately, so that mistakes do not affect others."""

    folds: int = Field(ge=2, le=50)
    threshold: ThresholdRule
    search: SearchRule
    learning_curve: Annotated[tuple[Share, ...], Field(strict=False, max_length=20)]
    workers: Workers
    candidates: dict[str, Any] = Field(default_factory=dict)


class Candidate(Specification):
    """A specification, and the settings of its search that differ from the common ones."""

    search: dict[str, Any] = Field(default_factory=dict)

    @property
    def specification(self) -> Specification:
        return Specification.model_validate({name: getattr(self, name) for name in Specification.model_fields})


def candidate_named(arguments: Sequence[str], stage: str | None, candidates: Mapping[str, Any]) -> str:
    """Return the candidate's name from the command line, or from the address of the stage that DVC runs.

    The shell never sees the name, because the command in dvc.yaml does not contain it.

    >>> candidate_named([], "../dvc.yaml:train@forest", {"forest": {}})
    'forest'
    """
    address = ADDRESS.fullmatch(stage or "")
    name = arguments[0] if len(arguments) == 1 else address[1] if address and not arguments else ""
    if name not in candidates:
        raise ParamsError(
            f"python -m stages.train {' '.join(arguments)}: expected one name of {SECTION}: {sorted(candidates)}."
        )
    if not NAME.fullmatch(name):
        raise ParamsError(f"{SECTION} names {name!r}, expected lower-case letters, digits and underscores. {CURE}")
    return name


def candidate_of(name: str, candidates: Mapping[str, Any]) -> Candidate:
    """Return a validated candidate; the settings of its estimator are validated later."""
    return parse(candidates[name], kind=Candidate, where=f"{SECTION}.{name}", cure=CURE)


def search_of(name: str, candidate: Candidate, common: SearchRule) -> SearchRule:
    """Return the search settings of a candidate: the common ones with its own overrides."""
    merged = {**common.model_dump(), **candidate.search}
    return parse(merged, kind=SearchRule, where=f"{SECTION}.{name}.search", cure=CURE)

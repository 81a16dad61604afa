"""The candidates: models that are trained side by side, each under its name in params.yaml."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from lab.errors import ParamsError
from lab.params import Params, parse
from lab.specification import Specification
from lab.threshold import ThresholdRule

SECTION = "params.yaml: train.candidates"
NAME = re.compile(r"[a-z][a-z0-9_]*")
CURE = "Correct it there."


class TrainParams(Params):
    """How every model is trained; one candidate's mistake must not stop another, so each is checked on its own."""

    folds: int = Field(ge=2)
    threshold: ThresholdRule
    candidates: dict[str, Any] = Field(default_factory=dict)


def candidate_named(arguments: Sequence[str], candidates: Mapping[str, Any]) -> str:
    """Return the name on the command line, which must be that of a candidate."""
    if len(arguments) != 1 or arguments[0] not in candidates:
        raise ParamsError(
            f"python -m stages.train was given {list(arguments)}, expected one name of {SECTION}: {sorted(candidates)}."
        )
    if not NAME.fullmatch(arguments[0]):
        raise ParamsError(f"{SECTION} names {arguments[0]!r}, expected small letters, digits and underscores. {CURE}")
    return arguments[0]


def specification_of(name: str, candidates: Mapping[str, Any]) -> Specification:
    """Return a candidate's specification, checked but for what only its estimator knows."""
    return parse(candidates[name], kind=Specification, where=f"{SECTION}.{name}", cure=CURE)

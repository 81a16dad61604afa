"""Search settings: method, budget and score."""

from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.search.space import Dimension

Score = Literal["roc_auc", "average_precision", "brier", "log_loss"]


class SearchRule(Params):
    """The search of one candidate; the budget counts fits of one pipeline on one fold."""

    method: Literal["none", "grid", "random", "halving", "bayesian"] = "none"
    budget: int = Field(default=60, ge=1, le=10_000)
    by: Score = "roc_auc"
    # The maximum number of training rows of a search fit; the final fit uses all rows.
    most_rows: int = Field(default=20_000, ge=100)
    # The default is the estimator's space in lab/train/estimators.py.
    space: dict[str, Dimension] | None = Field(default=None, min_length=1)

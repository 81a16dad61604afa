"""How settings are searched: by which method, within which budget, by which out-of-fold score."""

from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.search.space import Dimension

Score = Literal["roc_auc", "average_precision", "brier", "log_loss"]


class SearchRule(Params):
    """What is searched for one candidate; the budget counts fits of one pipeline on one fold."""

    method: Literal["none", "grid", "random", "halving", "bayesian"] = "none"
    budget: int = Field(default=60, ge=1)
    by: Score = "roc_auc"
    # Rows of one fold that a fit of the search may see at most; what it chooses is fitted on all of them.
    most_rows: int = Field(default=20_000, ge=100)
    # Left out, the estimator's own space in lab/train/estimators.py.
    space: dict[str, Dimension] | None = Field(default=None, min_length=1)

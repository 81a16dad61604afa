"""Read the training rows at each node of a model's trees, in program order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier


def covers_of(estimator: Any) -> NDArray[np.float64]:
    """Return the weight of the rows at each node, one tree after another."""
    if isinstance(estimator, HistGradientBoostingClassifier):
        counts = [stage[0].nodes["count"] for stage in estimator._predictors]  # noqa: SLF001 - there is no public attribute
    else:
        grown = np.ravel(estimator.estimators_) if hasattr(estimator, "estimators_") else [estimator]
        counts = [tree.tree_.weighted_n_node_samples for tree in grown]
    return np.concatenate(counts).astype(np.float64)

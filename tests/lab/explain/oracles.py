"""Shapley values by brute force over every subset of the players."""

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Worth = Callable[[frozenset[int]], float]


def shapley(worth: Worth, players: int) -> Numbers:
    """Return each player's Shapley value: its mean contribution over all orders of the players."""
    values = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            weight = 1 / (players * comb(players - 1, size))
            for chosen in combinations(others, size):
                before = frozenset(chosen)
                values[player] += weight * (worth(before | {player}) - worth(before))
    return values


def shapley_over_rows(output: Callable[[pd.DataFrame], Numbers], row: pd.DataFrame, reference: pd.DataFrame) -> Numbers:
    """Return the values of a row's features, where those left out are taken from each reference row in turn."""
    names = list(row.columns)

    def worth(known: frozenset[int]) -> float:
        mixed = reference.copy()
        for place in known:
            mixed[names[place]] = pd.Series([row[names[place]].iloc[0]] * len(mixed), dtype=row[names[place]].dtype)
        return float(output(mixed).mean())

    return shapley(worth, len(names))


def worth_on_trees(trees: list[dict[str, Any]], row: Numbers) -> Worth:
    """Return the output of trees when some columns are known; at other nodes both branches count, weighted by rows."""

    def below(tree: dict[str, Any], node: int, known: frozenset[int]) -> float:
        left, right = tree["left"][node], tree["right"][node]
        if left < 0:
            return float(tree["value"][node])
        column = int(tree["column"][node])
        if column in known:
            value = row[column]
            goes_left = tree["missing_left"][node] if np.isnan(value) else value <= tree["threshold"][node]
            return below(tree, left if goes_left else right, known)
        ways = [(float(tree["rows"][way]), below(tree, way, known)) for way in (left, right)]
        return sum(rows * value for rows, value in ways) / sum(rows for rows, _ in ways)

    return lambda known: sum(below(tree, 0, known) for tree in trees)


def grown_trees(estimator: Any, *, scale: float = 1.0, boosted: bool = False) -> list[dict[str, Any]]:
    """Return scikit-learn's trees as plain arrays; the value is the share of positives, or the step of a boosting."""
    found = []
    for member in np.ravel(getattr(estimator, "estimators_", [estimator])):
        tree = member.tree_
        values = tree.value[:, 0, 0] if boosted else tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
        found.append(
            {
                "left": tree.children_left,
                "right": tree.children_right,
                "column": tree.feature,
                "threshold": tree.threshold,
                "missing_left": np.zeros(tree.node_count, dtype=bool),
                "rows": tree.weighted_n_node_samples,
                "value": values * scale,
            }
        )
    return found


def histogram_trees(estimator: Any) -> list[dict[str, Any]]:
    """Return the trees of histogram gradient boosting as plain arrays."""
    found = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        found.append(
            {
                "left": np.where(leaf, -1, nodes["left"].astype(int)),
                "right": np.where(leaf, -1, nodes["right"].astype(int)),
                "column": nodes["feature_idx"],
                "threshold": nodes["num_threshold"],
                "missing_left": nodes["missing_go_to_left"].astype(bool),
                "rows": nodes["count"].astype(float),
                "value": nodes["value"],
            }
        )
    return found

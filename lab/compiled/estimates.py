"""Compute probabilities from prepared columns, bit-identical to scikit-learn."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.preparation import prepare
from lab.compiled.trees import trees_of
from lab.core.errors import SourceError
from lab.stats.core.log_odds import log_odds

LOWEST = -709.78  # below, exp overflows and the probability is 0


def probabilities(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return the probability of the positive class for each row, unrounded."""
    return KINDS[part["kind"]](part, arrays, columns)


def expit(values: Numbers) -> Numbers:
    """Return the logistic function by the C library, as scipy does; numpy's exp may differ in the last bit."""
    return np.fromiter((_expit(value) for value in values.tolist()), dtype=np.float64, count=len(values))


def _expit(value: float) -> float:
    return 0.0 if value <= LOWEST else 1 / (1 + math.exp(-value))  # NaN stays NaN


def _linear(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    return expit(linear_log_odds(part, arrays, columns))


def linear_log_odds(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return the log-odds of a linear model for each row."""
    return _decision(part, arrays, prepare(part["preparation"], arrays, columns))


def _decision(part: Part, arrays: Arrays, rows: Numbers) -> Numbers:
    decided: Numbers = (rows @ arrays[part["coefficients"]].T + arrays[part["intercept"]]).reshape(-1)
    return decided


def _mean_of_trees(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    shares = _leaves(part, arrays, columns)
    return np.asarray(_in_order(shares) / shares.shape[1])


def _sum_of_trees(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    return expit(boosted_log_odds(part, arrays, columns))


def boosted_log_odds(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return the log-odds of boosted trees for each row."""
    return _in_order(_leaves(part, arrays, columns), first=float(part["first"]))


def _votes_of_trees(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return AdaBoost's probability: weighted votes of trees, and a softmax of the margin."""
    positive, weights = _leaves(part, arrays, columns) > 0, arrays[part["weights"]]
    against, in_favour = (_in_order(np.where(vote, weights, -weights)) for vote in (~positive, positive))
    total = arrays[part["total"]]
    margin = np.column_stack([against / total * -1, in_favour / total]).sum(axis=1)
    return _softmax(np.vstack([-margin, margin]).T / 2)[:, 1]


def _softmax(rows: Numbers) -> Numbers:
    raised = np.exp(rows - rows.max(axis=1).reshape(-1, 1))
    shares: Numbers = raised / raised.sum(axis=1).reshape(-1, 1)
    return shares


def _leaves(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    trees = part["trees"].get("crossings") or trees_of(part["trees"], arrays)
    found: Numbers = trees.leaf_values(tree_columns(part, arrays, columns))
    return found


def tree_columns(part: Part, arrays: Arrays, columns: Columns) -> NDArray[np.floating]:
    """Return the columns that trees use, in their order and precision."""
    rows = prepare(part["preparation"], arrays, columns)
    return _in_32_bits(rows) if part["in_32_bits"] else _recoded(part, arrays, rows)


def _in_32_bits(rows: Numbers) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        cut = rows.astype(np.float32)
    if np.isinf(cut).any():
        raise SourceError(
            f"found a column of {np.abs(rows).max():g}, expected less than 3.4e38 in size, after products of features. "
            "Cure: use smaller numbers, or a model without products."
        )
    return cut


def _recoded(part: Part, arrays: Arrays, rows: Numbers) -> Numbers:
    """Return columns as histogram boosting encodes them: categories first, as indices, unknown ones NaN."""
    if part["categories"] is None:
        return rows
    first = [
        _places(rows[:, column], arrays[levels])
        for column, levels in zip(part["categories"]["columns"], part["categories"]["levels"], strict=True)
    ]
    return np.column_stack([*first, rows[:, arrays[part["categories"]["others"]]]])


def _places(values: Numbers, levels: Numbers) -> Numbers:
    found = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    return np.where(levels[found] == values, found, np.nan)


def _in_order(values: Numbers, *, first: float = 0.0) -> Numbers:
    """Return the sum of each row from the first tree to the last; numpy's own sum adds in pairs."""
    starts = np.full((len(values), 1), first)
    summed: Numbers = np.add.accumulate(np.concatenate([starts, values], axis=1), axis=1)[:, -1]
    return summed


def _naive_bayes(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    rows = prepare(part["preparation"], arrays, columns)
    joint = []
    for place in (0, 1):
        centre, spread = arrays[part["means"]][place], arrays[part["variances"]][place]
        constant = -0.5 * np.sum(np.log(2.0 * np.pi * spread))
        likely = constant - 0.5 * np.sum(((rows - centre) ** 2) / spread, axis=1)
        joint.append(np.log(arrays[part["priors"]][place]) + likely)
    return np.fromiter(map(_share, joint[0].tolist(), joint[1].tolist()), dtype=np.float64, count=len(rows))


def _share(negative: float, positive: float) -> float:
    """Return exp(positive − log(exp(negative) + exp(positive))) as scipy's logsumexp computes it."""
    largest, smaller = max(negative, positive), min(negative, positive)
    tied = negative == positive
    rest = 0.0 if tied else math.exp(smaller - largest)
    total = math.log1p(rest) + math.log(2.0 if tied else 1.0) + largest
    return math.exp(positive - total)


def _constant(part: Part, _arrays: Arrays, columns: Columns) -> Numbers:
    return np.full(len(next(iter(columns.values()))), float(part["probability"]))


def _average(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    votes = np.asarray([probabilities(member, arrays, columns) for member in part["members"]])
    if part["weights"] is None:
        mean: Numbers = votes.mean(axis=0)
        return mean
    return np.asarray(np.average(votes, axis=0, weights=arrays[part["weights"]]))


def _stack(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    votes = np.column_stack([probabilities(member, arrays, columns) for member in part["members"]])
    return expit(_decision(part, arrays, np.asarray(votes, order=part["order"])))


def _calibrated(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    found = probabilities(part["inner"], arrays, columns)
    if part["scores"] is not None:
        return np.asarray(np.interp(found, arrays[part["scores"]], arrays[part["shares"]]))
    return np.asarray(1 / (1 + np.exp(-(part["slope"] * log_odds(found) + part["intercept"]))))


Kind = Callable[[Part, Arrays, Columns], Numbers]
KINDS: Mapping[str, Kind] = {
    "average": _average,
    "calibrated": _calibrated,
    "constant": _constant,
    "linear": _linear,
    "mean_of_trees": _mean_of_trees,
    "naive_bayes": _naive_bayes,
    "stack": _stack,
    "sum_of_trees": _sum_of_trees,
    "votes_of_trees": _votes_of_trees,
}

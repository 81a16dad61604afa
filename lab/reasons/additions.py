"""Contributions of features to the output of a compiled model, with numpy alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lab.compiled.estimates import (
    boosted_log_odds,
    linear_log_odds,
    probabilities,
    tree_columns,
)
from lab.compiled.files import Compiled
from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.preparation import prepare
from lab.compiled.trees import trees_of
from lab.compiled.walks import Paths, walk
from lab.core.errors import ModelError
from lab.reasons.shapley import leaves_of

MOST_WALKS = 10_000


@dataclass(frozen=True)
class Attribution:
    """The unit, features and base of one model, with functions for contributions and output."""

    unit: str
    features: tuple[str, ...]
    base: float
    contribute: Callable[[Columns], Numbers]
    output: Callable[[Columns], Numbers]


def attribution_of(part: Part, arrays: Arrays, model: Compiled) -> Attribution:
    """Return the attribution that a part of reasons.json describes; the rest is in the model's program."""
    return KINDS[part["kind"]](part, arrays, model)


def _linear(part: Part, arrays: Arrays, model: Compiled) -> Attribution:
    """Return the attribution of a linear model: coefficient times distance from the reference mean."""
    program, means = model.program, arrays[part["means"]]
    slopes, intercept = model.arrays[program["coefficients"]][0], model.arrays[program["intercept"]][0]
    members = (arrays[part["origins"]][:, None] == np.arange(len(part["features"]))).astype(np.float64)

    def contribute(columns: Columns) -> Numbers:
        rows = prepare(program["preparation"], model.arrays, columns)
        return np.asarray(((rows - means) * slopes) @ members)

    return Attribution(
        unit="log_odds",
        features=tuple(part["features"]),
        base=float(means @ slopes + intercept),
        contribute=contribute,
        output=lambda columns: linear_log_odds(program, model.arrays, columns),
    )


def _trees(part: Part, arrays: Arrays, model: Compiled) -> Attribution:
    program = model.program
    trees = trees_of(program["trees"], model.arrays)
    leaves, origins = leaves_of(trees, arrays[part["cover"]]), arrays[part["origins"]]
    boosted = program["kind"] == "sum_of_trees"
    scale, first = (1.0, float(program["first"])) if boosted else (1 / len(trees.roots), 0.0)

    def contribute(columns: Columns) -> Numbers:
        rows = tree_columns(program, model.arrays, columns)
        return np.array([scale * leaves.contributions(row, origins, len(part["features"])) for row in rows])

    return Attribution(
        unit="log_odds" if boosted else "probability",
        features=tuple(part["features"]),
        base=scale * leaves.base + first,
        contribute=contribute,
        output=lambda columns: (boosted_log_odds if boosted else probabilities)(program, model.arrays, columns),
    )


def _calibrated(part: Part, arrays: Arrays, model: Compiled) -> Attribution:
    """Return the attribution after sigmoid calibration, a line in log-odds."""
    line = model.program
    plain = attribution_of(part["inner"], arrays, replace(model, program=line["inner"]))
    return replace(
        plain,
        base=line["slope"] * plain.base + line["intercept"],
        contribute=lambda columns: line["slope"] * plain.contribute(columns),
        output=lambda columns: line["slope"] * plain.output(columns) + line["intercept"],
    )


def _walks(part: Part, arrays: Arrays, model: Compiled) -> Attribution:
    if len(arrays[part["orders"]]) > MOST_WALKS:
        raise ModelError(f"there are {len(arrays[part['orders']])} walks, expected at most {MOST_WALKS}.")
    paths = Paths(_starts(part, arrays), arrays[part["orders"]])
    return Attribution(
        unit="probability",
        features=tuple(part["features"]),
        base=float(model.probabilities(paths.starts).mean()),
        contribute=lambda columns: walk(model.probabilities, paths, {name: columns[name] for name in part["features"]}),
        output=model.probabilities,
    )


def _starts(part: Part, arrays: Arrays) -> Columns:
    """Return the start rows of the walks: numbers from arrays, texts from the program."""
    texts = {name: np.array(values, dtype=object) for name, values in part["texts"].items()}
    starts = {name: texts[name] if name in texts else arrays[part["numbers"][name]] for name in part["features"]}
    if {len(values) for values in starts.values()} != {len(arrays[part["orders"]])}:
        raise ModelError("the walks have other numbers of starts and of orders.")
    return starts


Kind = Callable[[Part, Arrays, Compiled], Attribution]
KINDS: Mapping[str, Kind] = {"calibrated": _calibrated, "linear": _linear, "trees": _trees, "walks": _walks}

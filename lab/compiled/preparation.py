"""Turn a row's features into an estimator's columns, with the same sums as the steps of the pipeline."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Arrays, Columns, Numbers, Part


def prepare(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return the prepared columns of all rows, laid out in memory as the pipeline lays them out."""
    blocks = [BLOCKS[block["kind"]](block, arrays, columns) for block in part["blocks"]]
    rows = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    kept = rows if part["kept"] is None else rows[:, arrays[part["kept"]]]
    return np.asarray(kept, order=part["order"])


def _numbers(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    rows: Numbers = np.column_stack([columns[name] for name in block["features"]])
    for step in block["steps"]:
        rows = STEPS[step["kind"]](step, arrays, rows)
    return rows


def _gaps(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    rows: Numbers = np.column_stack([columns[name] for name in block["features"]])
    return np.asarray(np.isnan(rows[:, arrays[block["places"]]]), dtype=np.float64)


def _few_levels(block: Part, _arrays: Arrays, columns: Columns) -> Numbers:
    return np.concatenate(
        [_one_hot(codes_of(columns[name], levels), len(levels)) for name, levels in _levels(block)], axis=1
    )


def _one_hot(codes: NDArray[np.intp], count: int) -> Numbers:
    return np.asarray(codes[:, None] == np.arange(count), dtype=np.float64)


def _many_levels(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    encoded = [
        np.append(arrays[values], unknown)[codes_of(columns[name], levels)]
        for (name, levels), values, unknown in zip(_levels(block), block["values"], block["unknown"], strict=True)
    ]
    rows: Numbers = np.column_stack(encoded)
    for step in block["steps"]:
        rows = STEPS[step["kind"]](step, arrays, rows)
    return rows


def _levels(block: Part) -> list[tuple[str, dict[str | None, int]]]:
    places = [{level: place for place, level in enumerate(levels)} for levels in block["levels"]]
    return list(zip(block["features"], places, strict=True))


def codes_of(column: NDArray[np.object_], places: Mapping[str | None, int]) -> NDArray[np.intp]:
    """Return each value's place among the levels, −1 for one that training never saw."""
    return np.fromiter((places.get(value, -1) for value in column), dtype=np.intp, count=len(column))


def _impute(step: Part, arrays: Arrays, rows: Numbers) -> Numbers:
    missing = np.isnan(rows)
    filled = np.where(missing, arrays[step["medians"]], rows)
    if step["indicators"] is None:
        return filled
    return np.concatenate([filled, missing[:, arrays[step["indicators"]]].astype(np.float64)], axis=1)


def _scale(step: Part, arrays: Arrays, rows: Numbers) -> Numbers:
    scaled: Numbers = (rows - arrays[step["means"]]) / arrays[step["spreads"]]
    return scaled


def _multiply(step: Part, arrays: Arrays, rows: Numbers) -> Numbers:
    """Return products of columns; the factors of each stand in the order in which the pipeline multiplies them."""
    products = []
    for factors in arrays[step["factors"]]:
        used = factors[factors >= 0]
        product = rows[:, used[0]]
        for place in used[1:]:
            product = product * rows[:, place]
        products.append(product)
    return np.column_stack(products)


Block = Callable[[Part, Arrays, Columns], Numbers]
Step = Callable[[Part, Arrays, Numbers], Numbers]
BLOCKS: Mapping[str, Block] = {
    "numbers": _numbers,
    "gaps": _gaps,
    "few_levels": _few_levels,
    "many_levels": _many_levels,
}
STEPS: Mapping[str, Step] = {"impute": _impute, "scale": _scale, "multiply": _multiply}

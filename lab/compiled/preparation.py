"""Prepare the columns of an estimator, bit-identical to the steps of the pipeline."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, repeat

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Arrays, Columns, Numbers, Part

Places = Mapping[str | None, int]


def prepare(part: Part, arrays: Arrays, columns: Columns) -> Numbers:
    """Return the prepared columns of all rows, in the memory layout of the pipeline."""
    blocks = [BLOCKS[block["kind"]](block, arrays, columns) for block in part["blocks"]]
    rows = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    kept = rows if part["kept"] is None else rows[:, arrays[part["kept"]]]
    return np.asarray(kept, order=part["order"])


def _numbers(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    rows = _side_by_side(block, columns)
    for step in block["steps"]:
        rows = STEPS[step["kind"]](step, arrays, rows)
    return rows


def _side_by_side(block: Part, columns: Columns) -> Numbers:
    rows: Numbers = np.array([columns[name] for name in block["features"]]).T
    return rows


def _gaps(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    rows = _side_by_side(block, columns)
    return np.asarray(np.isnan(rows[:, arrays[block["places"]]]), dtype=np.float64)


def _few_levels(block: Part, _arrays: Arrays, columns: Columns) -> Numbers:
    """Return a column for each level; unknown levels use one more column, which is dropped."""
    width = sum(map(len, block["levels"]))
    codes = [codes_of(columns[name], places, width) for name, places in _placed(block)]
    rows = np.zeros((codes[0].size, width + 1))
    rows[np.arange(len(rows)), codes] = 1
    return rows[:, :width]


def _many_levels(block: Part, arrays: Arrays, columns: Columns) -> Numbers:
    encoded = [
        np.append(arrays[values], unknown)[codes_of(columns[name], places, -1)]
        for (name, places), values, unknown in zip(_placed(block), block["values"], block["unknown"], strict=True)
    ]
    rows: Numbers = np.column_stack(encoded)
    for step in block["steps"]:
        rows = STEPS[step["kind"]](step, arrays, rows)
    return rows


def _placed(block: Part) -> Iterator[tuple[str, Places]]:
    return zip(block["features"], block["places"] if "places" in block else places_of(block), strict=True)


def places_of(block: Part) -> list[Places]:
    """Return the index of each level: among all columns for one-hot encoding, else among its own feature."""
    levels = block["levels"]
    starts = accumulate(map(len, levels), initial=0) if block["kind"] == "few_levels" else repeat(0)
    return [
        {level: start + place for place, level in enumerate(each)} for start, each in zip(starts, levels, strict=False)
    ]


def codes_of(column: NDArray[np.object_], places: Places, other: int) -> NDArray[np.intp]:
    """Return the index of each value, and `other` for levels that training did not see."""
    return np.array([places.get(value, other) for value in column.tolist()], dtype=np.intp)


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
    """Return products of columns, multiplied in the order of the pipeline."""
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

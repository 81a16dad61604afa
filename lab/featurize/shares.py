"""Split rows without time by share: random within each class, or by whole groups."""

import numpy as np
import numpy.typing as npt

TRAIN, TEST, CURRENT = 0, 1, 2


def parts_within_classes(
    labels: npt.NDArray[np.integer], *, test_share: float, current_share: float, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return a part for each row; each class is split by the shares, rounded to whole rows."""
    parts = np.full(len(labels), TRAIN, dtype=np.int8)
    for value in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == value))
        test, current = _cuts(len(rows), test_share=test_share, current_share=current_share)
        parts[rows[:test]] = TEST
        parts[rows[test:current]] = CURRENT
    return parts


def parts_by_group(
    groups: npt.NDArray[np.integer], *, test_share: float, current_share: float, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return a part for each row, the same for all rows of a group; the shares are of groups, not of rows."""
    names, positions = np.unique(groups, return_inverse=True)
    order = rng.permutation(len(names))
    parts = np.full(len(names), TRAIN, dtype=np.int8)
    test, current = _cuts(len(names), test_share=test_share, current_share=current_share)
    parts[order[:test]] = TEST
    parts[order[test:current]] = CURRENT
    return parts[positions]


def _cuts(count: int, *, test_share: float, current_share: float) -> tuple[int, int]:
    test = round(count * test_share)
    return test, test + round(count * current_share)

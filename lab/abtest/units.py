"""Find units with several rows in a log, in little memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.experiment.log import Batch

LARGEST_MAP = 1 << 26  # bytes: one per possible unit number
MOST_EXAMINED = 10_000
Keys = NDArray[np.uint64]
Row = tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Repetition:
    """Counts of units with several rows: in several arms, with different values, or identical rows.

    At most the first ten thousand such units are examined.
    """

    in_several_arms: int
    contradicting: int
    identical: int


class Units:
    """The set of units so far; small integers take one byte each, others eight."""

    def __init__(self) -> None:
        self.rows, self.lost = 0, 0
        self.seen = np.zeros(0, dtype=np.bool_)
        self.keys: list[Keys] = []
        self.mapped = True

    def add(self, units: pa.Array) -> None:
        if not len(units):
            return
        if self.mapped and pa.types.is_integer(units.type):
            numbers = units.to_numpy()
            if int(numbers.min()) >= 0 and int(numbers.max()) < LARGEST_MAP:
                self.rows += len(units)
                self._mark(numbers)
                return
        self._unmap()
        self.keys.append(keys_of(units))

    def repeated(self) -> int:
        """Return the number of rows whose unit has an earlier row."""
        if self.mapped:
            return self.rows - int(np.count_nonzero(self.seen))
        keys = np.concatenate(self.keys)
        self.keys = [keys]
        keys.sort(kind="stable")
        return int(np.count_nonzero(keys[1:] == keys[:-1])) + self.lost

    def _mark(self, numbers: NDArray[np.int64]) -> None:
        missing = int(numbers.max()) + 1 - len(self.seen)
        if missing > 0:
            self.seen = np.concatenate([self.seen, np.zeros(max(missing, len(self.seen)), dtype=np.bool_)])
        if int(numbers[-1]) - int(numbers[0]) == len(numbers) - 1 and (numbers[1:] - numbers[:-1] == 1).all():
            self.seen[int(numbers[0]) : int(numbers[-1]) + 1] = True
        else:
            self.seen[numbers] = True

    def _unmap(self) -> None:
        if self.mapped:
            known = np.flatnonzero(self.seen).astype(np.uint64)
            self.lost = self.rows - len(known)
            self.keys, self.seen, self.mapped = [known], np.zeros(0, dtype=np.bool_), False


def keys_of(units: pa.Array) -> Keys:
    """Return a key per unit: the integer itself, or a 64-bit hash of the text.

    A collision occurs in fewer than one of a hundred thousand logs of ten million rows.
    """
    if pa.types.is_integer(units.type):
        return np.asarray(units.to_numpy(), dtype=np.int64).view(np.uint64)
    from pandas.util import hash_array  # noqa: PLC0415 - slow to import, and not needed for integers

    texts = units.cast(pa.string()).to_numpy(zero_copy_only=False)
    keys: Keys = hash_array(texts, categorize=False)
    return keys


def examine(read: Callable[[], Iterable[Batch]]) -> Repetition:
    """Return how the rows of repeated units differ; `read` is called twice."""
    keys = np.sort(np.concatenate([keys_of(batch.units) for batch in read()]), kind="stable")
    wanted = np.unique(keys[1:][keys[1:] == keys[:-1]])[:MOST_EXAMINED]
    rows: dict[object, list[Row]] = {}
    for batch in read():
        for index in np.flatnonzero(np.isin(keys_of(batch.units), wanted)):
            values = tuple(float(column[index]) for column in batch.values)
            rows.setdefault(batch.units[int(index)].as_py(), []).append((int(batch.arms[index]), values))
    found = [_kind_of(of_unit) for of_unit in rows.values() if len(of_unit) > 1]
    return Repetition(found.count("arms"), found.count("values"), found.count("identical"))


def _kind_of(rows: list[Row]) -> str:
    if len({arm for arm, _ in rows}) > 1:
        return "arms"
    return "values" if len({repr(values) for _, values in rows}) > 1 else "identical"

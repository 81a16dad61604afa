"""Find out whether a log names a unit twice, in little memory, and what the rows that do so contradict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.experiment.log import Batch

LARGEST_MAP = 1 << 26  # one byte for each number that a unit may have
MOST_EXAMINED = 10_000
Keys = NDArray[np.uint64]
Row = tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Repetition:
    """Units that several rows name: in several arms, with values that contradict one another, or in rows all alike.

    Of the first ten thousand such units, by the order of their keys.
    """

    in_several_arms: int
    contradicting: int
    alike: int


class Units:
    """The units seen so far; whole numbers that are not large need a byte each, others eight."""

    def __init__(self) -> None:
        self.rows, self.lost = 0, 0
        self.seen = np.zeros(0, dtype=np.bool_)
        self.keys: list[Keys] = []
        self.mapped = True

    def add(self, units: pa.Array) -> None:
        """Take in the units of a batch."""
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
        """Return how many rows name a unit that an earlier row named."""
        if self.mapped:
            return self.rows - int(np.count_nonzero(self.seen))
        keys = np.concatenate(self.keys)
        self.keys = [keys]
        keys.sort(kind="stable")
        return int(np.count_nonzero(keys[1:] == keys[:-1])) + self.lost

    def _mark(self, numbers: NDArray[np.int64]) -> None:
        lacking = int(numbers.max()) + 1 - len(self.seen)
        if lacking > 0:
            self.seen = np.concatenate([self.seen, np.zeros(max(lacking, len(self.seen)), dtype=np.bool_)])
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
    """Return a number for each unit: itself where it is a whole number, else a hash of its text.

    Different texts share a hash less than once in a hundred thousand logs of ten million rows.
    """
    if pa.types.is_integer(units.type):
        return np.asarray(units.to_numpy(), dtype=np.int64).view(np.uint64)
    from pandas.util import hash_array  # noqa: PLC0415 - slow to import, and numbers have no use for it

    texts = units.cast(pa.string()).to_numpy(zero_copy_only=False)
    keys: Keys = hash_array(texts, categorize=False)
    return keys


def examine(read: Callable[[], Iterable[Batch]]) -> Repetition:
    """Return what is wrong with the units that several rows name; `read` is called twice."""
    keys = np.sort(np.concatenate([keys_of(batch.units) for batch in read()]), kind="stable")
    wanted = np.unique(keys[1:][keys[1:] == keys[:-1]])[:MOST_EXAMINED]
    rows: dict[object, list[Row]] = {}
    for batch in read():
        for place in np.flatnonzero(np.isin(keys_of(batch.units), wanted)):
            seen = tuple(float(column[place]) for column in batch.values)
            rows.setdefault(batch.units[int(place)].as_py(), []).append((int(batch.arms[place]), seen))
    found = [_kind_of(named) for named in rows.values() if len(named) > 1]
    return Repetition(found.count("arms"), found.count("values"), found.count("alike"))


def _kind_of(rows: list[Row]) -> str:
    if len({arm for arm, _ in rows}) > 1:
        return "arms"
    return "values" if len({repr(seen) for _, seen in rows}) > 1 else "alike"

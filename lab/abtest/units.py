"""Find units with several rows in a log, in little memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.experiment.log import Batch

LARGEST_MAP = 1 << 26  # bytes: one per possible unit number
Keys = NDArray[np.uint64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Repeats:
    """The rows of units with several rows, by unit in the order of the log, and how they differ.

    `starts` are the places of each unit's first row in `rows`.
    """

    rows: Places
    starts: Places
    in_several_arms: NDArray[np.bool_]
    contradicting: NDArray[np.bool_]

    @property
    def found(self) -> str:
        """Return the number of units of each kind: in several arms, with different values, identical rows."""
        several, differ = int(self.in_several_arms.sum()), int(self.contradicting.sum())
        kinds = {
            "in two arms or more": several,
            "with different values": differ,
            "with identical rows": len(self.starts) - several - differ,
        }
        return ", ".join(f"{count:,} units {kind}" for kind, count in kinds.items() if count)

    def dropped(self, *, keep_first: bool) -> Places:
        """Return the rows to leave out: all but the first of each unit, or all of those whose rows differ."""
        drop = np.ones(len(self.rows), dtype=np.bool_)
        identical = ~(self.in_several_arms | self.contradicting)
        drop[self.starts if keep_first else self.starts[identical]] = False
        return np.sort(self.rows[drop])


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


def find_repeats(read: Callable[[], Iterable[Batch]]) -> Repeats:
    """Return how the rows of repeated units differ; `read` is called twice."""
    keys = np.sort(np.concatenate([keys_of(batch.units) for batch in read()]), kind="stable")
    wanted = np.unique(keys[1:][keys[1:] == keys[:-1]])
    parts, before = [], 0
    for batch in read():
        found = keys_of(batch.units)
        rows = np.flatnonzero(np.isin(found, wanted))
        parts.append((found[rows], before + rows, batch.arms[rows], _digests(batch, rows)))
        before += len(found)
    units, rows, arms, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(units[order]) != 0))
    in_arms, differs = _differs(arms[order], starts), _differs(values[order], starts)
    return Repeats(rows[order], starts, in_arms, differs & ~in_arms)


def without_rows(batches: Iterable[Batch], dropped: Places) -> Iterator[Batch]:
    """Yield batches without the rows at these ascending places in the log."""
    before = 0
    for batch in batches:
        kept = np.ones(len(batch.arms), dtype=np.bool_)
        first, last = np.searchsorted(dropped, [before, before + len(kept)])
        kept[dropped[first:last] - before] = False
        before += len(kept)
        yield batch.where(kept)


def _differs(values: NDArray[Any], starts: Places) -> NDArray[np.bool_]:
    """Return whether each run of values holds different ones."""
    return np.asarray(np.minimum.reduceat(values, starts) != np.maximum.reduceat(values, starts))


def _digests(batch: Batch, rows: Places) -> Keys:
    """Return a 64-bit hash of the values of each row."""
    from pandas.util import hash_array  # noqa: PLC0415 - slow to import

    digests = np.zeros(len(rows), dtype=np.uint64)
    for column in batch.values:
        digests = digests * np.uint64(1_000_003) + hash_array(column[rows] + 0.0)  # -0 becomes 0
    return digests

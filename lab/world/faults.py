"""Inject data faults: missing values, typos, duplicates, outliers and late rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lab.core.seeds import generator_of
from lab.world.calendar import DAYS, SECONDS_PER_DAY, periods
from lab.world.choices import Floats, Integers
from lab.world.sales import Sales, joined

TYPO_SHARE = 0.005
LATE_SHARE = 0.005
DUPLICATE_SHARE = 0.002
OUTLIER_SHARE = 0.0005
OUTLIER_FACTOR = 100
EARLIEST_LATE = SECONDS_PER_DAY // 2
LATEST_LATE = 10 * SECONDS_PER_DAY
SALE_FAULTS = ("duplicate", "outlier in quantity", "outlier in amount", "late", "unreported")


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column (None: in whole rows), with its target share and its count."""

    table: str
    column: str | None
    fault: str
    share: float
    rows: int
    note: str


@dataclass(frozen=True)
class FaultySales:
    """The faulty sales among `happened` sales: position of the fault in SALE_FAULTS, true quantity and amount."""

    happened: int
    sale: Integers
    fault: Integers
    quantity: Integers
    amount: Integers


@dataclass(frozen=True)
class Delivery:
    """Recorded sales in order of arrival, and the faults of the sales made in the same period."""

    sales: Sales
    faulty: FaultySales


def draw_missing(shares: Floats, *, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which rows are missing, given the probability of each."""
    return rng.random(len(shares)) < shares


def typos_of(level: str) -> tuple[str, ...]:
    """Return the typos of a level; each is closest to this level of its column.

    >>> typos_of("web")
    ('Web', 'WEB', 'web ', 'wbe')
    >>> typos_of("app")[-1]
    'appp'
    """
    last, final = level[-2], level[-1]
    swapped = level + final if last == final else level[:-2] + final + last
    return (level.capitalize(), level.upper(), f"{level} ", swapped)


def add_typos(
    codes: Integers, levels: Sequence[str], *, rows: Integers, rng: np.random.Generator
) -> tuple[Integers, tuple[str, ...], int]:
    """Return codes with typos in a sample of `rows`, the levels followed by their typos, and the number of typos.

    There is at least one typo.
    """
    typos = [typos_of(level) for level in levels]
    chosen = rng.permutation(rows)[: max(1, round(TYPO_SHARE * len(codes)))]
    mistyped = codes.copy()
    mistyped[chosen] = len(levels) + codes[chosen] * len(typos[0]) + rng.integers(0, len(typos[0]), len(chosen))
    return mistyped, (*levels, *(typo for kinds in typos for typo in kinds)), len(chosen)


def deliver_sales(happened: Iterable[Sales], *, seed: int) -> Iterator[Delivery]:
    """Yield the sales recorded before the end, period by period, ordered by `recorded`, then by sale."""
    streams = {name: generator_of(seed, f"world/faults/{name}") for name in ("duplicates", "outliers", "lateness")}
    pending: Sales | None = None
    for period, sales in zip(periods(), happened, strict=True):
        injected, faulty = _inject(sales, streams)
        pool = injected if pending is None else joined(pending, injected)
        arrived = pool.recorded < period.last * SECONDS_PER_DAY
        pending = pool.take(np.flatnonzero(~arrived))
        ready = pool.take(np.flatnonzero(arrived))
        yield Delivery(ready.take(np.lexsort((ready.sale, ready.recorded))), faulty)


def _inject(sales: Sales, streams: dict[str, np.random.Generator]) -> tuple[Sales, FaultySales]:
    count = len(sales.sale)
    doubled = streams["duplicates"].random(count) < DUPLICATE_SHARE
    uniform = streams["outliers"].random(count)
    in_quantity, in_amount = uniform < OUTLIER_SHARE / 2, (uniform >= OUTLIER_SHARE / 2) & (uniform < OUTLIER_SHARE)
    late = streams["lateness"].random(count) < LATE_SHARE
    recorded = sales.recorded + late * streams["lateness"].integers(EARLIEST_LATE, LATEST_LATE, count)
    unreported = recorded >= DAYS * SECONDS_PER_DAY
    injected = replace(
        sales,
        recorded=recorded,
        quantity=np.where(in_quantity, OUTLIER_FACTOR, 1) * sales.quantity,
        amount=np.where(in_amount, OUTLIER_FACTOR, 1) * sales.amount,
    )
    faulty = _faulty_sales(sales, (doubled, in_quantity, in_amount, late & ~unreported, unreported))
    return injected.take(np.repeat(np.arange(count), 1 + doubled)), faulty


def _faulty_sales(sales: Sales, faults: Sequence[npt.NDArray[np.bool_]]) -> FaultySales:
    rows = [np.flatnonzero(fault) for fault in faults]
    every = np.concatenate(rows)
    return FaultySales(
        happened=len(sales.sale),
        sale=sales.sale[every],
        fault=np.repeat(np.arange(len(rows)), [len(found) for found in rows]),
        quantity=sales.quantity[every],
        amount=sales.amount[every],
    )

"""Simulate an experiment: a hash assigns customers to arms, models decide on offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.seeds import generator_of
from lab.experiment.design import Design, Simulation
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.stats.core.assignment import assign
from lab.world.columns import booleans, numbers, table_of, texts
from lab.world.offers import observed_outcomes, potential_outcomes

UNIT, MOMENT = "customer_id", "moment"
HISTORY_DAYS = 180
GROUPS = ("gender", "senior", "region")
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Inputs of the experiment: predictions of the newest window, the truth about customers, their sales."""

    predictions: pa.Table
    thresholds: Mapping[str, float]
    customers: pa.Table
    sales: pa.Table
    horizon_days: int


def run_experiment(world: World, simulation: Simulation, design: Design, *, seed: int) -> pa.Table:
    """Return the log: one row per customer, who enters with the first prediction of the newest window."""
    entered = first_rows(world.predictions)
    unit = _integers(entered[UNIT])
    codes = np.array(
        [assign(str(each), salt=simulation.salt, weights=[design.weights[arm] for arm in design.arms]) for each in unit]
    )
    offered = _offered(entered, codes, world.thresholds, simulation, design)
    spent, before, one_purchase = _purchases(entered, world, seed=seed)
    truth = _rows_of(world.customers, unit)
    potential = potential_outcomes(
        spent=spent,
        one_purchase=one_purchase,
        won_by_offer=numbers_of(truth["won_by_offer"]),
        lost_by_offer=numbers_of(truth["lost_by_offer"]),
        uniform=generator_of(seed, "experiment/luck").random(int(unit.max()) + 1)[unit],
    )
    stayed, paid = observed_outcomes(potential, offered)
    return table_of(
        {
            UNIT: entered[UNIT],
            "arm": texts(codes, design.arms),
            "known": pc.add(entered[MOMENT], pa.scalar(timedelta(days=world.horizon_days))),
            "offered": booleans(offered),
            "stayed": booleans(stayed),
            "spent": numbers(paid),
            "net": numbers(paid - simulation.cost_of_offer * offered),
            "spent_before": numbers(before),
            **{name: entered[name] for name in GROUPS if name in entered.column_names},
        }
    )


def first_rows(predictions: pa.Table) -> pa.Table:
    """Return the first row of each customer, ordered by customer_id."""
    if absent := [name for name in (UNIT, MOMENT) if name not in predictions.column_names]:
        raise SourceError(
            f"the predictions lack {absent}, expected customers and moments: only the task churn has them. "
            "Cure: leave simulation out of the task file: experiment."
        )
    ordered = predictions.sort_by([(UNIT, "ascending"), (MOMENT, "ascending")])
    unit = _integers(ordered[UNIT])
    first = np.flatnonzero(np.concatenate([[True], unit[1:] != unit[:-1]]))
    return ordered.take(numbers(first.astype(np.int64)))


def _offered(
    entered: pa.Table, codes: Integers, thresholds: Mapping[str, float], simulation: Simulation, design: Design
) -> NDArray[np.bool_]:
    """Return which customers get an offer: those whose score reaches the threshold of the model of their arm."""
    decided = np.zeros(len(codes), dtype=np.bool_)
    for place, arm in enumerate(design.arms):
        model = simulation.arms[arm]
        positive = numbers_of(entered[score_column(model)]) >= thresholds[model]
        decided = np.where(codes == place, positive, decided)
    return decided


def _purchases(entered: pa.Table, world: World, *, seed: int) -> tuple[Integers, Integers, Integers]:
    """Return, per customer, cents spent within the horizon, cents spent before, and one earlier purchase at random."""
    unit, start = _integers(entered[UNIT]), _days(entered[MOMENT])
    sales = world.sales.select([UNIT, MOMENT, "amount"]).sort_by([(UNIT, "ascending"), (MOMENT, "ascending")])
    buyer, amount = _integers(sales[UNIT]), _integers(sales["amount"])
    place = np.minimum(np.searchsorted(unit, buyer), len(unit) - 1)
    matched = unit[place] == buyer
    place, amount, day = place[matched], amount[matched], _days(sales[MOMENT])[matched] - start[place[matched]]
    within = (day >= 0) & (day < world.horizon_days)
    earlier = (day < 0) & (day >= -HISTORY_DAYS)
    spent, before = (_sums(place[rows], amount[rows], len(unit)) for rows in (within, earlier))
    return spent, before, _one_of(place[earlier], amount[earlier], unit, seed=seed)


def _one_of(place: Integers, amount: Integers, unit: Integers, *, seed: int) -> Integers:
    """Return one random amount per customer; the median of all amounts where a customer has none."""
    uniform = generator_of(seed, "experiment/purchase").random(int(unit.max()) + 1)[unit]
    counts = np.bincount(place, minlength=len(unit))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    drawn_place = first + np.minimum((uniform * counts).astype(np.int64), np.maximum(counts - 1, 0))
    usual = int(np.sort(amount, kind="stable")[len(amount) // 2]) if len(amount) else 1
    drawn = np.append(amount, usual)[np.where(counts > 0, drawn_place, len(amount))]
    return np.asarray(drawn, dtype=np.int64)


def _rows_of(customers: pa.Table, unit: Integers) -> pa.Table:
    known = _integers(customers[UNIT])
    place = np.searchsorted(known, unit)
    if len(known) == 0 or (place >= len(known)).any() or (known[np.minimum(place, len(known) - 1)] != unit).any():
        raise SourceError("data/truth/customers.parquet lacks customers that were scored. Cure: dvc repro world")
    return customers.take(numbers(place.astype(np.int64)))


def _sums(place: Integers, amount: Integers, size: int) -> Integers:
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, place, amount)
    return totals


def _integers(column: pa.ChunkedArray) -> Integers:
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _days(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return _integers(column.cast(pa.timestamp("us")).cast(pa.int64())) / 86_400_000_000

"""The simulated experiment: assignment, offers, outcomes and verdicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lab.abtest.assess import assess
from lab.core.errors import SourceError
from lab.core.tables import write_table
from lab.experiment.design import Design, Simulation
from lab.world.offers import observed_outcomes, potential_outcomes
from lab.world.traffic import World, first_rows, run_experiment

DAY = pd.Timestamp("2025-09-03")
LATER = pd.Timestamp("2025-11-02")
DESIGN = Design.model_validate(
    {
        "unit": "customer_id",
        "time": "known",
        "control": "champion",
        "weights": {"champion": 1.0, "challenger": 1.0},
        "primary": "stayed",
        "outcomes": {"stayed": {"kind": "share"}, "net": {"covariate": "spent_before", "margin": 5000.0}},
        "looks": {"dates": ["2025-11-03", "2026-01-02"]},
    }
)
DIFFERENT_MODELS = {"champion": "champion", "challenger": "challenger"}
SAME_MODEL = {"champion": "champion", "challenger": "champion"}


def simulation(*, salt: str = "s", arms: dict[str, str] = DIFFERENT_MODELS, cost: int = 800) -> Simulation:
    return Simulation.model_validate({"salt": salt, "arms": arms, "cost_of_offer": cost})


def world_of(customers: int = 1200, *, seed: int = 3, skill: float = 3.0, won: float = 0.6, lost: float = 0.0) -> World:
    """Return inputs with a skilled challenger, a random champion, and offers that win customers."""
    rng = np.random.default_rng(seed)
    unit = np.arange(1, customers + 1)
    leaves = rng.random(customers) < 0.5
    start = np.where(rng.random(customers) < 0.8, DAY.value, LATER.value).astype("datetime64[ns]")
    scores = 1 / (1 + np.exp(-(skill * (leaves - 0.5) * 2 + rng.normal(size=customers))))
    predictions = pd.DataFrame(
        {
            "customer_id": unit,
            "moment": start,
            "senior": rng.random(customers) < 0.2,
            "label": leaves.astype(int),
            "champion_score": rng.random(customers),
            "challenger_score": scores,
        }
    )
    again = predictions[predictions.moment == DAY].assign(moment=LATER)
    before = pd.DataFrame({"customer_id": unit, "moment": start - np.timedelta64(10, "D"), "amount": 1000 + unit})
    after = pd.DataFrame({"customer_id": unit, "moment": start + np.timedelta64(5, "D"), "amount": 3000})[~leaves]
    far = pd.DataFrame({"customer_id": unit, "moment": start + np.timedelta64(60, "D"), "amount": 70_000})
    return World(
        predictions=arrow(pd.concat([again, predictions]).sample(frac=1, random_state=1)),
        thresholds={"champion": 0.5, "challenger": 0.5},
        customers=arrow(pd.DataFrame({"customer_id": unit, "won_by_offer": won, "lost_by_offer": lost})),
        sales=arrow(pd.concat([before, after, far])),
        horizon_days=60,
    )


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def log_of(world: World, **changes: Any) -> pd.DataFrame:
    log: pd.DataFrame = run_experiment(world, simulation(**changes), DESIGN, seed=7).to_pandas()
    return log


def action_of(folder: Path, world: World, **changes: Any) -> str:
    path = folder / "log.parquet"
    write_table(run_experiment(world, simulation(**changes), DESIGN, seed=7), path)
    analysis = assess(path, DESIGN)
    return analysis.verdicts[analysis.chosen].action


def test_an_offer_wins_and_loses_purchases_with_given_probabilities() -> None:
    spent = np.array([0, 0, 500, 500])
    found = potential_outcomes(
        spent=spent,
        one_purchase=np.array([90, 90, 90, 90]),
        won_by_offer=np.full(4, 0.3),
        lost_by_offer=np.full(4, 0.1),
        uniform=np.array([0.2, 0.4, 0.05, 0.2]),
    )
    assert found.stays_without.tolist() == [False, False, True, True]
    assert found.stays_with.tolist() == [True, False, False, True]
    assert found.spent_with.tolist() == [90, 0, 0, 500]
    stays, paid = observed_outcomes(found, np.array([False, True, False, True]))
    assert (stays.tolist(), paid.tolist()) == ([False, False, True, True], [0, 0, 500, 500])


def test_every_customer_enters_once_at_the_first_moment() -> None:
    world = world_of(300)
    frame = world.predictions.to_pandas()
    found = first_rows(world.predictions).to_pandas()
    assert found.customer_id.tolist() == sorted(set(frame.customer_id))
    assert (found.moment.to_numpy() == frame.groupby("customer_id").moment.min().to_numpy()).all()


def test_offers_without_an_effect_change_no_outcome() -> None:
    world = world_of(400, won=0.0, lost=0.0)
    log = log_of(world, cost=0)
    label = first_rows(world.predictions).to_pandas().label
    assert (log.stayed == (label == 0)).all()
    assert (log.spent == 3000 * log.stayed).all()  # sales after the horizon do not count
    assert (log.net == log.spent).all()
    assert (log.spent_before == 1000 + log.customer_id).all()


def test_every_offer_costs_and_a_won_customer_buys_as_before() -> None:
    log = log_of(world_of(400, won=1.0))
    assert (log.net == log.spent - 800 * log.offered).all()
    won = log[log.offered & log.stayed & (log.spent != 3000)]
    assert len(won) > 50
    assert (won.spent == won.spent_before).all()


def test_each_arm_follows_its_own_model() -> None:
    world = world_of(500)
    scores = first_rows(world.predictions).to_pandas()
    log = log_of(world)
    for arm in ("champion", "challenger"):
        mine = log.arm == arm
        assert (log.offered[mine] == (scores[f"{arm}_score"][mine] >= 0.5)).all()


def test_a_model_that_predicts_churn_is_shipped(tmp_path: Path) -> None:
    assert action_of(tmp_path, world_of(3000)) == "SHIP"


def test_a_model_whose_offers_lose_customers_is_rolled_back(tmp_path: Path) -> None:
    assert action_of(tmp_path, world_of(3000, skill=-3.0, won=0.0, lost=0.6)) == "ROLLBACK"


def test_the_same_model_in_both_arms_is_inconclusive(tmp_path: Path) -> None:
    world = world_of(800)
    actions = [action_of(tmp_path, world, salt=f"null-{number}", arms=SAME_MODEL) for number in range(30)]
    assert actions.count("INCONCLUSIVE") >= 24  # more than 6 false positives of 30 at 5 %: once in 1,000 times


def test_with_the_same_model_the_arm_changes_no_outcome() -> None:
    world = world_of(500)
    one, two = (log_of(world, salt=salt, arms=SAME_MODEL).drop(columns="arm") for salt in ("one", "two"))
    assert one.equals(two)


def test_the_order_of_predictions_and_sales_changes_nothing() -> None:
    world = world_of(300)
    reversed_rows = World(
        world.predictions.take(np.arange(world.predictions.num_rows)[::-1]),
        world.thresholds,
        world.customers,
        world.sales.take(np.arange(world.sales.num_rows)[::-1]),
        world.horizon_days,
    )
    assert log_of(world).equals(log_of(reversed_rows))


def test_a_task_without_customers_has_no_such_experiment() -> None:
    world = world_of(50)
    lacking = World(world.predictions.drop_columns(["customer_id"]), world.thresholds, world.customers, world.sales, 60)
    with pytest.raises(SourceError, match=r"lack \['customer_id'\].*Cure: leave simulation out"):
        log_of(lacking)


def test_scored_customers_without_truth_are_refused() -> None:
    world = world_of(50)
    lacking = World(world.predictions, world.thresholds, world.customers.slice(0, 20), world.sales, 60)
    with pytest.raises(SourceError, match="lacks customers that were scored"):
        log_of(lacking)

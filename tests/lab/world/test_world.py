"""The synthetic world: reproducible bytes, independent tables, known faults and drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import roc_auc_score

from lab.core.errors import ParamsError
from lab.core.result_files import read_json
from lab.core.tables import read_table, tables_in
from lab.prepare.preparation import prepare_tables
from lab.prepare.repair import nearest_levels
from lab.world import build, faults
from lab.world.build import WorldParams, write_world
from lab.world.calendar import DAYS, END, NEWEST, START, day_weights, periods
from lab.world.choices import choose, choose_by_group
from lab.world.customers import CHANNELS, GENDERS
from lab.world.faults import OUTLIER_FACTOR, add_typos, typos_of
from lab.world.products import NAMES, draw_products
from lab.world.stores import FORMATS, REGIONS
from ops.readme.schemas import WORLD
from stages import world as stage
from tests.own_tasks import own_task
from tests.project import files_below

SIZE = 1_500
SEED = 7
NEWEST_MOMENT = datetime(NEWEST.year, NEWEST.month, NEWEST.day)  # noqa: DTZ001 - the data's own zone
LEVELS = {"gender": GENDERS, "region": REGIONS, "channel": CHANNELS}


@dataclass(frozen=True)
class World:
    """A written world, read back."""

    raw: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    document: dict[str, Any]

    def column(self, table: str, name: str) -> Any:
        return self.raw[table][name].to_numpy()

    def faulty(self, fault: str) -> pa.Table:
        return self.truth["sales"].filter(pc.equal(self.truth["sales"]["fault"], fault))


def write(folder: Path, *, size: int = 200, seed: int = SEED) -> Path:
    """Write a world below a folder and return the folder."""
    for name in ("raw", "truth"):
        (folder / name).mkdir(parents=True)
    write_world(size, seed=seed, raw=folder / "raw", truth=folder / "truth")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = write(tmp_path_factory.mktemp("world"), size=SIZE)
    raw, truth = (
        {name: read_table(path) for name, path in tables_in(folder / part).items()} for part in ("raw", "truth")
    )
    return World(raw, truth, read_json(folder / "truth/truth.json"))


def once(world: World) -> pa.Table:
    """Return the sales without their repeats."""
    sales = world.raw["sales"]
    _, first = np.unique(sales["sale_id"].to_numpy(), return_index=True)
    return sales.take(np.sort(first))


def share(mask: Any) -> float:
    return float(np.mean(np.asarray(mask)))


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    assert files_below(write(tmp_path / "one")) == files_below(write(tmp_path / "two"))


def test_another_seed_changes_every_table(tmp_path: Path) -> None:
    one, two = files_below(write(tmp_path / "one")), files_below(write(tmp_path / "two", seed=SEED + 1))
    assert [name for name in one if one[name] == two[name]] == []


def test_other_products_change_no_customers_stores_and_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(tmp_path / "before")
    monkeypatch.setattr(build, "draw_products", lambda *, seed: draw_products(seed=seed + 1))
    after = write(tmp_path / "after")
    for name in ("raw/customers", "raw/stores", "truth/customers", "truth/stores", "truth/pauses"):
        assert (before / f"{name}.parquet").read_bytes() == (after / f"{name}.parquet").read_bytes(), name
    assert (before / "raw/products.parquet").read_bytes() != (after / "raw/products.parquet").read_bytes()
    old, new = (read_table(folder / "raw/sales.parquet") for folder in (before, after))
    kept = ["sale_id", "moment", "recorded", "customer_id", "store_id"]
    assert old.select(kept).equals(new.select(kept))
    assert not old["amount"].equals(new["amount"])


def test_more_late_rows_change_no_other_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_table(write(tmp_path / "before") / "truth/sales.parquet")
    monkeypatch.setattr(faults, "LATE_SHARE", 0.3)
    after = read_table(write(tmp_path / "after") / "truth/sales.parquet")
    kinds = ["duplicate", "outlier in quantity", "outlier in amount"]
    old, new = (sales.filter(pc.is_in(sales["fault"], pa.array(kinds))).to_pylist() for sales in (before, after))
    assert old == new
    assert after.num_rows > before.num_rows


def test_a_larger_world_has_about_forty_sales_a_customer(world: World) -> None:
    assert 35 < world.raw["sales"].num_rows / SIZE < 45


def test_every_sale_points_to_a_customer_a_product_and_a_store(world: World) -> None:
    for name, key in (("customers", "customer_id"), ("products", "product_id"), ("stores", "store_id")):
        assert set(world.column("sales", key)) <= set(world.column(name, key))


def test_keys_are_unique_but_for_the_repeated_sales(world: World) -> None:
    for name, key in (("customers", "customer_id"), ("products", "product_id"), ("stores", "store_id")):
        assert len(set(world.column(name, key))) == world.raw[name].num_rows
    assert once(world).num_rows + world.faulty("duplicate").num_rows == world.raw["sales"].num_rows


def test_amounts_and_quantities_are_positive_whole_numbers(world: World) -> None:
    for name in ("amount", "quantity"):
        assert world.raw["sales"][name].type == pa.int64()
        assert world.column("sales", name).min() >= 1


def test_sales_lie_within_the_period_and_are_recorded_after_they_happen(world: World) -> None:
    moment, recorded = world.column("sales", "moment"), world.column("sales", "recorded")
    assert moment.min() >= np.datetime64(START)
    assert recorded.max() < np.datetime64(START) + np.timedelta64(DAYS, "D")
    assert (recorded > moment).all()


def test_sales_are_in_the_order_of_recording(world: World) -> None:
    order = np.lexsort((world.column("sales", "sale_id"), world.column("sales", "recorded")))
    assert (order == np.arange(len(order))).all()
    assert (np.diff(world.column("sales", "moment")) < np.timedelta64(0)).any()


def test_no_customer_buys_before_sign_up_or_after_churn(world: World) -> None:
    signed_up = world.column("customers", "signed_up").astype("datetime64[D]")
    stopped = world.truth["customers"]["stopped"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    buyer = world.column("sales", "customer_id") - 1
    day = world.column("sales", "moment").astype("datetime64[D]")
    assert (day >= signed_up[buyer]).all()
    assert not (day >= stopped[buyer]).any()


def test_no_customer_buys_in_a_pause(world: World) -> None:
    pauses = world.truth["pauses"].to_pylist()
    sold: dict[int, list[datetime]] = {}
    for sale in world.raw["sales"].select(["customer_id", "moment"]).to_pylist():
        sold.setdefault(sale["customer_id"], []).append(sale["moment"])
    assert len(pauses) > SIZE
    for pause in pauses:
        for moment in sold.get(pause["customer_id"], []):
            assert moment.date() < pause["paused"] or (pause["resumed"] and moment.date() >= pause["resumed"])


def test_sales_are_few_at_christmas_and_many_on_black_friday(world: World) -> None:
    day = world.column("sales", "moment").astype("datetime64[D]")
    christmas, friday, before = (
        share(day == np.datetime64(day_)) for day_ in ("2024-12-25", "2024-11-29", "2024-11-22")
    )
    assert christmas < before / 3
    assert friday > before * 1.4


def test_prices_rise_from_year_to_year(world: World) -> None:
    sales = once(world)
    prices = dict(zip(world.column("products", "product_id"), world.column("products", "list_price"), strict=True))
    ratio = sales["amount"].to_numpy() / sales["quantity"].to_numpy()
    ratio = ratio / np.array([prices[product] for product in sales["product_id"].to_pylist()])
    month = sales["moment"].to_numpy().astype("datetime64[M]")
    full = [np.quantile(ratio[month == np.datetime64(name)], 0.5) for name in ("2024-02", "2025-02", "2025-11")]
    assert 1.01 < full[1] / full[0] < 1.06
    assert 1.12 < full[2] / full[1] < 1.25


def test_repeated_rows_are_exact_and_known(world: World) -> None:
    rows = world.raw["sales"].to_pylist()
    again = [one["sale_id"] for one, next_ in pairwise(rows) if one == next_]
    assert sorted(again) == sorted(world.faulty("duplicate")["sale_id"].to_pylist())


@pytest.mark.parametrize("column", ["quantity", "amount"])
def test_outliers_are_a_hundred_times_the_truth(column: str, world: World) -> None:
    true = {row["sale_id"]: row for row in world.faulty(f"outlier in {column}").to_pylist()}
    other = {"quantity": "amount", "amount": "quantity"}[column]
    touched_twice = {*world.faulty(f"outlier in {other}")["sale_id"].to_pylist()}
    found = [row for row in world.raw["sales"].to_pylist() if row["sale_id"] in true]
    assert len(found) >= 5
    for row in found:
        assert row[column] == OUTLIER_FACTOR * true[row["sale_id"]][column]
        assert row[other] == true[row["sale_id"]][other] or row["sale_id"] in touched_twice


def test_late_rows_are_those_recorded_half_a_day_or_more_afterwards(world: World) -> None:
    sales = once(world)
    delay = sales["recorded"].to_numpy() - sales["moment"].to_numpy()
    late = delay > np.timedelta64(3, "m")
    assert sorted(sales["sale_id"].to_numpy()[late]) == sorted(world.faulty("late")["sale_id"].to_pylist())
    assert delay[late].min() >= np.timedelta64(12, "h")
    assert delay.max() <= np.timedelta64(10 * 24, "h") + np.timedelta64(2, "m")


def test_sales_recorded_after_the_end_are_left_out(world: World) -> None:
    unreported = set(world.faulty("unreported")["sale_id"].to_pylist())
    assert unreported
    assert unreported.isdisjoint(world.column("sales", "sale_id"))
    assert once(world).num_rows + len(unreported) == world.document["sales_that_happened"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("duplicate", 0.002), ("outlier in quantity", 0.00025), ("outlier in amount", 0.00025), ("late", 0.005)],
)
def test_faulty_sales_have_about_their_share(fault: str, expected: float, world: World) -> None:
    rows = world.document["sales_that_happened"]
    found = world.faulty(fault).num_rows
    assert abs(found - expected * rows) < 4 * (expected * rows) ** 0.5
    recorded = next(item for item in world.document["faults"] if item["fault"] == fault)
    assert (recorded["rows"], recorded["share"]) == (found, expected)


def recorded_faults(world: World, kind: str) -> list[tuple[str, str, int, float]]:
    found = [item for item in world.document["faults"] if item["fault"] == kind]
    return [(item["table"], item["column"], item["rows"], item["share"]) for item in found]


def test_missing_values_have_the_recorded_count_and_share(world: World) -> None:
    recorded = recorded_faults(world, "missing")
    assert {(table, column) for table, column, _, _ in recorded} >= {
        ("customers", name) for name in (*LEVELS, "senior")
    }
    for table, column, rows, expected in recorded:
        assert world.raw[table][column].null_count == rows
        assert abs(rows - expected * world.raw[table].num_rows) < 4 * (rows + 1) ** 0.5 + 1
    for name, table in world.raw.items():
        complete = set(table.column_names) - {column for faulty_table, column, _, _ in recorded if faulty_table == name}
        assert sum(table[column].null_count for column in complete) == 0


@pytest.mark.parametrize(("column", "channel"), [("gender", "partner"), ("senior", "web"), ("region", "partner")])
def test_missing_values_depend_on_another_column(column: str, channel: str, world: World) -> None:
    missing = pc.is_null(world.raw["customers"][column]).to_numpy()
    there = pc.equal(world.truth["customers"]["channel"], channel).to_numpy()
    assert missing[there].mean() > 1.5 * missing[~there].mean()


def test_every_typo_is_counted_and_can_be_repaired(world: World) -> None:
    recorded = {column: rows for table, column, rows, _ in recorded_faults(world, "typo") if table == "customers"}
    for column, levels in LEVELS.items():
        found = world.raw["customers"][column].to_pylist()
        true = world.truth["customers"][column].to_pylist()
        repaired = nearest_levels({value for value in found if value}, levels)
        assert sum(value not in levels for value in found if value) == recorded[column] > 0
        assert all(
            value is None or repaired.get(value, value) == truth for value, truth in zip(found, true, strict=True)
        )


@pytest.mark.parametrize("levels", [GENDERS, CHANNELS, REGIONS, FORMATS, NAMES], ids=lambda levels: levels[0])
def test_no_typo_is_as_near_to_another_level(levels: Sequence[str]) -> None:
    for level in levels:
        assert nearest_levels(typos_of(level), levels) == dict.fromkeys(typos_of(level), level)


def test_only_the_given_rows_get_typos() -> None:
    seen = np.array([3, 4, 5])
    codes, levels, count = add_typos(np.zeros(1_000, int), ["web"], rows=seen, rng=np.random.default_rng(SEED))
    assert count == 3
    assert np.flatnonzero(codes).tolist() == seen.tolist()
    assert {levels[code] for code in codes[seen]} <= set(typos_of("web"))


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_world_fits_the_schema_of_its_task(seed: int, tmp_path: Path) -> None:
    folder = write(tmp_path, size=100, seed=seed)
    task = own_task("churn")
    done = prepare_tables(folder / "raw", task.tables, task.features, into=tmp_path, as_of=None)
    assert done.rows_kept["customers"] == 100


def parts(world: World) -> tuple[pa.Table, pa.Table]:
    """Return the sales before the newest window, and those in it."""
    sales = once(world)
    newest = pc.greater_equal(sales["moment"], pa.scalar(NEWEST_MOMENT, pa.timestamp("us")))
    return sales.filter(pc.invert(newest)), sales.filter(newest)


def test_weekends_weigh_more_in_the_newest_window(world: World) -> None:
    before, after = (share(pc.greater_equal(pc.day_of_week(sales["moment"]), 5)) for sales in parts(world))
    recorded = next(item for item in world.document["drift"] if item["column"] == "moment")["value"]
    assert before == pytest.approx(recorded[0], abs=0.02)
    assert after == pytest.approx(recorded[1], abs=0.02)


def test_a_store_format_is_new_in_the_newest_window(world: World) -> None:
    express = np.flatnonzero(pc.equal(world.truth["stores"]["format"], "express").to_numpy()) + 1
    before, after = (share(np.isin(sales["store_id"].to_numpy(), express)) for sales in parts(world))
    assert before == 0
    assert after > 0.05


def test_the_campaign_brings_other_customers(world: World) -> None:
    new = pc.greater_equal(world.raw["customers"]["signed_up"], NEWEST)
    for column, level in (("channel", "partner"), ("region", "south")):
        is_level = pc.equal(world.truth["customers"][column], level)
        assert share(is_level.filter(new)) > 1.8 * share(is_level.filter(pc.invert(new)))


def expected_sales(world: World) -> Any:
    """Return the expected sales by customer and day without a change of behaviour."""
    days = np.datetime64(START) + np.arange(DAYS)
    signed_up = world.column("customers", "signed_up").astype("datetime64[D]")
    stopped = world.truth["customers"]["stopped"].fill_null(pa.scalar(END)).to_numpy().astype("datetime64[D]")
    there = (days >= signed_up[:, None]) & (days < stopped[:, None])
    for pause in world.truth["pauses"].to_pylist():
        resumed = np.datetime64(pause["resumed"] or END)
        there[pause["customer_id"] - 1] &= ~((days >= np.datetime64(pause["paused"])) & (days < resumed))
    return there * world.truth["customers"]["purchases_per_day"].to_numpy()[:, None] * day_weights()


def test_purchases_follow_the_true_rates_before_and_after_the_change(world: World) -> None:
    recorded = next(item for item in world.document["behaviour_change"] if item["segment"] == "channel")["factor"]
    channel = np.array(world.truth["customers"]["channel"].to_pylist())
    expected = expected_sales(world)
    newest = (NEWEST - START).days
    before, after = (channel[sales["customer_id"].to_numpy() - 1] for sales in parts(world))
    for name in CHANNELS:
        here = channel == name
        assert np.count_nonzero(before == name) == pytest.approx(expected[here, :newest].sum(), rel=0.06), name
        changed = expected[here, newest:].sum() * recorded.get(name, 1.0)
        assert np.count_nonzero(after == name) == pytest.approx(changed, rel=0.12), name


def test_days_without_purchases_predict_churn_imperfectly(world: World) -> None:
    snapshot = np.datetime64("2025-07-05")
    sales = once(world)
    day, buyer = sales["moment"].to_numpy().astype("datetime64[D]"), sales["customer_id"].to_numpy()
    half_year = (day < snapshot) & (day >= snapshot - 180)
    customers = np.unique(buyer[half_year])
    last = {customer: day[half_year & (buyer == customer)].max() for customer in customers}
    returns = set(buyer[(day >= snapshot) & (day < snapshot + 60)])
    churned = [customer not in returns for customer in customers]
    idle_days = [(snapshot - last[customer]) / np.timedelta64(1, "D") for customer in customers]
    assert 0.3 < share(churned) < 0.5
    assert 0.72 < roc_auc_score(churned, idle_days) < 0.88


def test_the_periods_cover_every_day_once_and_split_at_the_newest_window() -> None:
    days = [day for period in periods() for day in range(period.first, period.last)]
    assert days == list(range(DAYS))
    assert min(period.first for period in periods() if period.newest) == (NEWEST - START).days


def test_the_shape_of_the_week_changes_but_not_its_size() -> None:
    weights = day_weights()
    october = [(datetime(year, 10, 13) - datetime(2024, 1, 1)).days for year in (2024, 2025)]  # noqa: DTZ001
    old, new = (weights[first - (START + timedelta(first)).weekday() :][:7] for first in october)
    assert old.sum() == pytest.approx(new.sum())
    assert new[5:].sum() > 1.3 * old[5:].sum()


def test_choices_have_the_shares_of_their_weights() -> None:
    chosen = choose([1, 0, 3], size=40_000, rng=np.random.default_rng(SEED))
    assert np.bincount(chosen) / 40_000 == pytest.approx([0.25, 0, 0.75], abs=0.01)


def test_choices_by_group_use_the_weights_of_their_row() -> None:
    groups = np.repeat([0, 1], 40_000)
    chosen = choose_by_group([[1, 0, 3], [0, 1, 0]], groups, rng=np.random.default_rng(SEED))
    assert np.bincount(chosen[:40_000]) / 40_000 == pytest.approx([0.25, 0, 0.75], abs=0.01)
    assert set(chosen[40_000:]) == {1}


def test_the_stage_writes_tables_and_their_ground_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("seed: 1\nworld:\n  customers: 100\n")
    stage.main()
    assert set(tables_in(tmp_path / "data/world/tables")) == {"customers", "products", "stores", "sales"}
    assert read_json(tmp_path / "data/truth/truth.json")["known"] is True


def test_a_world_with_too_few_customers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("seed: 1\nworld:\n  customers: 99\n")
    with pytest.raises(ParamsError, match=r"world\.customers: .*greater than or equal to 100 \(found '99'\)"):
        stage.main()
    assert list(tmp_path.rglob("*.parquet")) == []


def test_editors_know_the_section_of_the_world() -> None:
    ours = {key: value for key, value in WorldParams.model_json_schema().items() if key not in {"title", "description"}}
    ours["properties"]["customers"].pop("title")
    assert ours == WORLD

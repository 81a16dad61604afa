"""Features are point-in-time correct, have exact values, and parts do not overlap."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lab.core.errors import ParamsError, SourceError
from lab.core.tables import read_table, write_table
from lab.dataset.features import Features
from lab.dataset.tables import Table
from lab.dataset.windows import SplitPlan, plan_split
from lab.featurize.features import MadeFeatures, make_features
from lab.task.schema import Task
from tests.cures import hold_to_cure
from tests.own_tasks import own_task
from tests.project import ROOT
from tests.retail import FIRST, LAST, shop_tables, write_shop

CUT = datetime(2025, 7, 5)  # noqa: DTZ001 - the shop has one zone; it is the churn task's test snapshot


def make(task: Task, folder: Path, tables: dict[str, pa.Table], *, last: datetime = LAST) -> MadeFeatures:
    prepared = write_shop(tables, folder / "prepared")
    plan = plan_split(task.split, first=FIRST, last=last)
    return make_features(
        prepared, task.features, task.tables, plan, into=folder / "features", high_missing_share=0.6, seed=1
    )


def rows_of(folder: Path, part: str) -> pa.Table:
    return read_table(folder / f"features/{part}.parquet")


def shop() -> dict[str, pa.Table]:
    return shop_tables(customers=150, sales=6_000, seed=3)


def rewritten_after(sales: pa.Table, moment: datetime, *, columns: Sequence[str]) -> pa.Table:
    """Return the sales with changed values in everything that is known from the moment on."""
    future = pc.greater_equal(sales["recorded"], pa.scalar(moment, pa.timestamp("us"))).to_numpy()
    rng = np.random.default_rng(9)
    changed = sales
    for column in columns:
        values = np.where(future, rng.permutation(sales[column].to_numpy()), sales[column].to_numpy())
        changed = changed.set_column(changed.column_names.index(column), column, pa.array(values))
    return changed


def features_only(table: pa.Table, *, until: datetime) -> pa.Table:
    kept = table.filter(pc.less_equal(table["moment"], pa.scalar(until, pa.timestamp("us"))))
    return kept.drop_columns(["label"])


def test_no_churn_feature_depends_on_the_future(tmp_path: Path) -> None:
    task, tables = own_task("churn"), shop()
    make(task, tmp_path / "before", tables)
    everything = ["amount", "quantity", "product_id", "store_id"]
    make(task, tmp_path / "after", {**tables, "sales": rewritten_after(tables["sales"], CUT, columns=everything)})
    for part in ("train", "test"):
        before, after = (features_only(rows_of(tmp_path / run, part), until=CUT) for run in ("before", "after"))
        assert before.num_rows > 100
        assert before.equals(after)
    assert not rows_of(tmp_path / "before", "current").equals(rows_of(tmp_path / "after", "current"))


def test_without_the_future_only_the_churn_label_changes(tmp_path: Path) -> None:
    task, tables = own_task("churn"), shop()
    make(task, tmp_path / "whole", tables)
    known = pc.less(tables["sales"]["moment"], pa.scalar(CUT + timedelta(days=20), pa.timestamp("us")))
    late = pc.greater_equal(tables["sales"]["moment"], pa.scalar(datetime(2025, 10, 1), pa.timestamp("us")))  # noqa: DTZ001
    make(task, tmp_path / "erased", {**tables, "sales": tables["sales"].filter(pc.or_(known, late))})
    whole, erased = (rows_of(tmp_path / run, "test") for run in ("whole", "erased"))
    assert features_only(whole, until=CUT).equals(features_only(erased, until=CUT))
    assert pc.sum(erased["label"]).as_py() > pc.sum(whole["label"]).as_py()


def test_no_feature_of_a_sale_depends_on_that_day_or_the_future(tmp_path: Path) -> None:
    task, tables = own_task("high_value_sale"), shop()
    make(task, tmp_path / "before", tables)
    itself = ["amount", "quantity"]
    make(task, tmp_path / "after", {**tables, "sales": rewritten_after(tables["sales"], CUT, columns=itself)})
    before, after = (rows_of(tmp_path / run, "test") for run in ("before", "after"))
    that_day = [features_only(table, until=CUT + timedelta(days=1)) for table in (before, after)]
    assert that_day[0].num_rows > 3
    assert that_day[0].equals(that_day[1])
    assert not before.drop_columns(["label"]).equals(after.drop_columns(["label"]))


def test_the_columns_of_the_label_are_not_features_of_a_sale(tmp_path: Path) -> None:
    made = make(own_task("high_value_sale"), tmp_path, shop())
    assert {"amount", "quantity", "label"}.isdisjoint(made.schema.features)


def test_a_sale_that_was_recorded_late_is_not_known_early(tmp_path: Path) -> None:
    tables = shop()
    sales = tables["sales"].to_pylist()
    sales.append({**sales[0], "sale_id": 10**6, "customer_id": 0, "moment": CUT - timedelta(days=1), "recorded": CUT})
    late = {**tables, "sales": pa.Table.from_pylist(sales, schema=tables["sales"].schema)}
    for name, world in (("without", tables), ("with", late)):
        make(own_task("churn"), tmp_path / name, world)
    assert rows_of(tmp_path / "without", "test").equals(rows_of(tmp_path / "with", "test"))


def test_churn_features_agree_with_the_sales(tmp_path: Path) -> None:
    tables = shop()
    make(own_task("churn"), tmp_path, tables)
    row = rows_of(tmp_path, "test").to_pylist()[5]
    sales = [sale for sale in tables["sales"].to_pylist() if sale["customer_id"] == row["customer_id"]]
    known = [s for s in sales if CUT - timedelta(days=180) <= s["recorded"] < CUT]
    amounts = [sale["amount"] for sale in known]
    newest = max(sale["moment"] for sale in known)
    assert row["moment"] == CUT
    assert row["purchases_180_days"] == len(known)
    assert row["purchases_60_days"] == sum(s["recorded"] >= CUT - timedelta(days=60) for s in known)
    assert row["amount_180_days"] == sum(amounts) / 100
    assert row["average_order"] == pytest.approx(sum(amounts) / len(amounts) / 100, abs=1e-9)
    assert row["spread_of_orders"] == pytest.approx(float(np.std(amounts, ddof=1)) / 100, abs=1e-8)
    assert row["recency_days"] == pytest.approx((CUT - newest).total_seconds() / 86_400, abs=1e-9)
    assert row["weekend_share"] == pytest.approx(sum(s["moment"].isoweekday() >= 6 for s in known) / len(known))
    next_sales = [s for s in sales if CUT <= s["moment"] < CUT + timedelta(days=60)]
    assert row["label"] == (0 if next_sales else 1)


def test_features_of_a_sale_agree_with_the_sales_before_its_day(tmp_path: Path) -> None:
    tables = shop()
    make(own_task("high_value_sale"), tmp_path, tables)
    sales, rows = tables["sales"].to_pandas(), rows_of(tmp_path, "test").to_pandas().head(20)
    day = sales["recorded"].dt.normalize()
    for row in rows.itertuples():
        sale = sales[sales["sale_id"] == row.sale_id].iloc[0]
        today = sale["moment"].normalize()

        def before(column: str, days: int, *, sale: Any = sale, today: Any = today) -> Any:
            past = (day < today) & (day >= today - timedelta(days=days))
            return sales[past & (sales[column] == sale[column])]

        store, product = before("store_id", 28)["quantity"], before("product_id", 56)
        assert row.store_pieces == store.sum()
        assert row.store_quantity_spread == pytest.approx(store.std(), abs=1e-8, nan_ok=True)
        price = (product["amount"] // product["quantity"]).std() / 100
        assert row.product_price_spread == pytest.approx(price, abs=1e-8, nan_ok=True)


def test_parts_keep_the_embargo(tmp_path: Path) -> None:
    make(own_task("churn"), tmp_path, shop())
    horizon = timedelta(days=60)
    moments = {part: set(rows_of(tmp_path, part)["moment"].to_pylist()) for part in ("train", "test", "current")}
    assert max(moments["train"]) + horizon <= min(moments["test"])
    assert max(moments["test"]) + horizon <= min(moments["current"])


def test_the_number_of_threads_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for threads in (1, 4):
        monkeypatch.setattr("lab.engine.engine.THREADS", threads)
        make(own_task("high_value_sale"), tmp_path / str(threads), shop())
    one, four = ((tmp_path / name / "features/train.parquet").read_bytes() for name in ("1", "4"))
    assert one == four


# Flat tables

COLUMNS: dict[str, Any] = {
    "id": {"type": "identifier"},
    "age": {"type": "integer"},
    "city": {"type": "category"},
    "since": {"type": "date"},
    "same": {"type": "category"},
    "empty": {"type": "number"},
    "churned": {"type": "category"},
}
RANDOM = SplitPlan(kind="random", reason="chance", test_share=0.2, current_share=0.2)


def flat_rows(count: int = 200) -> dict[str, list[Any]]:
    return {
        "id": list(range(count)),
        "age": [20 + number % 40 for number in range(count)],
        "city": [["here", "there"][number % 2] for number in range(count)],
        "since": [datetime(2020, 1, 1 + number % 28).date() for number in range(count)],  # noqa: DTZ001 - a day
        "same": ["x"] * count,
        "empty": [1.0 if number % 10 == 0 else None for number in range(count)],
        "churned": [["No", "Yes", "No", None][number % 4] for number in range(count)],
    }


def make_flat(folder: Path, data: dict[str, list[Any]], *, plan: SplitPlan = RANDOM, **features: Any) -> MadeFeatures:
    write_table(pa.table(data), folder / "prepared/rows.parquet")
    contract = Table.model_validate({"columns": {name: COLUMNS[name] for name in data}, "key": ["id"]})
    settings = {"question": "?", "table": "rows", "unit": ["id"], "label": "churned", "positive": "Yes", **features}
    described, into = Features.model_validate(settings), folder / "features"
    return make_features(
        folder / "prepared",
        described,
        {"rows": contract},
        plan,
        into=into,
        high_missing_share=0.6,
        seed=1,
    )


def test_a_flat_table_becomes_typed_rows_with_a_label(tmp_path: Path) -> None:
    made = make_flat(tmp_path, flat_rows())
    assert made.rows == {"train": 90, "test": 30, "current": 30}
    assert made.without_label == 50
    assert rows_of(tmp_path, "train").column_names == ["id", "label", "age", "city", "since"]
    assert {name: feature.kind for name, feature in made.schema.features.items()} == {
        "age": "number",
        "city": "category",
        "since": "number",
    }


def test_useless_columns_are_dropped_with_the_reason(tmp_path: Path) -> None:
    made = make_flat(tmp_path, flat_rows())
    assert made.left_out["same"] == "constant in the training rows"
    assert made.left_out["empty"].endswith("% of the training rows, more than 60 %")


def test_a_high_missing_column_stays_when_the_task_says_keep(tmp_path: Path) -> None:
    made = make_flat(tmp_path, flat_rows(), high_missing_columns="keep")
    assert "empty" in made.schema.features


def test_random_parts_keep_the_share_of_classes(tmp_path: Path) -> None:
    made = make_flat(tmp_path, flat_rows())
    assert made.positive_share == {part: pytest.approx(1 / 3, abs=0.01) for part in ("train", "test", "current")}


def test_rows_of_one_group_are_in_one_part(tmp_path: Path) -> None:
    data = flat_rows()
    data["city"] = [f"city {number // 8}" for number in range(200)]
    plan = SplitPlan(kind="group", reason="?", group="city", test_share=0.2, current_share=0.2)
    make_flat(tmp_path, data, plan=plan)
    sides = [set(rows_of(tmp_path, part)["city"].to_pylist()) for part in ("train", "test", "current")]
    assert all(sides)
    assert sides[0].isdisjoint(sides[1] | sides[2])
    assert sides[1].isdisjoint(sides[2])


def test_the_order_of_the_source_does_not_matter(tmp_path: Path) -> None:
    data = flat_rows()
    make_flat(tmp_path / "forth", data)
    make_flat(tmp_path / "back", {name: values[::-1] for name, values in data.items()})
    assert rows_of(tmp_path / "forth", "train").equals(rows_of(tmp_path / "back", "train"))


def test_a_repeated_unit_is_refused(tmp_path: Path) -> None:
    data = flat_rows()
    data["id"][1] = data["id"][5] = 77_777
    with pytest.raises(SourceError, match=r"found 2 rows for one unit, \(\"id\"\) = \(77777,\)"):
        make_flat(tmp_path, data)


@pytest.mark.parametrize("positive", ["yes", "1", 1, True])
def test_a_positive_value_without_rows_is_refused(positive: str | int | bool, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="0 of them with the positive label"):
        make_flat(tmp_path, flat_rows(), positive=positive)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select nothing from rows", "features.sql of the task cannot run"),
        ("select id, 1 as label from rows", r"lacks the columns \['city'\]"),
        ("select id, 1 as label, city, since from rows", "returns {'since': 'DATE'}, expected numbers"),
        ("select id, 1 as label, city from read_csv('/etc/hostname')", "disabled by configuration"),
        ("select id, 1 as label, city, random() as x from rows", "features.sql of the task calls random, expected"),
        ("drop table rows", "features.sql of the task is no select statement"),
    ],
)
def test_an_unusable_query_is_refused(query: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=message):
        make_flat(tmp_path, flat_rows(), table=None, query=query, groups=["city"])


def test_an_endless_query_is_stopped_with_its_field_and_leaves_nothing(tmp_path: Path) -> None:
    query = "select a.id, 1 as label, a.city from rows a, rows b, rows c, rows d, rows e, rows f, rows g"
    with pytest.raises(SourceError, match=r"longer than 0\.001 minutes .* raise features\.minutes in the task file"):
        make_flat(tmp_path, flat_rows(), table=None, query=query, groups=["city"], minutes=0.001)
    assert not list(tmp_path.glob("**/train.parquet"))


def test_the_example_of_the_reference_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs/reference/query.md").read_text()
    query = page.partition("```sql\n")[2].partition("```")[0]
    task = own_task("churn")
    shown = task.features.model_copy(update={"query": query, "groups": ("region",)})
    made = make(task.model_copy(update={"features": shown}), tmp_path, shop())
    assert {"purchases", "amount", "region"} == set(made.schema.features)
    assert 0 < made.positive_share["train"] < 1


QUERY = "select id, 1 - id % 2 as label, age, city from rows"
ENDLESS = "select a.id, 1 as label, a.city from rows a, rows b, rows c, rows d, rows e, rows f, rows g"
Wanted = dict[str, Any]


def flat(*names: str, **values: list[Any]) -> dict[str, list[Any]]:
    """Return the flat table with some of its columns, with other values."""
    rows = {**flat_rows(), **values}
    return {name: rows[name] for name in names or rows}


def by_query(query: str = QUERY, **features: Any) -> Wanted:
    return {"data": flat(), "table": None, "query": query, "groups": ["city"], **features}


CURES: dict[str, tuple[Wanted, ...]] = {
    "lab/featurize/division.py: correct features: positive in the task file, add rows, or ch": (
        {"data": flat(), "positive": "Maybe"}, {"data": flat(), "positive": "Yes"},
        {"data": flat(churned=["Maybe", "No"] * 100), "positive": "Maybe"},
    ),
    "lab/featurize/division.py: set features: unit in the task file to the columns that iden": (
        {"data": flat(id=[1] * 200)}, {"data": flat(id=[1] * 200, age=list(range(200))), "unit": ["id", "age"]},
    ),
    "lab/featurize/features.py: add columns that vary.": (
        {"data": flat("id", "same", "churned")}, {"data": flat("id", "same", "age", "churned")},
    ),
    "lab/featurize/features.py: add columns to the table.": (
        {"data": flat("id", "churned")}, {"data": flat("id", "age", "churned")}
    ),
    "lab/featurize/features.py: cast them; convert a timestamp to a number of days with date": (
        by_query(QUERY.replace("age", "age, since")),
        by_query(QUERY.replace("age", "age, date_diff('day', since, date '2025-01-01') as days")),
        by_query(QUERY.replace("age", "age, cast(since as varchar) as since")),
    ),
    "lab/featurize/features.py: look for a join without a condition, or raise features.minut": (
        by_query(ENDLESS, minutes=0.001), by_query(),
        by_query(f"{QUERY} join (select id as other from rows) on id = other"),
    ),
    "lab/featurize/features.py: select them, or correct unit and groups.": (
        by_query(QUERY.replace(", city", "")), by_query(), by_query(QUERY.replace(", city", ""), groups=[]),
    ),
    "lab/engine/stability.py: use columns of the tables, such as the moment of the row in": (
        by_query(QUERY.replace("age", "random() as age")), by_query()
    ),
}  # fmt: skip


@pytest.mark.parametrize("cure", CURES)
def test_the_cure_of_refused_features(cure: str, tmp_path: Path) -> None:
    refused, *cured = CURES[cure]
    for wanted in cured:
        hold_to_cure(cure, partial(make_flat, tmp_path, **refused), partial(make_flat, tmp_path, **wanted))


def test_a_column_with_a_name_of_the_feature_tables_is_renamed_or_ignored(tmp_path: Path) -> None:
    def featurize(name: str, kind: str = "number") -> object:
        data = {**flat("id", "age", "churned"), name: [float(number) for number in range(200)]}
        write_table(pa.table(data), tmp_path / "prepared/rows.parquet")
        types = {**{each: COLUMNS[each] for each in ("id", "age", "churned")}, name: {"type": kind}}
        features = Features.model_validate(
            {"question": "?", "table": "rows", "unit": ["id"], "label": "churned", "positive": "Yes"}
        )
        return make_features(
            tmp_path / "prepared", features, {"rows": Table.model_validate({"columns": types, "key": ["id"]})}, RANDOM,
            into=tmp_path / "features", high_missing_share=0.6, seed=1,
        )  # fmt: skip

    key = "lab/featurize/flat.py: rename them in the task file (source: rename), or give them"
    hold_to_cure(key, lambda: featurize("split"), lambda: featurize("division"))
    hold_to_cure(key, lambda: featurize("split"), lambda: featurize("split", "ignore"))

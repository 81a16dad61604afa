"""Write the synthetic retail world: reported tables and the truth behind them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from lab.core.params import Params
from lab.core.result_files import write_json
from lab.core.tables import write_batches, write_table
from lab.world.customers import draw_customers
from lab.world.faults import Delivery, FaultySales, deliver_sales
from lab.world.products import draw_products
from lab.world.reported import SALES, report_customers, report_products, report_stores, sales_table
from lab.world.sales import draw_sales
from lab.world.stores import draw_stores
from lab.world.truth import (
    SALE_FAULTS,
    count_sale_faults,
    describe_truth,
    faulty_sales_table,
    true_customers,
    true_pauses,
    true_products,
    true_stores,
)


class WorldParams(Params):
    """The size of the world; fewer customers leave too few rows to evaluate."""

    customers: int = Field(ge=100, le=1_000_000)


def write_world(size: int, *, seed: int, raw: Path, truth: Path) -> None:
    """Write a world of `size` customers into two folders; a customer has about 40 sales."""
    customers, products, stores = draw_customers(size, seed=seed), draw_products(seed=seed), draw_stores(seed=seed)
    reports = {
        "customers": report_customers(customers, seed=seed),
        "products": report_products(products, seed=seed),
        "stores": report_stores(stores, seed=seed),
    }
    for name, report in reports.items():
        write_table(report.table, raw / f"{name}.parquet")
    faulty: list[FaultySales] = []
    deliveries = deliver_sales(draw_sales(customers, products, stores, seed=seed), seed=seed)
    write_batches(_tables(deliveries, faulty), SALES, raw / "sales.parquet")
    faults = [fault for report in reports.values() for fault in report.faults]
    write_table(true_customers(customers), truth / "customers.parquet")
    write_table(true_pauses(customers), truth / "pauses.parquet")
    write_table(true_products(products), truth / "products.parquet")
    write_table(true_stores(stores), truth / "stores.parquet")
    write_batches((faulty_sales_table(found) for found in faulty), SALE_FAULTS, truth / "sales.parquet")
    document = describe_truth([*faults, *count_sale_faults(faulty)], happened=sum(found.happened for found in faulty))
    write_json(document, truth / "truth.json")


def _tables(deliveries: Iterable[Delivery], faulty: list[FaultySales]) -> Iterator[pa.Table]:
    """Yield the sales as tables, and append their faults to `faulty`."""
    for delivery in deliveries:
        faulty.append(delivery.faulty)
        yield sales_table(delivery.sales)

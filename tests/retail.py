"""Make small prepared retail tables of random rows for tests of features."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from lab.core.tables import write_table

STARTS = np.datetime64("2024-01-01", "us")
DAYS = 731
SECONDS_A_DAY = 86_400
FIRST, LAST = datetime(2024, 1, 1), datetime(2025, 12, 31)  # noqa: DTZ001 - the shop has one zone


def shop_tables(*, customers: int, sales: int, seed: int) -> dict[str, pa.Table]:
    """Return customers, products, stores and sales; some sales are recorded days late."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, DAYS * SECONDS_A_DAY, sales))
    late = np.where(rng.random(sales) < 0.02, rng.integers(1, 10 * SECONDS_A_DAY, sales), rng.integers(0, 60, sales))
    prices = rng.integers(100, 20_000, 50)
    products = rng.integers(0, 50, sales)
    quantity = rng.integers(1, 5, sales)
    return {
        "customers": pa.table(
            {
                "customer_id": np.arange(customers),
                "gender": rng.choice(["female", "male"], customers),
                "senior": rng.random(customers) < 0.2,
                "region": rng.choice(["north", "south"], customers),
                "channel": rng.choice(["web", "app"], customers),
                "signed_up": np.datetime64("2020-01-01") + rng.integers(0, 1400, customers).astype("timedelta64[D]"),
            }
        ),
        "products": pa.table(
            {
                "product_id": np.arange(50),
                "brand": rng.choice(["a", "b"], 50),
                "category": rng.choice(["garden", "grocery", "toys"], 50),
                "subcategory": rng.choice(["x", "y", "z"], 50),
                "supplier": rng.choice(["s", "t"], 50),
                "list_price": prices,
            }
        ),
        "stores": pa.table(
            {
                "store_id": np.arange(8),
                "format": rng.choice(["express", "supermarket"], 8),
                "city": rng.choice(["c", "d"], 8),
                "state": rng.choice(["e", "f"], 8),
                "region": rng.choice(["north", "south"], 8),
            }
        ),
        "sales": pa.table(
            {
                "sale_id": np.arange(sales),
                "moment": STARTS + (seconds * 1_000_000).astype("timedelta64[us]"),
                "recorded": STARTS + ((seconds + late) * 1_000_000).astype("timedelta64[us]"),
                "customer_id": (customers * rng.random(sales) ** 2).astype(np.int64),
                "product_id": products,
                "store_id": rng.integers(0, 8, sales),
                "quantity": quantity,
                "amount": quantity * prices[products],
            }
        ),
    }


def write_shop(tables: dict[str, pa.Table], folder: Path) -> Path:
    """Write the tables as the stage prepare does, and return the folder."""
    for name, table in tables.items():
        write_table(table, folder / f"{name}.parquet")
    return folder

"""Make the ground truth of the synthetic world for tests and the simulated experiment."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from lab.world import calendar, customers, faults, products, sales, stores
from lab.world.columns import FIRST_ID, booleans, dates, identifiers, numbers, table_of, texts
from lab.world.faults import Fault, FaultySales

SALE_FAULTS = pa.schema(
    [("sale_id", pa.int64()), ("fault", pa.string()), ("quantity", pa.int64()), ("amount", pa.int64())]
)
NOTES = (
    "the whole row comes twice, with the same sale_id",
    "quantity times 100, amount as paid",
    "amount times 100, quantity as sold",
    "recorded half a day to ten days after moment",
    "recorded after the world's end, so the row is not there",
)
SHARES = (faults.DUPLICATE_SHARE, faults.OUTLIER_SHARE / 2, faults.OUTLIER_SHARE / 2, faults.LATE_SHARE, 0.0)
COLUMNS = (None, "quantity", "amount", "recorded", None)


def true_customers(found: customers.Customers) -> pa.Table:
    """Return customers with true attributes, rates and effects; stopped is null without churn."""
    return table_of(
        {
            "customer_id": identifiers(len(found.signed_up)),
            "gender": texts(found.gender, customers.GENDERS),
            "senior": booleans(found.senior == 1),
            "region": texts(found.region, stores.REGIONS),
            "channel": texts(found.channel, customers.CHANNELS),
            "purchases_per_day": numbers(found.purchases_per_day),
            "stopping_per_day": numbers(found.stopping_per_day),
            "stopped": dates(found.stopped, missing=found.stopped >= calendar.DAYS),
            "affluence": numbers(found.affluence),
            "bulk": numbers(found.bulk),
            "won_by_offer": numbers(found.won_by_offer.round(9)),
            "lost_by_offer": numbers(found.lost_by_offer.round(9)),
        }
    )


def true_pauses(found: customers.Customers) -> pa.Table:
    """Return one row per pause: its first day, and the day after it (null: after the end of the period)."""
    begins, ends = found.turns[:, ::2], found.turns[:, 1::2]
    customer, pause = np.nonzero((begins < np.minimum(ends, found.stopped[:, None])) & (ends > 0))
    resumed = ends[customer, pause]
    return table_of(
        {
            "customer_id": numbers(customer + FIRST_ID),
            "paused": dates(begins[customer, pause]),
            "resumed": dates(resumed, missing=resumed >= calendar.DAYS),
        }
    )


def true_products(found: products.Products) -> pa.Table:
    return table_of(
        {
            "product_id": identifiers(len(found.category)),
            "brand": texts(found.brand, products.BRANDS),
            "category": texts(found.category, products.NAMES),
            "subcategory": texts(found.subcategory, products.SUBCATEGORIES),
            "supplier": texts(found.supplier, products.SUPPLIERS),
            "luxury": numbers(found.luxury.round(9)),
            "popularity": numbers(found.popularity.round(9)),
        }
    )


def true_stores(found: stores.Stores) -> pa.Table:
    return table_of(
        {
            "store_id": identifiers(len(found.format)),
            "format": texts(found.format, stores.FORMATS),
            "city": texts(found.city, stores.CITIES),
            "region": texts(found.region, stores.REGIONS),
            "attraction": numbers(found.attraction.round(9)),
        }
    )


def faulty_sales_table(faulty: FaultySales) -> pa.Table:
    """Return one row per faulty sale and fault, with the true quantity and amount."""
    return pa.Table.from_arrays(
        [
            numbers(faulty.sale + FIRST_ID),
            texts(faulty.fault, faults.SALE_FAULTS),
            numbers(faulty.quantity),
            numbers(faulty.amount),
        ],
        schema=SALE_FAULTS,
    )


def count_sale_faults(faulty: Sequence[FaultySales]) -> tuple[Fault, ...]:
    """Return the faults of the sales with their counts."""
    counts = sum(np.bincount(found.fault, minlength=len(faults.SALE_FAULTS)) for found in faulty)
    facts = zip(faults.SALE_FAULTS, COLUMNS, SHARES, NOTES, strict=True)
    return tuple(
        Fault("sales", column, name, share, int(np.asarray(counts)[number]), note)
        for number, (name, column, share, note) in enumerate(facts)
    )


def describe_truth(injected: Sequence[Fault], *, happened: int) -> dict[str, Any]:
    """Return the injected faults, drift and change of behaviour; `happened` counts all sales, recorded or not."""
    return {
        "known": True,
        "sales_that_happened": happened,
        "period": _period(calendar.START, calendar.END),
        "newest_window": _period(calendar.NEWEST, calendar.END),
        "faults": injected,
        "drift": _drift(),
        "behaviour_change": _behaviour_change(),
    }


def _period(first: date, end: date) -> dict[str, str]:
    return {"first": first.isoformat(), "last": (end - timedelta(days=1)).isoformat()}


def _drift() -> list[dict[str, Any]]:
    weekend = [sum(week[5:]) / sum(week) for week in (calendar.WEEK, calendar.NEWEST_WEEK)]
    shares = {name: [kind.sales, kind.newest_sales] for name, kind in products.CATEGORIES.items()}
    return [
        _change("sales", "amount", "prices jump by this part of the list price", calendar.NEWEST_PRICE_JUMP / 1e6),
        _change("sales", "moment", "share of sales on weekends, before and after", weekend),
        _change("sales", "product_id", "share of sales by category, before and after, apart from season", shares),
        _change("sales", "store_id", "stores of a format that was not there before sell", "express"),
        _change("customers", "signed_up", "sign-ups a day, times those before", customers.NEWEST_SIGN_UPS),
        _change(
            "customers",
            "region",
            "share among those who sign up, before and after",
            _pairs(stores.REGIONS, customers.REGION_WEIGHTS, customers.CAMPAIGN_REGION_WEIGHTS),
        ),
        _change(
            "customers",
            "channel",
            "share among those who sign up and are no seniors, before and after",
            _pairs(customers.CHANNELS, customers.CHANNEL_WEIGHTS[0], customers.CAMPAIGN_CHANNEL_WEIGHTS[0]),
        ),
    ]


def _behaviour_change() -> list[dict[str, Any]]:
    rates = {
        channel: factor
        for channel, factor in zip(customers.CHANNELS, sales.NEWEST_RATE_OF_CHANNEL, strict=True)
        if factor != 1
    }
    return [
        {"of": "how often a customer buys", "segment": "channel", "factor": rates},
        {"of": "pieces per sale", "segment": "senior", "steps": sales.NEWEST_BULK_OF_SENIOR[1]},
    ]


def _change(table: str, column: str, what: str, value: object) -> dict[str, Any]:
    return {"table": table, "column": column, "what": what, "value": value}


def _pairs(levels: Sequence[str], before: Sequence[float], after: Sequence[float]) -> dict[str, list[float]]:
    return {level: [old, new] for level, old, new in zip(levels, before, after, strict=True)}

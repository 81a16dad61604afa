"""Make the reported tables of the synthetic world, with missing values and typos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lab.core.seeds import generator_of
from lab.world.choices import Floats, Integers
from lab.world.columns import FIRST_ID, booleans, dates, identifiers, moments, numbers, table_of, texts
from lab.world.customers import CHANNELS, GENDERS, Customers
from lab.world.faults import TYPO_SHARE, Fault, add_typos, draw_missing
from lab.world.products import BRANDS, NAMES, SUBCATEGORIES, SUPPLIERS, Products
from lab.world.sales import Sales
from lab.world.stores import CITIES, FORMATS, REGIONS, STATES, Stores

OLD_SIGN_UP = -2_192  # 2018-01-01: the channel is often missing before
SALES = pa.schema(
    [
        ("sale_id", pa.int64()),
        ("moment", pa.timestamp("us")),
        ("recorded", pa.timestamp("us")),
        ("customer_id", pa.int64()),
        ("product_id", pa.int64()),
        ("store_id", pa.int64()),
        ("quantity", pa.int64()),
        ("amount", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Reported:
    """A reported table and its faults."""

    table: pa.Table
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Attribute:
    """A categorical column, the probability that each row is missing, and whether typos occur."""

    codes: Integers
    levels: Sequence[str]
    missing: Floats | None = None
    note: str = ""
    typos: bool = True


def report_customers(customers: Customers, *, seed: int) -> Reported:
    """Return the customers; missingness depends on the channel and the day of sign-up."""
    columns, faults = _report(_attributes_of(customers), table="customers", seed=seed)
    shares = np.where(customers.channel == CHANNELS.index("web"), 0.09, 0.02)
    hidden = draw_missing(shares, rng=_stream(seed, "customers", "senior", "missing"))
    table = {
        "customer_id": identifiers(len(hidden)),
        "gender": columns["gender"],
        "senior": booleans(customers.senior == 1, missing=hidden),
        "region": columns["region"],
        "channel": columns["channel"],
        "signed_up": dates(customers.signed_up),
    }
    return Reported(table_of(table), (*faults, _missing("customers", "senior", shares, hidden, "mostly web")))


def _attributes_of(customers: Customers) -> dict[str, Attribute]:
    partner = customers.channel == CHANNELS.index("partner")
    old = customers.signed_up < OLD_SIGN_UP
    return {
        "gender": Attribute(customers.gender, GENDERS, np.where(partner, 0.14, 0.04), "mostly partner"),
        "region": Attribute(customers.region, REGIONS, np.where(partner, 0.03, 0.005), "mostly partner"),
        "channel": Attribute(customers.channel, CHANNELS, np.where(old, 0.12, 0.01), "mostly sign-ups before 2018"),
    }


def report_products(products: Products, *, seed: int) -> Reported:
    """Return the products; the brand is missing most often in grocery."""
    grocery = products.category == NAMES.index("grocery")
    attributes = {
        "brand": Attribute(products.brand, BRANDS, np.where(grocery, 0.08, 0.01), "mostly grocery"),
        "category": Attribute(products.category, NAMES),
        "subcategory": Attribute(products.subcategory, SUBCATEGORIES),
        "supplier": Attribute(products.supplier, SUPPLIERS, np.where(products.luxury > 0.7, 0.05, 0.01), "mostly dear"),
    }
    columns, faults = _report(attributes, table="products", seed=seed)
    table = {"product_id": identifiers(len(grocery)), **columns, "list_price": numbers(products.list_price)}
    return Reported(table_of(table), faults)


def report_stores(stores: Stores, *, seed: int) -> Reported:
    attributes = {
        "format": Attribute(stores.format, FORMATS),
        "city": Attribute(stores.city, CITIES, typos=False),
        "state": Attribute(stores.state, STATES, typos=False),
        "region": Attribute(stores.region, REGIONS),
    }
    columns, faults = _report(attributes, table="stores", seed=seed)
    return Reported(table_of({"store_id": identifiers(len(stores.format)), **columns}), faults)


def sales_table(sales: Sales) -> pa.Table:
    """Return sales as a table of the schema SALES."""
    columns = [
        numbers(sales.sale + FIRST_ID),
        moments(sales.moment),
        moments(sales.recorded),
        numbers(sales.customer + FIRST_ID),
        numbers(sales.product + FIRST_ID),
        numbers(sales.store + FIRST_ID),
        numbers(sales.quantity),
        numbers(sales.amount),
    ]
    return pa.Table.from_arrays(columns, schema=SALES)


def _stream(seed: int, table: str, column: str, fault: str) -> np.random.Generator:
    return generator_of(seed, f"world/faults/{table}/{column}/{fault}")


def _report(
    attributes: Mapping[str, Attribute], *, table: str, seed: int
) -> tuple[dict[str, pa.Array], tuple[Fault, ...]]:
    columns, faults = {}, []
    for name, attribute in attributes.items():
        codes, levels = attribute.codes, tuple(attribute.levels)
        shares = np.zeros(len(codes)) if attribute.missing is None else attribute.missing
        missing = draw_missing(shares, rng=_stream(seed, table, name, "missing"))
        if attribute.missing is not None:
            faults.append(_missing(table, name, shares, missing, attribute.note))
        if attribute.typos:
            visible = np.flatnonzero(~missing)
            codes, levels, count = add_typos(codes, levels, rows=visible, rng=_stream(seed, table, name, "typo"))
            faults.append(Fault(table, name, "typo", TYPO_SHARE, count, "capitals, a space behind, a slip at the end"))
        columns[name] = texts(codes, levels, missing=missing)
    return columns, tuple(faults)


def _missing(table: str, column: str, shares: Floats, missing: npt.NDArray[np.bool_], note: str) -> Fault:
    return Fault(table, column, "missing", float(shares.mean()), int(missing.sum()), f"not at random: {note}")

"""Draw the sales of the synthetic world, period by period to bound memory."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np

from lab.core.seeds import generator_of
from lab.world.calendar import (
    HOURS,
    SECONDS_PER_DAY,
    START,
    Period,
    day_weights,
    discount_season,
    periods,
    price_indices,
)
from lab.world.choices import Floats, Integers, choose, choose_by_group
from lab.world.customers import CHANNELS, Customers, pausing
from lab.world.products import CATEGORIES, Products
from lab.world.stores import BULK_OF_FORMAT, Stores, store_weights

# One random stream each.
PURPOSES = ("days", "seconds", "products", "stores", "quantities", "discounts", "delays")

# The change of behaviour: factors on the purchase rate of each channel in the newest window.
NEWEST_RATE_OF_CHANNEL = (1.0, 0.2, 1.0, 2.0)
NEWEST_BULK_OF_SENIOR = (0, 1)

ONLINE_CHANNELS = ("web", "app")
# Seasonal factors of a category, January to December.
INTEREST = {
    "garden": (0.3, 0.5, 1.4, 2.2, 2.2, 1.6, 1.2, 0.9, 0.8, 0.6, 0.4, 0.4),
    "toys": (0.7, 0.7, 0.8, 0.9, 0.9, 0.9, 0.8, 0.8, 0.9, 1.1, 1.8, 2.4),
    "sports": (1.4, 1.0, 1.1, 1.2, 1.2, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.8),
}
# Weights of PIECES; later rows buy more at once.
PIECES = (1, 2, 3, 4, 6, 8, 12)
QUANTITIES = (
    (0.80, 0.12, 0.04, 0.02, 0.01, 0.01, 0.0),
    (0.72, 0.15, 0.06, 0.03, 0.02, 0.01, 0.01),
    (0.62, 0.18, 0.08, 0.05, 0.04, 0.02, 0.01),
    (0.50, 0.21, 0.11, 0.07, 0.05, 0.04, 0.02),
    (0.40, 0.22, 0.13, 0.09, 0.07, 0.05, 0.04),
    (0.32, 0.21, 0.14, 0.11, 0.09, 0.07, 0.06),
    (0.25, 0.19, 0.15, 0.13, 0.11, 0.09, 0.08),
    (0.19, 0.17, 0.15, 0.15, 0.13, 0.11, 0.10),
)
DISCOUNTS = (0, 5, 10, 20, 30, 50)  # per cent
DISCOUNT_WEIGHTS = ((0.58, 0.09, 0.12, 0.10, 0.07, 0.04), (0.30, 0.10, 0.15, 0.18, 0.16, 0.11))


@dataclass(frozen=True)
class Sales:
    """One entry per sale; moment and recorded are seconds since START, identifiers are positions."""

    sale: Integers
    moment: Integers
    recorded: Integers
    customer: Integers
    product: Integers
    store: Integers
    quantity: Integers
    amount: Integers

    def take(self, rows: Integers) -> "Sales":
        return Sales(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def joined(first: Sales, second: Sales) -> Sales:
    return Sales(
        **{
            field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)])
            for field in fields(Sales)
        }
    )


def draw_sales(customers: Customers, products: Products, stores: Stores, *, seed: int) -> Iterator[Sales]:
    """Yield the sales of each period in order of moment, without faults."""
    streams = {purpose: generator_of(seed, f"world/sales/{purpose}") for purpose in PURPOSES}
    sold = 0
    for period in periods():
        customer, moment = _draw_moments(customers, period, streams)
        product = _draw_products(customers.affluence[customer], products, period, rng=streams["products"])
        store = choose_by_group(
            store_weights(stores, newest=period.newest), _shoppers(customers)[customer], rng=streams["stores"]
        )
        step = _bulk(customers, products, stores, period, customer=customer, product=product, store=store)
        quantity = np.array(PIECES)[choose_by_group(QUANTITIES, step, rng=streams["quantities"])]
        yield Sales(
            sale=np.arange(sold, sold + len(moment)),
            moment=moment,
            recorded=moment + streams["delays"].integers(1, 120, len(moment)),
            customer=customer,
            product=product,
            store=store,
            quantity=quantity,
            amount=_amounts(products.list_price[product], quantity, moment, rng=streams["discounts"]),
        )
        sold += len(moment)


def _draw_moments(
    customers: Customers, period: Period, streams: dict[str, np.random.Generator]
) -> tuple[Integers, Integers]:
    """Return buyers and seconds, in order: a Poisson process that excludes pauses and days outside membership."""
    weights = day_weights()[period.first : period.last]
    there = np.flatnonzero((customers.signed_up < period.last) & (customers.stopped > period.first))
    changes = np.array(NEWEST_RATE_OF_CHANNEL) if period.newest else np.ones(len(CHANNELS))
    rate = customers.purchases_per_day[there] * changes[customers.channel[there]]
    customer = np.repeat(there, streams["days"].poisson(rate * weights.sum()))
    day = period.first + choose(weights, size=len(customer), rng=streams["days"])
    kept = (day >= customers.signed_up[customer]) & (day < customers.stopped[customer])
    kept &= ~pausing(customers, customer, day)
    customer, day = customer[kept], day[kept]
    hour = choose(HOURS, size=len(day), rng=streams["seconds"])
    moment = day * SECONDS_PER_DAY + hour * 3_600 + streams["seconds"].integers(0, 3_600, len(day))
    order = np.argsort(moment, kind="stable")
    return customer[order], moment[order]


def _draw_products(affluence: Integers, products: Products, period: Period, *, rng: np.random.Generator) -> Integers:
    """Return the products bought, weighted by popularity, season, and luxury times affluence."""
    tilts = np.stack([1.15 - products.luxury, np.full(len(products.luxury), 0.65), 0.05 + 1.2 * products.luxury**2])
    weights = products.popularity * _interest(period)[products.category] * tilts
    return choose_by_group(weights, affluence, rng=rng)


def _interest(period: Period) -> Floats:
    month = (START + timedelta(days=period.first)).month
    return np.array(
        [
            INTEREST.get(name, (1.0,) * 12)[month - 1] * (kind.newest_sales / kind.sales if period.newest else 1.0)
            for name, kind in CATEGORIES.items()
        ]
    )


def _shoppers(customers: Customers) -> Integers:
    """Return each customer's row in store_weights."""
    online = np.isin(customers.channel, [CHANNELS.index(channel) for channel in ONLINE_CHANNELS])
    return 2 * customers.region + online


def _bulk(
    customers: Customers,
    products: Products,
    stores: Stores,
    period: Period,
    *,
    customer: Integers,
    product: Integers,
    store: Integers,
) -> Integers:
    """Return each sale's row in QUANTITIES: the sum of the steps of product, store and customer."""
    of_category = np.array([kind.bulk for kind in CATEGORIES.values()])
    by_age = np.array(NEWEST_BULK_OF_SENIOR if period.newest else (0, 0))
    of_customer = customers.bulk + by_age[customers.senior]
    step = (
        of_category[products.category[product]] + np.array(BULK_OF_FORMAT)[stores.format[store]] + of_customer[customer]
    )
    return np.asarray(np.minimum(step, len(QUANTITIES) - 1))


def _amounts(list_price: Integers, quantity: Integers, moment: Integers, *, rng: np.random.Generator) -> Integers:
    """Return the amounts paid in cents, by integer arithmetic that is exact on every processor."""
    day = moment // SECONDS_PER_DAY
    discount = np.array(DISCOUNTS)[choose_by_group(DISCOUNT_WEIGHTS, discount_season()[day], rng=rng)]
    price = list_price * price_indices()[day] // 1_000_000
    return np.asarray(np.maximum(quantity * price * (100 - discount) // 100, 1))

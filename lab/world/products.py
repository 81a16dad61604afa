"""Draw the products of the synthetic world: categories, list prices and popularity."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lab.core.seeds import generator_of
from lab.world.choices import Floats, Integers, choose

COUNT = 600
BRANDS = tuple(f"brand {number:02d}" for number in range(1, 41))
SUPPLIERS = tuple(f"supplier {number:02d}" for number in range(1, 26))


@dataclass(frozen=True)
class Category:
    """A category: subcategories, weight among products, shares of sales, lowest price in cents."""

    subcategories: tuple[str, ...]
    products: float
    sales: float
    newest_sales: float
    lowest_price: int
    bulk: int


# bulk: steps down the rows of lab.world.sales.QUANTITIES, towards more pieces per sale
CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        "beauty": Category(("fragrance", "hair", "skin"), 1.0, 0.11, 0.08, 450, 1),
        "clothing": Category(("children", "men", "women"), 1.5, 0.15, 0.12, 900, 0),
        "electronics": Category(("audio", "computing", "phones"), 1.0, 0.08, 0.13, 2200, 0),
        "garden": Category(("furniture", "plants", "tools"), 0.8, 0.07, 0.05, 700, 1),
        "grocery": Category(("drinks", "fresh", "pantry"), 2.0, 0.28, 0.20, 150, 3),
        "household": Category(("cleaning", "kitchen", "textiles"), 1.3, 0.16, 0.15, 350, 2),
        "sports": Category(("cycling", "fitness", "outdoor"), 0.9, 0.08, 0.15, 1100, 0),
        "toys": Category(("games", "learning", "outdoor play"), 0.9, 0.07, 0.12, 600, 0),
    }
)
NAMES = tuple(CATEGORIES)
SUBCATEGORIES = tuple(name for category in CATEGORIES.values() for name in category.subcategories)
SUBCATEGORIES_EACH = 3


@dataclass(frozen=True)
class Products:
    """One entry per product; category, subcategory, brand and supplier are positions in the tuples above."""

    category: Integers
    subcategory: Integers
    brand: Integers
    supplier: Integers
    list_price: Integers
    luxury: Floats
    popularity: Floats


def draw_products(*, seed: int) -> Products:
    """Return the products; each column has its own random stream."""
    categories = tuple(CATEGORIES.values())
    category = np.sort(
        choose([kind.products for kind in categories], size=COUNT, rng=_stream(seed, "category")), kind="stable"
    )
    luxury = _stream(seed, "luxury").random(COUNT)
    lowest = np.array([kind.lowest_price for kind in categories])[category]
    within = _stream(seed, "subcategory").integers(0, SUBCATEGORIES_EACH, COUNT)
    return Products(
        category=category,
        subcategory=category * SUBCATEGORIES_EACH + within,
        brand=_stream(seed, "brand").integers(0, len(BRANDS), COUNT),
        supplier=_stream(seed, "supplier").integers(0, len(SUPPLIERS), COUNT),
        list_price=_list_prices(lowest, luxury),
        luxury=luxury,
        popularity=_popularities(category, rng=_stream(seed, "popularity")),
    )


def _stream(seed: int, column: str) -> np.random.Generator:
    return generator_of(seed, f"world/products/{column}")


def _list_prices(lowest: Integers, luxury: Floats) -> Integers:
    """Return prices in cents that end in 9; within a category they differ by up to a factor of eight."""
    price = lowest * (1.0 + 7.0 * luxury * luxury)
    return price.astype(np.int64) // 10 * 10 + 9


def _popularities(category: Integers, *, rng: np.random.Generator) -> Floats:
    """Return each product's share of all sales before the newest window, by a power law."""
    part = 1.0 / (4.0 + rng.permutation(COUNT))
    sums = np.bincount(category, weights=part, minlength=len(NAMES))
    shares = np.array([kind.sales for kind in CATEGORIES.values()])
    return np.asarray(part / sums[category] * shares[category])

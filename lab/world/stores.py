"""Draw the stores of the synthetic world: location, format and attraction."""

from dataclasses import dataclass

import numpy as np

from lab.core.seeds import generator_of
from lab.world.choices import Floats, Integers

REGIONS = ("north", "south", "east", "west", "centre")
STATES_PER_REGION = 3
CITIES_PER_STATE = 3
STATES = tuple(f"{region} {number}" for region in REGIONS for number in range(1, STATES_PER_REGION + 1))
CITIES = tuple(f"{state} {letter}" for state in STATES for letter in "abc"[:CITIES_PER_STATE])
# Formats of the stores of each region. `express` opens with the newest window.
FORMATS = ("hypermarket", "supermarket", "convenience", "online", "express")
FORMAT_OF_STORE = (0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4)
NEWEST_FORMAT = FORMATS.index("express")
BULK_OF_FORMAT = (2, 1, 0, 1, 0)
WEIGHT_OF_FORMAT = (3.0, 2.0, 1.0, 2.0, 0.0)
WEIGHT_OF_FORMAT_ONLINE = (0.6, 0.4, 0.2, 20.0, 0.0)
NEWEST_FORMAT_WEIGHT = 2.5
SHARE_OUTSIDE_OWN_REGION = 0.1


@dataclass(frozen=True)
class Stores:
    """One entry per store; format, city, state and region are positions in the tuples above."""

    format: Integers
    city: Integers
    state: Integers
    region: Integers
    attraction: Floats


def draw_stores(*, seed: int) -> Stores:
    """Return the stores, region by region."""
    each = len(FORMAT_OF_STORE)
    region = np.repeat(np.arange(len(REGIONS)), each)
    within = generator_of(seed, "world/stores/city").integers(0, STATES_PER_REGION * CITIES_PER_STATE, len(region))
    city = region * STATES_PER_REGION * CITIES_PER_STATE + within
    return Stores(
        format=np.tile(np.array(FORMAT_OF_STORE), len(REGIONS)),
        city=city,
        state=city // CITIES_PER_STATE,
        region=region,
        attraction=0.5 + generator_of(seed, "world/stores/attraction").random(len(region)),
    )


def store_weights(stores: Stores, *, newest: bool) -> Floats:
    """Return weights of stores by kind of customer: row 2 × region, plus 1 for customers who buy online."""
    rows = []
    for region in range(len(REGIONS)):
        for by_format in (WEIGHT_OF_FORMAT, WEIGHT_OF_FORMAT_ONLINE):
            formats = np.array(by_format)
            formats[NEWEST_FORMAT] = NEWEST_FORMAT_WEIGHT if newest else 0.0
            weights = formats[stores.format] * stores.attraction
            near = stores.region == region
            rows.append(
                weights * np.where(near, (1 - SHARE_OUTSIDE_OWN_REGION) / weights[near].sum(), 0.0)
                + weights * np.where(near, 0.0, SHARE_OUTSIDE_OWN_REGION / weights[~near].sum())
            )
    return np.array(rows)

"""Draw the customers of the synthetic world: attributes, purchase rates, pauses and churn."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.core.seeds import generator_of
from lab.world.calendar import DAYS, NEWEST_DAY
from lab.world.choices import Floats, Integers, choose, choose_by_group

GENDERS = ("female", "male", "other")
CHANNELS = ("web", "app", "store", "partner")

OLDEST_SIGN_UP = -3_287  # 2015-01-01
SHARE_SIGNED_UP_BEFORE = 0.55
NEWEST_SIGN_UPS = 4.0  # a campaign multiplies the sign-ups a day
GENDER_WEIGHTS = (0.51, 0.46, 0.03)
SENIOR_SHARE = 0.24
REGION_WEIGHTS = (0.24, 0.20, 0.18, 0.25, 0.13)
CAMPAIGN_REGION_WEIGHTS = (0.05, 0.76, 0.05, 0.09, 0.05)
CHANNEL_WEIGHTS = ((0.34, 0.30, 0.26, 0.10), (0.24, 0.10, 0.54, 0.12))  # others, seniors
CAMPAIGN_CHANNEL_WEIGHTS = ((0.14, 0.16, 0.10, 0.60), (0.14, 0.06, 0.25, 0.55))

# Purchases, and the risk of churn, of a typical customer on an ordinary day.
PURCHASES_PER_DAY = 0.168
STOPPING_PER_DAY = 0.00105
RATE_SHAPE = 0.72  # of the gamma distribution: a smaller shape spreads the rates more
RATE_OF_CHANNEL = (0.9, 1.25, 1.0, 0.65)
RATE_OF_SENIOR = (1.0, 1.1)
STOPPING_OF_CHANNEL = (1.3, 0.5, 0.9, 2.6)
STOPPING_OF_SENIOR = (1.15, 0.6)
STOPPING_OF_REGION = (1.0, 1.0, 1.5, 0.8, 0.8)
STOPPING_OF_NEWCOMERS = 1.8  # customers who signed up after START
STOPPING_OF_RARE_BUYERS = 1.5

# Customers pause and come back: mean days of buying, and of the pause that follows.
BUYING_DAYS = 180
PAUSE_DAYS = 92
MOST_TURNS = 12  # changes between buying and pausing within the two years

# Effects of an offer, for the simulated experiment.
WON_BY_OFFER_OF_CHANNEL = (0.22, 0.3, 0.1, 0.05)
LOST_BY_OFFER_OF_SENIOR = (0.01, 0.06)


@dataclass(frozen=True)
class Customers:
    """One entry per customer, in order of sign-up; days are counted from START.

    gender, region and channel are positions in the tuples of their names. `stopped` is the day of churn; DAYS means
    none. `turns` holds, in order, the days on which a pause begins, ends, begins and so on. `won_by_offer` is the
    probability that an offer turns 60 days without a purchase into one purchase, `lost_by_offer` that it prevents all.
    """

    signed_up: Integers
    gender: Integers
    senior: Integers
    region: Integers
    channel: Integers
    purchases_per_day: Floats
    stopping_per_day: Floats
    stopped: Integers
    turns: Integers
    affluence: Integers
    bulk: Integers
    won_by_offer: Floats
    lost_by_offer: Floats


def draw_customers(count: int, *, seed: int) -> Customers:
    """Return `count` customers; each column has its own random stream."""
    signed_up = _draw_sign_ups(count, rng=_stream(seed, "signed_up"))
    campaign = (signed_up >= NEWEST_DAY).astype(np.int64)
    senior = choose((1 - SENIOR_SHARE, SENIOR_SHARE), size=count, rng=_stream(seed, "senior"))
    region = choose_by_group((REGION_WEIGHTS, CAMPAIGN_REGION_WEIGHTS), campaign, rng=_stream(seed, "region"))
    channel = _draw_channels(2 * campaign + senior, rng=_stream(seed, "channel"))
    rate = _draw_rates(channel, senior, rng=_stream(seed, "purchases_per_day"))
    stopping = _stopping_per_day(channel, senior, region, signed_up, rate)
    return Customers(
        signed_up=signed_up,
        gender=choose(GENDER_WEIGHTS, size=count, rng=_stream(seed, "gender")),
        senior=senior,
        region=region,
        channel=channel,
        purchases_per_day=rate,
        stopping_per_day=stopping,
        stopped=_draw_stops(signed_up, stopping, rng=_stream(seed, "stopped")),
        turns=_draw_turns(signed_up, rng=_stream(seed, "turns")),
        affluence=choose((0.4, 0.4, 0.2), size=count, rng=_stream(seed, "affluence")),
        bulk=choose((0.6, 0.4), size=count, rng=_stream(seed, "bulk")),
        won_by_offer=_draw_won_by_offer(channel, rng=_stream(seed, "won_by_offer")),
        lost_by_offer=np.array(LOST_BY_OFFER_OF_SENIOR)[senior],
    )


def _stream(seed: int, column: str) -> np.random.Generator:
    return generator_of(seed, f"world/customers/{column}")


def _draw_sign_ups(count: int, *, rng: np.random.Generator) -> Integers:
    """Return sign-up days in order: a share lies before START, and a campaign adds sign-ups at the end."""
    weights = np.ones(DAYS - OLDEST_SIGN_UP)
    weights[:-DAYS] = SHARE_SIGNED_UP_BEFORE / (1 - SHARE_SIGNED_UP_BEFORE) * DAYS / -OLDEST_SIGN_UP
    weights[NEWEST_DAY - DAYS :] = NEWEST_SIGN_UPS
    days: Integers = choose(weights, size=count, rng=rng) + OLDEST_SIGN_UP
    return np.sort(days, kind="stable")


def _draw_channels(kind: Integers, *, rng: np.random.Generator) -> Integers:
    """Return channels; kind is 1 for seniors, plus 2 for sign-ups of the campaign."""
    return choose_by_group((*CHANNEL_WEIGHTS, *CAMPAIGN_CHANNEL_WEIGHTS), kind, rng=rng)


def _draw_won_by_offer(channel: Integers, *, rng: np.random.Generator) -> Floats:
    return np.asarray(np.array(WON_BY_OFFER_OF_CHANNEL)[channel] * (0.5 + rng.random(len(channel))))


def _draw_rates(channel: Integers, senior: Integers, *, rng: np.random.Generator) -> Floats:
    spread = rng.standard_gamma(RATE_SHAPE, len(channel)) / RATE_SHAPE
    rate = PURCHASES_PER_DAY * (0.06 + spread) * np.array(RATE_OF_CHANNEL)[channel] * np.array(RATE_OF_SENIOR)[senior]
    return np.asarray(rate.round(9))


def _stopping_per_day(
    channel: Integers, senior: Integers, region: Integers, signed_up: Integers, rate: Floats
) -> Floats:
    risk = (
        STOPPING_PER_DAY
        * np.array(STOPPING_OF_CHANNEL)[channel]
        * np.array(STOPPING_OF_SENIOR)[senior]
        * np.array(STOPPING_OF_REGION)[region]
        * np.where(signed_up >= 0, STOPPING_OF_NEWCOMERS, 1.0)
        * np.where(rate < PURCHASES_PER_DAY / 2, STOPPING_OF_RARE_BUYERS, 1.0)
    )
    return np.asarray(risk.round(9))


def _draw_stops(signed_up: Integers, stopping_per_day: Floats, *, rng: np.random.Generator) -> Integers:
    """Return the day of churn; no customer churns before START."""
    days = rng.standard_exponential(len(signed_up)) / stopping_per_day
    return np.asarray(np.minimum(np.maximum(signed_up, 0) + 1 + days.astype(np.int64), DAYS))


def _draw_turns(signed_up: Integers, *, rng: np.random.Generator) -> Integers:
    """Return a row of days per customer: a pause begins, ends, begins and so on."""
    means = np.tile(np.array([BUYING_DAYS, PAUSE_DAYS]), MOST_TURNS // 2)
    spells = rng.standard_exponential((len(signed_up), MOST_TURNS)) * means
    begins = np.maximum(signed_up, 0) - (signed_up < 0) * rng.integers(0, BUYING_DAYS + PAUSE_DAYS, len(signed_up))
    return np.asarray(np.minimum(begins[:, None] + 1 + np.cumsum(spells.astype(np.int64), axis=1), DAYS))


def pausing(customers: Customers, customer: Integers, day: Integers) -> npt.NDArray[np.bool_]:
    """Return whether each customer pauses on the day beside it."""
    paused = np.zeros(len(day), dtype=np.bool_)
    for turn in range(MOST_TURNS):
        paused ^= customers.turns[customer, turn] <= day
    return paused

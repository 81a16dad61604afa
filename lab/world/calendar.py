"""The calendar of the synthetic world: dates, seasonal demand and prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

START = date(2024, 1, 1)
END = date(2026, 1, 1)  # exclusive
DAYS = (END - START).days
# Drift and the change of behaviour start here.
NEWEST = date(2025, 9, 3)
NEWEST_DAY = (NEWEST - START).days

SECONDS_PER_DAY = 86_400
# Weights of sales by hour of the day; there are none at night.
HOURS = (0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 9, 9, 8, 7, 7, 8, 10, 11, 9, 6, 4, 2, 1)

SEASON = (0.9, 0.88, 0.96, 1.0, 1.02, 1.0, 0.94, 0.94, 1.0, 1.04, 1.12, 1.3)  # January to December
WEEK = (0.9, 0.85, 0.9, 1.0, 1.15, 1.35, 0.85)  # Monday to Sunday, sums to 7
NEWEST_WEEK = (0.72, 0.68, 0.72, 0.8, 0.98, 1.8, 1.3)  # sums to 7 too: only the distribution changes
DISCOUNT_MONTHS = (1, 7)
HOLIDAYS: Mapping[date, float] = MappingProxyType(
    {
        **{date(year, month, day): 0.1 for year in (2024, 2025) for month, day in ((1, 1), (12, 25), (12, 26))},
        **dict.fromkeys((date(2024, 3, 29), date(2024, 4, 1), date(2025, 4, 18), date(2025, 4, 21)), 0.1),  # Easter
        **dict.fromkeys((date(2024, 11, 29), date(2025, 11, 28)), 2.2),  # Black Friday
        **{date(year, 12, day): 1.5 for year in (2024, 2025) for day in (20, 21, 22, 23)},
    }
)

INFLATION_PER_DAY = 82  # in millionths of the first day's price: 3 % a year
NEWEST_PRICE_JUMP = 160_000  # in millionths


@dataclass(frozen=True)
class Period:
    """Days that are drawn together, as day numbers from START; the last is exclusive."""

    first: int
    last: int

    @property
    def newest(self) -> bool:
        return self.first >= NEWEST_DAY


def periods() -> list[Period]:
    """Return the months in order; the month in which the newest window begins is split there."""
    firsts = {day for day in range(DAYS) if (START + timedelta(days=day)).day == 1}
    return [Period(first, last) for first, last in pairwise(sorted(firsts | {NEWEST_DAY, DAYS}))]


def day_weights() -> npt.NDArray[np.float64]:
    """Return the relative demand of each day; an ordinary day has about 1."""
    return np.array([_weight(START + timedelta(days=day)) for day in range(DAYS)])


def _weight(day: date) -> float:
    week = NEWEST_WEEK if day >= NEWEST else WEEK
    return SEASON[day.month - 1] * week[day.weekday()] * HOLIDAYS.get(day, 1.0)


def price_indices() -> npt.NDArray[np.int64]:
    """Return the price level of each day in millionths of the list price."""
    days = np.arange(DAYS, dtype=np.int64)
    return 1_000_000 + days * INFLATION_PER_DAY + np.where(days >= NEWEST_DAY, NEWEST_PRICE_JUMP, 0)


def discount_season() -> npt.NDArray[np.int64]:
    """Return 1 for the days of the discount months, 0 for the others."""
    return np.array([int((START + timedelta(days=day)).month in DISCOUNT_MONTHS) for day in range(DAYS)])

"""Generate the data of the story: a subscription business with a non-linear churn rule."""

import csv
import io
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from lab.core.seeds import generator_of

FIRST_WEEK = date(2025, 1, 6)
ROWS_A_WEEK = 120
COLUMNS = (
    "customer_id",
    "week",
    "plan",
    "region",
    "senior",
    "months",
    "monthly_fee",
    "usage_hours",
    "calls",
    "churned",
)
PLANS = ("basic", "plus", "premium")
REGIONS = ("east", "north", "south", "west")
FEES = np.array([9.0, 19.0, 39.0])


def export(*, weeks: int, changed_from: int | None = None) -> bytes:
    """Return the export after so many weeks as CSV; a later export starts with the rows of an earlier one.

    From the week `changed_from` on, prices are a third higher, usage is lower, and calls are more frequent.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for week in range(weeks):
        writer.writerows(_rows(week, changed=changed_from is not None and week >= changed_from))
    return text.getvalue().encode()


def _rows(week: int, *, changed: bool) -> list[tuple[object, ...]]:
    rng = generator_of(1, f"story/{week}")
    plan = rng.choice(3, ROWS_A_WEEK, p=(0.3, 0.4, 0.3) if changed else (0.5, 0.3, 0.2))
    months = rng.integers(0, 60, ROWS_A_WEEK)
    fee = np.round(FEES[plan] * rng.uniform(0.9, 1.1, ROWS_A_WEEK) * (1.33 if changed else 1.0), 2)
    usage = np.round(rng.gamma(3.0, 4.0 if changed else 6.0, ROWS_A_WEEK), 1)
    calls = rng.poisson(2.0 if changed else 1.0, ROWS_A_WEEK)
    gone = rng.random(ROWS_A_WEEK) < _chance(months, fee, usage, calls)
    day = (FIRST_WEEK + timedelta(weeks=week)).isoformat()
    region, senior = rng.choice(REGIONS, ROWS_A_WEEK), rng.random(ROWS_A_WEEK) < 0.2
    return [
        (
            f"S-{week:03d}-{place:03d}", day, PLANS[plan[place]], region[place], int(senior[place]),
            months[place], fee[place], usage[place], calls[place], "Yes" if gone[place] else "No",
        )
        for place in range(ROWS_A_WEEK)
    ]  # fmt: skip


def _chance(
    months: NDArray[np.int64], fee: NDArray[np.float64], usage: NDArray[np.float64], calls: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability of churn: high for new and old customers, and for a high fee with little use."""
    dear = (fee > 15) & (usage < 15)
    new_or_old = (months < 8) | (months > 45)
    log_odds = -4.2 + 4.2 * dear + 4.2 * new_or_old + 0.6 * np.minimum(calls, 4)
    return np.asarray(1 / (1 + np.exp(-log_odds)))

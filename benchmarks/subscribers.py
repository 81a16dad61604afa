"""Simulate the sample table of subscribers: small, flat and untidy."""

import csv
import io
from typing import Any

import numpy as np

from lab.core.seeds import generator_of

ROWS = 2000
SEED = 2024
FIRST_DAY = np.datetime64("2019-01-01")
LAST_DAY = np.datetime64("2024-06-30")
DAYS_PER_MONTH = 30.4375

Column = np.ndarray[Any, np.dtype[Any]]


def subscribers_csv(*, rows: int = ROWS, seed: int = SEED) -> bytes:
    """Return the table as a CSV file: who left, `churned`, can be foretold with an ROC AUC of about 0.8.

    Untidy on purpose: a blank for the total charge of those who have not had a bill yet, `?` for unknown usage, an
    identifier, a constant, a label of words in the middle.
    """
    columns = _columns(rows, seed=seed)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def _columns(rows: int, *, seed: int) -> dict[str, Column]:
    people = _people(rows, generator_of(seed, "world/subscribers/people"))
    plans = _plans(people, generator_of(seed, "world/subscribers/plans"))
    bills = _bills(people, plans, generator_of(seed, "world/subscribers/bills"))
    leaning = _leaning(people, plans, bills)
    noise = generator_of(seed, "world/subscribers/churn").normal(0.0, 1.1, rows)
    return {
        "customer_id": np.array([f"S-{10_000 + 7 * number}" for number in range(rows)]),
        "gender": people["gender"],
        "senior": people["senior"],
        "region": people["region"],
        "signed_up": people["signed_up"],
        "contract": plans["contract"],
        "churned": np.where(leaning + noise > 0, "Yes", "No"),
        "payment_method": plans["payment_method"],
        "internet": plans["internet"],
        "paperless": plans["paperless"],
        "country": np.full(rows, "NL"),
        "monthly_charge": np.char.mod("%.2f", bills["monthly"]),
        "total_charge": np.where(bills["months"] == 0, " ", np.char.mod("%.2f", bills["total"])),
        "usage_gb": np.where(bills["usage_known"], np.char.mod("%.1f", bills["usage"]), "?"),
        "support_calls": bills["calls"],
    }


def _people(rows: int, rng: np.random.Generator) -> dict[str, Column]:
    tenure = rng.integers(0, (LAST_DAY - FIRST_DAY).astype(int), rows)
    return {
        "gender": rng.choice(["female", "male"], rows),
        "senior": rng.choice([0, 1], rows, p=[0.83, 0.17]),
        "region": rng.choice(["north", "south", "east", "west"], rows, p=[0.3, 0.25, 0.25, 0.2]),
        "tenure_days": tenure,
        "signed_up": (LAST_DAY - tenure).astype(str),
    }


def _plans(people: dict[str, Column], rng: np.random.Generator) -> dict[str, Column]:
    rows = len(people["gender"])
    loyal = people["tenure_days"] / 2000 + rng.normal(0.0, 0.35, rows)
    return {
        "contract": np.select([loyal > 0.85, loyal > 0.55], ["two years", "one year"], "month to month"),
        "payment_method": rng.choice(["card", "direct debit", "invoice", "wallet"], rows, p=[0.3, 0.3, 0.25, 0.15]),
        "internet": rng.choice(["cable", "fibre", "none"], rows, p=[0.35, 0.45, 0.2]),
        "paperless": rng.choice(["Yes", "No"], rows, p=[0.6, 0.4]),
    }


def _bills(people: dict[str, Column], plans: dict[str, Column], rng: np.random.Generator) -> dict[str, Column]:
    rows = len(people["gender"])
    base = np.select([plans["internet"] == "fibre", plans["internet"] == "cable"], [68.0, 45.0], 20.0)
    monthly = np.maximum(5.0, np.round(base + rng.normal(0.0, 7.0, rows), 2))
    months = np.floor(people["tenure_days"] / DAYS_PER_MONTH).astype(int)
    return {
        "monthly": monthly,
        "months": months,
        "total": np.round(monthly * months * rng.uniform(0.93, 1.05, rows), 2),
        "usage": np.round(np.where(plans["internet"] == "none", 0.0, rng.gamma(2.0, 60.0, rows)), 1),
        "usage_known": rng.uniform(size=rows) > 0.04,
        "calls": rng.poisson(1.2, rows),
    }


def _leaning(people: dict[str, Column], plans: dict[str, Column], bills: dict[str, Column]) -> Column:
    contract = np.select([plans["contract"] == "two years", plans["contract"] == "one year"], [-1.3, -0.5], 0.45)
    payment = np.where(plans["payment_method"] == "invoice", 0.4, 0.0)
    years = people["tenure_days"] / 365.25
    leaning: Column = (
        contract + payment - 0.18 * years + 0.012 * bills["monthly"] + 0.32 * bills["calls"] + 0.25 * people["senior"]
    )
    return leaning - 1.35

"""Data faults: damage ends in a verdict of its own, and natural changes do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.drift.faults import calendar_columns, find_faults
from lab.drift.set_aside import SetAside, counted
from lab.reference.reference import Reference
from tests.lab.drift.world import SETTINGS, changed, fitted, judged, rows_of, settings, stamped

ROWS = 1000
NOTHING = SetAside()
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fitted(rows_of(np.random.default_rng(1), ROWS), trees=10)


def batch(rows: int = ROWS, *, seed: int = 2) -> pa.Table:
    return rows_of(np.random.default_rng(seed), rows)


def filled(name: str, value: Any) -> Change:
    return lambda rows: changed(rows, name, [value] * rows.num_rows)


def scaled(name: str, factor: float) -> Change:
    return lambda rows: changed(rows, name, rows[name].cast(pa.float64()).to_numpy() * factor)


def relabelled(rows: pa.Table) -> pa.Table:
    return changed(rows, "region", [None if level is None else f"r-{level}" for level in rows["region"].to_pylist()])


def kinds(reference: Reference, rows: pa.Table, set_aside: SetAside = NOTHING, **limits: Any) -> Any:
    faults = settings(faults={**SETTINGS["faults"], **limits}).faults
    return [(fault.column, fault.kind) for fault in find_faults(reference, rows, faults, set_aside)]


DAMAGE: dict[str, tuple[Change, str | None, str]] = {
    "numbers all missing": (lambda rows: changed(rows, "amount", pa.nulls(ROWS, pa.float64())), "amount", "missing"),
    "levels all missing": (lambda rows: changed(rows, "region", pa.nulls(ROWS, pa.string())), "region", "missing"),
    "a third missing": (
        lambda rows: changed(rows, "age", [None] * 333 + rows["age"].to_pylist()[333:]),
        "age",
        "missing",
    ),
    "all 1e300": (filled("amount", 1e300), "amount", "out of range"),
    "all infinite": (filled("amount", -np.inf), "amount", "out of range"),
    "relabelled": (relabelled, "region", "unseen"),
    "one number": (filled("age", 30), "age", "constant"),
    "zeros": (filled("visits", 0), "visits", "constant"),
    "one level": (filled("region", "east"), "region", "constant"),
    "all true": (filled("senior", True), "senior", "constant"),
    "in cents": (scaled("amount", 100), "amount", "unit changed"),
    "in thousands": (scaled("amount", 1 / 1000), "amount", "unit changed"),
    "in seconds": (scaled("visits", 60), "visits", "unit changed"),
    "no row": (lambda rows: rows.slice(0, 0), None, "empty"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_a_data_fault_of_its_column(reference: Reference, name: str) -> None:
    change, column, kind = DAMAGE[name]
    assert kinds(reference, change(batch())) == [(column, kind)]


@pytest.mark.parametrize("name", ["numbers all missing", "all 1e300", "relabelled"])
def test_damage_in_twelve_rows_is_a_data_fault(reference: Reference, name: str) -> None:
    change, column, kind = DAMAGE[name]
    assert kinds(reference, change(batch()).slice(0, 12)) == [(column, kind)]


def test_a_fault_overrules_the_rules_and_is_named_on_the_last_line(reference: Reference) -> None:
    found = judged(reference, relabelled(filled("amount", 1e300)(batch(600))))
    verdict = found.document["verdict"]
    assert verdict["word"] == "data fault"
    assert verdict["text"].startswith("DATA FAULT: amount (out of range: 100% of the values are far outside")
    assert "; region (unseen: 100% of the values are not in the reference, such as 'r-" in verdict["text"]
    assert verdict["text"].endswith("; mend upstream, do not retrain")
    assert found.document["retrain"]["suggested"] is False
    assert {("amount", "data_fault_out_of_range"), ("region", "data_fault_unseen")} == {
        (alert["subject"], alert["rule"]) for alert in found.alerts if alert["rule"].startswith("data_fault")
    }


CHANGES: dict[str, Change] = {
    "nothing": lambda rows: rows,
    "prices rise": scaled("amount", 1.3),
    "prices double": scaled("amount", 2),
    "a tenth is missing": lambda rows: changed(rows, "age", [None] * 100 + rows["age"].to_pylist()[100:]),
    "a new region": lambda rows: changed(rows, "region", ["south"] * 100 + rows["region"].to_pylist()[100:]),
    "a few outliers": lambda rows: changed(rows, "amount", [1e9] * 20 + rows["amount"].to_pylist()[20:]),
    "more visits": lambda rows: changed(rows, "visits", rows["visits"].to_numpy() + 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_natural_change_is_no_data_fault(reference: Reference, name: str) -> None:
    assert kinds(reference, CHANGES[name](batch())) == []


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 30])
def test_a_few_rows_are_no_data_fault(reference: Reference, rows: int) -> None:
    assert [kinds(reference, batch(rows, seed=seed)) for seed in range(20)] == [[]] * 20


def test_random_halves_with_many_levels_have_no_data_fault() -> None:
    for seed in range(3):
        rng = np.random.default_rng([12, seed])
        table = rows_of(rng, 600)
        table = changed(table, "region", [f"name {value}" for value in rng.integers(0, 4000, 600)])
        order = rng.permutation(600)
        first, second = (table.take(pa.array(part)) for part in (order[:300], order[300:]))
        assert kinds(fitted(first, trees=10), second) == []


def test_new_units_may_bring_new_levels_of_their_own() -> None:
    """Each unit has a level and four rows; the next units have other levels."""
    units = np.repeat(np.arange(200), 4)
    windows = []
    for first, start in ((0, "2025-01-01"), (1000, "2025-03-01")):
        table = changed(rows_of(np.random.default_rng(first), 800), "customer_id", units + first)
        windows.append(changed(table, "region", [f"name {unit + first}" for unit in units]))
        moments = np.datetime64(start, "us") + np.tile(np.arange(4), 200).astype("timedelta64[D]")
        windows[-1] = windows[-1].append_column("moment", pa.array(moments, pa.timestamp("us")))
    assert kinds(fitted(windows[0], moment=True, trees=10), windows[1]) == []


def test_a_column_of_the_calendar_may_have_one_new_value() -> None:
    windows = []
    for start, months in (("2025-01-01", 2), ("2025-03-01", 1)):
        table = stamped(rows_of(np.random.default_rng(3), 600), start=start, days=months * 28)
        written = [f"{moment:%B}" for moment in table["moment"].to_pylist()]
        windows.append(changed(table, "region", written))
    reference = fitted(windows[0], moment=True, trees=10)
    assert list(calendar_columns(reference)) == ["region"]
    assert kinds(reference, windows[1]) == []


def test_a_seasonal_column_may_have_one_value(reference: Reference) -> None:
    rows = filled("visits", 0)(batch())
    assert kinds(reference, rows, seasonal=["visits"]) == []
    assert kinds(reference, filled("visits", 1e300)(batch()), seasonal=["visits"]) == [("visits", "out of range")]


def test_too_many_unreadable_lines_are_a_data_fault(reference: Reference) -> None:
    few, many = (counted([("broken JSON", "id-1")] * lines, read=ROWS) for lines in (50, 200))
    assert kinds(reference, batch(), few) == []
    assert kinds(reference, batch(), many) == [(None, "unreadable")]


def test_a_red_column_under_a_quiet_verdict_is_explained_in_one_sentence(reference: Reference) -> None:
    document = judged(reference, CHANGES["more visits"](batch())).document
    assert document["verdict"]["word"] == "no reason to retrain"
    assert document["verdict"]["text"].startswith(
        "NO REASON TO RETRAIN: 1 of 6 columns drifted, but no rule that counts fired: drifted_columns is 0.167 of 0.3, "
    )


def test_a_rule_without_labels_is_not_judged_and_says_why(reference: Reference) -> None:
    document = judged(reference, batch().drop_columns(["label"])).document
    reason = "realised_performance is not judged, because the current rows have no label"
    assert reason in document["verdict"]["text"]
    rules = {rule["policy"]: rule for rule in document["policies"]}
    assert not rules["realised_performance"]["judged"]
    assert rules["drifted_columns"]["judged"]
    assert all(rule["judged"] == (rule["reason"] == "") for rule in rules.values())


def test_without_a_rule_that_can_be_judged_the_verdict_is_not_quiet(reference: Reference) -> None:
    policies = {name: {**rule, "counts": name == "realised_performance"} for name, rule in SETTINGS["policies"].items()}
    document = judged(reference, batch().drop_columns(["label"]), policies=policies).document
    assert document["verdict"]["text"] == (
        "NOT JUDGED: realised_performance is not judged, because the current rows have no label"
    )

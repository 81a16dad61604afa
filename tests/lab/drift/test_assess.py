"""The assessment of a batch: columns, domain classifier, rows, time, retraining."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.core.result_files import json_bytes
from lab.drift.assess import Assessment
from lab.reference.reference import Reference
from tests.lab.drift.world import SETTINGS, changed, fitted, judged, rows_of, stamped

ROWS = 2000
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fitted(rows_of(np.random.default_rng(1), ROWS))


@pytest.fixture(scope="module")
def in_time() -> Reference:
    return fitted(stamped(rows_of(np.random.default_rng(1), ROWS), start="2025-01-01", days=10), moment=True)


def batch(*, seed: int = 2, rows: int = ROWS, skill: float = 1.0) -> pa.Table:
    return rows_of(np.random.default_rng(seed), rows, skill=skill)


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, float | np.floating):
        yield float(value)


def assert_sound(found: Assessment) -> None:
    """Check what every assessment guarantees: finite numbers, and a reason for every missing one."""
    assert all(math.isfinite(number) for number in numbers_in([found.document, found.points, found.alerts]))
    for model in found.document["models"]:
        assert model["performance"]["verdict"] != "undefined" or model["performance"]["reason"]
    assert found.document["anomalies"]["rows"] is not None or found.document["anomalies"]["reason"]
    assert found.document["whole_table"]["p_value"] is not None or found.document["whole_table"]["reason"]
    json_bytes([found.document, found.points, found.alerts])


def test_nothing_is_said_where_nothing_changed(reference: Reference) -> None:
    found = judged(reference, batch())
    assert found.document["columns"]["drifted"] == 0
    assert found.document["whole_table"]["verdict"] == "not distinguishable"
    assert found.document["retrain"] == {
        "suggested": False,
        "reasons": [],
        "rules": found.document["retrain"]["rules"],
    }
    assert [alert for alert in found.alerts if alert["severity"] != "notice"] == []
    assert_sound(found)


def test_the_order_of_the_rows_changes_nothing(in_time: Reference) -> None:
    rows = stamped(batch(), start="2025-03-01", days=10)
    shuffled = rows.take(pa.array(np.random.default_rng(3).permutation(ROWS)))
    assert json_bytes(judged(in_time, rows).document) == json_bytes(judged(in_time, shuffled).document)


def test_columns_that_only_go_together_otherwise_are_seen_by_the_table_alone(reference: Reference) -> None:
    rows = batch()
    amounts = rows["amount"].to_numpy().copy()
    present = np.flatnonzero(~np.isnan(amounts))
    by_age = present[np.argsort(rows["age"].to_numpy()[present], kind="stable")]
    amounts[by_age] = np.sort(amounts[present])  # the same amounts, now rising with the age
    joint = changed(rows, "amount", amounts)
    found = judged(reference, joint).document
    assert found["columns"]["drifted"] == 0
    assert found["whole_table"]["p_value"] < 0.01
    assert {line["column"] for line in found["whole_table"]["columns"][:2]} == {"age", "amount"}


@pytest.mark.slow
def test_equal_tables_have_at_most_the_guaranteed_false_alarms(reference: Reference) -> None:
    p_values = [judged(reference, batch(seed=seed, rows=400)).document["whole_table"]["p_value"] for seed in range(20)]
    assert sum(p_value < 0.05 for p_value in p_values) <= 4  # 1 is expected


def test_a_model_that_ranks_worse_is_seen_by_labels_and_not_without(reference: Reference) -> None:
    """The estimate cannot detect concept drift, and says so."""
    found = judged(reference, batch(skill=0.2)).document
    champion = next(model for model in found["models"] if model["model"] == "champion")
    assert champion["performance"]["verdict"] == "worse"
    assert "cannot detect concept drift" in champion["estimated"]["note"]
    assert found["retrain"]["rules"]["realised_performance"]["fired"] is True


def test_scores_that_lost_their_spread_are_expected_to_rank_worse(reference: Reference) -> None:
    rows = batch()
    scores = (0.45 + 0.1 * rows["champion_score"].to_numpy()).round(6)
    found = judged(reference, changed(rows, "champion_score", scores)).document
    assert found["retrain"]["rules"]["estimated_performance"]["fired"] is True


def test_the_estimate_is_near_the_truth_where_nothing_changed(reference: Reference) -> None:
    for model in judged(reference, batch(rows=8000)).document["models"]:
        assert model["estimated"]["current"] == pytest.approx(model["performance"]["current"], abs=0.03)


def test_labels_that_came_for_some_rows_are_used(reference: Reference) -> None:
    rows = batch()
    labels = [label if place % 2 else None for place, label in enumerate(rows["label"].to_pylist())]
    found = judged(reference, changed(rows, "label", labels))
    assert found.document["models"][0]["performance"]["verdict"] != "undefined"
    assert_sound(found)


def test_rows_without_labels_or_scores_are_assessed_by_their_features(reference: Reference) -> None:
    bare = batch().drop_columns(["label", "champion_score", "challenger_score", "customer_id"])
    found = judged(reference, bare)
    assert found.document["models"] == []
    seen = {rule["policy"]: rule["reason"] for rule in found.document["policies"]}
    assert seen["realised_performance"] == "no score of the champion in the rows"
    assert_sound(found)


def test_a_chunk_in_which_the_model_failed_is_found_among_others(in_time: Reference) -> None:
    rows = stamped(batch(rows=4000), start="2025-03-01", days=8)
    labels = rows["label"].to_numpy().copy()
    labels[2500:3000] = np.random.default_rng(5).permutation(labels[2500:3000])
    rows = changed(rows, "label", labels)
    chunks = judged(in_time, rows).document["chunks"]
    alarms = [
        chunk["first"]
        for chunk in chunks
        for line in chunk["figures"]
        if line["alarm"] and line["figure"] == "champion_roc_auc"
    ]
    assert alarms == ["2025-03-06"]
    assert {chunk["limits_by"] for chunk in chunks} == {"time"}


def test_limits_of_a_short_reference_are_drawn_by_chance_and_say_so() -> None:
    rows = stamped(rows_of(np.random.default_rng(1), ROWS), start="2025-01-01", days=1)
    found = judged(fitted(rows, moment=True), stamped(batch(), start="2025-02-01", days=2), chunks=2)
    assert {chunk["limits_by"] for chunk in found.document["chunks"]} == {"chance"}
    assert not any(line["alarm"] for chunk in found.document["chunks"] for line in chunk["figures"])


@pytest.mark.slow
def test_chunks_seldom_sound_a_false_alarm(in_time: Reference) -> None:
    sounded = 0
    for seed in range(12):
        rows = stamped(batch(seed=100 + seed), start="2025-03-01", days=8)
        chunks = judged(in_time, rows).document["chunks"]
        sounded += any(line["alarm"] for chunk in chunks for line in chunk["figures"])
    assert sounded <= 1


def test_a_period_without_rows_has_no_figure_and_no_alarm(in_time: Reference) -> None:
    parts = [stamped(batch(seed=seed), start=start, days=20) for seed, start in ((2, "2025-03-01"), (3, "2025-08-01"))]
    found = judged(in_time, pa.concat_tables(parts).drop_columns(["customer_id"]))
    empty = [chunk for chunk in found.document["chunks"] if chunk["rows"] == 0]
    assert empty
    assert all(line["value"] is None and not line["alarm"] for chunk in empty for line in chunk["figures"])
    assert all(chunk["anomalies"]["reason"] == "no row" for chunk in empty)
    assert_sound(found)


def test_errors_that_rise_midway_are_seen_by_both_detectors(in_time: Reference) -> None:
    rows = stamped(batch(rows=6000), start="2025-03-01", days=100)
    labels = rows["label"].to_numpy().copy()
    labels[3000:] = (rows["champion_score"].to_numpy()[3000:] < 0.5).astype(np.int8)
    streams = judged(in_time, changed(rows, "label", labels)).document["streams"]
    champion = {line["detector"]: line for line in streams if line["model"] == "champion"}
    assert 3000 < champion["page_hinkley"]["seen_after"] < 3200
    assert 3000 < champion["adwin"]["seen_after"] < 3300


def test_rows_without_a_moment_have_no_order_to_watch(reference: Reference) -> None:
    streams = judged(reference, batch()).document["streams"]
    assert {line["reason"] for line in streams} == {"the rows have no moment, so no time order"}


def test_rows_unlike_the_others_are_counted_and_explained(reference: Reference) -> None:
    rows = batch()
    amounts = [9999.0 if place < 100 else value for place, value in enumerate(rows["amount"].to_pylist())]
    ages = np.where(np.arange(ROWS) < 100, 3, rows["age"].to_numpy())
    found = judged(reference, changed(changed(rows, "amount", amounts), "age", ages)).document["anomalies"]
    assert found["rows"] >= 80
    assert found["p_value"] < 1e-6
    assert sum(int(line["customer_id"]) < 100 for line in found["worst"]) >= 9
    assert found["worst"][0]["reasons"][0].startswith(("age is 3, as low as none", "amount is 9999, as high as none"))


@pytest.mark.slow
def test_rows_like_the_reference_pass_as_seldom_as_promised(reference: Reference) -> None:
    shares = [judged(reference, batch(seed=seed)).document["anomalies"]["share"] for seed in range(10)]
    assert np.mean(shares) == pytest.approx(0.01, abs=0.008)


def test_the_segment_in_which_a_column_moved_is_named(reference: Reference) -> None:
    rows = batch()
    women = np.array(rows["gender"].to_pylist()) == "f"
    visits = rows["visits"].to_numpy() + 3 * women
    segments = judged(reference, changed(rows, "visits", visits)).document["segments"]
    assert {(line["column"], line["group"], line["level"]) for line in segments} == {("visits", "gender", "f")}


def test_what_moved_is_ranked_by_shift_times_importance(reference: Reference) -> None:
    rows = batch()
    rows = changed(rows, "visits", rows["visits"].to_numpy() + 1)
    moved = judged(reference, changed(rows, "senior", np.arange(ROWS) % 3 == 0)).document["moved"]
    assert {line["column"] for line in moved} == {"visits", "senior"}
    assert [line["weight"] for line in moved] == sorted((line["weight"] for line in moved), reverse=True)
    assert moved[0]["weight"] == pytest.approx(moved[0]["times_threshold"] / 5)


def test_a_naive_rule_that_fires_does_not_count(reference: Reference) -> None:
    rows = batch()
    scores = np.clip(rows["champion_score"].to_numpy() * 0.5, 0, 1).round(6)
    found = judged(reference, changed(rows, "champion_score", scores)).document
    fired = {rule["policy"] for rule in found["policies"] if rule["fired"]}
    assert "naive_mean_score" in fired
    assert "naive_mean_score" not in found["retrain"]["rules"]


def test_a_naive_rule_counts_when_it_is_switched_on(reference: Reference) -> None:
    rows = batch()
    scores = np.clip(rows["champion_score"].to_numpy() * 0.5, 0, 1).round(6)
    policies = {**SETTINGS["policies"], "naive_mean_score": {"limit": 0.2, "counts": True}}
    found = judged(reference, changed(rows, "champion_score", scores), policies=policies).document
    assert found["retrain"]["suggested"] is True
    assert any(reason.startswith("naive_mean_score") for reason in found["retrain"]["reasons"])


def test_a_reference_that_is_old_suggests_a_retraining_where_age_counts(in_time: Reference) -> None:
    policies = {**SETTINGS["policies"], "age": {"limit": 90.0, "counts": True}}
    rows = stamped(batch(), start="2025-06-01", days=10)
    rule = judged(in_time, rows, policies=policies).document["retrain"]["rules"]["age"]
    assert rule == {"fired": True, "limit": 90.0, "value": 151.0}


@pytest.mark.slow
def test_units_that_repeat_do_not_make_drift() -> None:
    """Four equal rows of each customer must not count as four times the evidence."""
    false_alarms = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        windows = []
        for _ in range(2):
            once = rows_of(rng, 250)
            windows.append(once.take(pa.array(np.repeat(np.arange(250), 4))))
        moments = [pa.array(np.tile(np.arange(4), 250).astype("datetime64[D]").astype("datetime64[us]"))] * 2
        reference, current = (
            window.append_column("moment", moment) for window, moment in zip(windows, moments, strict=True)
        )
        current = changed(current, "customer_id", np.repeat(np.arange(250) + 10_000, 4))
        verdicts = judged(fitted(reference, moment=True), current, significance=0.05).document["columns"]
        false_alarms += verdicts["drifted"] + verdicts["slight"] > 0
    assert false_alarms <= 1


BAD: dict[str, Change] = {
    "all missing": lambda rows: changed(rows, "amount", np.full(rows.num_rows, np.nan)),
    "constant": lambda rows: changed(rows, "age", np.full(rows.num_rows, 30)),
    "one category": lambda rows: changed(rows, "region", ["east"] * rows.num_rows),
    "no row": lambda rows: rows.slice(0, 0),
    "one row": lambda rows: rows.slice(0, 1),
    "infinite": lambda rows: changed(rows, "amount", np.where(np.arange(rows.num_rows) % 7, 3.0, np.inf)),
    "infinite throughout": lambda rows: changed(rows, "amount", np.full(rows.num_rows, -np.inf)),
    "huge": lambda rows: changed(rows, "amount", 1e308 * np.linspace(-1, 1, rows.num_rows)),
    "ten thousand levels": lambda rows: changed(
        rows, "region", [f"place {n * 7919 % 10_000}" for n in range(rows.num_rows)]
    ),
    "no level": lambda rows: changed(rows, "region", pa.nulls(rows.num_rows, pa.string())),
    "one class": lambda rows: changed(rows, "label", np.zeros(rows.num_rows, dtype=np.int8)),
    "certain scores": lambda rows: changed(rows, "champion_score", np.ones(rows.num_rows)),
    "one score": lambda rows: changed(rows, "champion_score", np.full(rows.num_rows, 0.3)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_batch_gets_a_verdict_with_a_reason(reference: Reference, name: str) -> None:
    assert_sound(judged(reference, BAD[name](batch())))


@pytest.mark.parametrize("name", [name for name in BAD if name != "no row"])
def test_a_bad_reference_gives_a_verdict_with_a_reason(name: str) -> None:
    assert_sound(judged(fitted(BAD[name](batch())), batch(seed=3)))


@pytest.mark.parametrize("name", [name for name in BAD if name != "no row"])
def test_what_is_bad_in_both_has_not_drifted(name: str) -> None:
    found = judged(fitted(BAD[name](batch(seed=2))), BAD[name](batch(seed=2)))
    assert found.document["columns"]["drifted"] == 0
    assert_sound(found)

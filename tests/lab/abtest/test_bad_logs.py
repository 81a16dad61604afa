"""Bad logs raise errors with a cure; bad experiments are INVALID."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lab.abtest.assess import Analysis, assess
from lab.core.errors import LabError, SourceError
from lab.core.params import parse
from lab.experiment.design import Design, Experiment
from tests.cures import cure_in
from tests.lab.abtest.logs import DESIGN, OUTCOMES, design_of, drawn, lines, written


def analysed(folder: Path, log: pd.DataFrame, **design: Any) -> Analysis:
    return assess(written(folder, log), design_of(**design))


def invalid_because(analysis: Analysis) -> str:
    verdict = analysis.verdicts[analysis.chosen]
    assert (verdict.action, verdict.rule) == ("INVALID", "the experiment is invalid")
    return "; ".join(verdict.reasons)


def changed(column: str, value: object, *, rows: int = 1) -> pd.DataFrame:
    log = drawn(400)
    kept = log[column].tolist()[rows:]
    filled: Any = [value] * rows + kept
    log[column] = filled
    return log


def test_an_arm_without_units_is_invalid(tmp_path: Path) -> None:
    log = drawn(400)
    assert "arm new has no unit" in invalid_because(analysed(tmp_path, log[log.arm == "old"])).replace(
        "arm 1", "arm new"
    )


def test_arms_of_the_wrong_size_are_invalid(tmp_path: Path) -> None:
    log = drawn(6000)
    kept = log[(log.arm == "old") | (log.customer_id % 5 > 0)]
    assert "sample ratio mismatch" in invalid_because(analysed(tmp_path, kept))


def test_a_unit_in_two_arms_is_invalid(tmp_path: Path) -> None:
    log = drawn(400)
    again = log.head(3).assign(arm=np.where(log.arm.head(3) == "old", "new", "old"))
    assert "3 units in two arms or more" in invalid_because(analysed(tmp_path, pd.concat([log, again])))


@pytest.mark.parametrize("kind", ["number", "large number", "text"])
def test_rows_that_come_twice_are_invalid_whatever_the_unit_is_named_by(tmp_path: Path, kind: str) -> None:
    log = drawn(400)
    log["customer_id"] = {
        "number": log.customer_id,
        "large number": log.customer_id + 2**40,
        "text": "customer " + log.customer_id.astype(str),
    }[kind]
    twice = pd.concat([log, log.iloc[10:14]])
    assert "4 rows repeat a unit: 4 units with identical rows" in invalid_because(analysed(tmp_path, twice))


def test_rows_that_contradict_one_another_are_invalid(tmp_path: Path) -> None:
    log = drawn(400)
    again = log.iloc[5:7].assign(stayed=1 - log.stayed.iloc[5:7])
    assert "2 units with different values" in invalid_because(analysed(tmp_path, pd.concat([log, again])))


def with_repeats(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log with rows that move three units, contradict two and repeat one."""
    moved = log.head(3).assign(arm=np.where(log.arm.head(3) == "old", "new", "old"))
    contradicted = log.iloc[5:7].assign(stayed=1 - log.stayed.iloc[5:7])
    return pd.concat([log, moved, contradicted, log.iloc[9:10]])


@pytest.mark.parametrize(("rule", "kept", "left_out"), [("keep_first", 400, 6), ("leave_out", 395, 11)])
def test_repeated_units_are_kept_once_or_left_out_and_counted(
    tmp_path: Path, rule: str, kept: int, left_out: int
) -> None:
    log = drawn(400)
    message = invalid_because(analysed(tmp_path, with_repeats(log)))
    assert rule in cure_in(
        message, of="lab/abtest/health.py: --repeated-units keep_first or leave_out, or repeated_units"
    )
    cured = analysed(tmp_path, with_repeats(log), repeated_units=rule)
    assert cured.log.rows == kept
    found = next(check.found for check in cured.health.checks if check.check == "one row per unit")
    assert found.startswith("3 units in two arms or more, 2 units with different values, 1 units with identical rows: ")
    assert found.endswith(f"{left_out} rows left out")
    rest = log if rule == "keep_first" else log.drop(index=[0, 1, 2, 5, 6])
    assert cured.effects["new"][0] == analysed(tmp_path, rest).effects["new"][0]


def test_repeated_units_are_counted_to_the_last(tmp_path: Path) -> None:
    log = drawn(12_000)
    assert "12,000 units with identical rows" in invalid_because(analysed(tmp_path, pd.concat([log, log])))


def test_each_row_is_a_unit_where_the_design_says_so(tmp_path: Path) -> None:
    log = drawn(400)
    found = analysed(tmp_path, log.drop(columns="customer_id"), unit="each_row")
    assert found.effects["new"] == analysed(tmp_path, log).effects["new"]
    assert "400 rows, each a unit: repeated units cannot be seen" in [check.found for check in found.health.checks]


def test_arms_that_differed_before_are_invalid(tmp_path: Path) -> None:
    log = drawn(2000)
    log["before"] += 30.0 * (log.arm == "new")
    assert "the arms differed in before before" in invalid_because(analysed(tmp_path, log, outcomes=OUTCOMES))


def test_units_that_lack_a_covariate_in_one_arm_only_make_the_experiment_invalid(tmp_path: Path) -> None:
    log = drawn(400)
    log.loc[(log.arm == "new") & (log.customer_id % 4 == 0), "before"] = None
    reason = invalid_because(analysed(tmp_path, log, outcomes=OUTCOMES))
    assert reason.startswith("the arms differed in the share of units without before")


def test_too_few_units_for_several_covariates_are_compared_without_them(tmp_path: Path) -> None:
    log = drawn(60)
    log.loc[3, "before"] = None
    found = analysed(tmp_path, log, outcomes=OUTCOMES)
    seen = next(each for each in found.effects["new"] if each.outcome == "spent")
    assert seen.estimator == "Welch"
    assert "too few for 2 columns (before, indicators of missing values)" in seen.reason


def test_arms_with_equal_outcomes_have_p_value_1(tmp_path: Path) -> None:
    log = drawn(400).assign(stayed=1)
    found = analysed(tmp_path, log)
    seen = found.effects["new"][0]
    assert found.verdicts["new"].action == "INCONCLUSIVE"
    assert (seen.difference, seen.p_value, seen.reason) == (0.0, 1.0, "all units of both arms have the same outcome")


def test_a_mean_that_is_constant_has_no_interval_and_a_reason(tmp_path: Path) -> None:
    found = analysed(tmp_path, drawn(400).assign(spent=3.0), primary="spent", outcomes={"spent": {}})
    seen = found.effects["new"][0]
    assert (seen.low, seen.word, seen.reason) == (None, "undefined", "undefined: zero variance")


def test_one_unit_in_an_arm_says_so(tmp_path: Path) -> None:
    log = pd.concat([drawn(400).query("arm == 'old'").head(1), drawn(400).query("arm == 'new'").head(2)])
    found = analysed(tmp_path, log)
    assert found.effects["new"][0].reason == "an arm has fewer than two units"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (changed("stayed", 2), r"stayed is a share, expected only 0 and 1; found values from 0 to 2.*Cure"),
        (changed("calls", -3), r"calls is a count, expected integers of at least 0; found values from -3"),
        (changed("calls", 1.5), "calls is a count, expected integers"),
        (changed("spent", float("inf")), "spent contains 1 infinite values, expected numbers"),
        (changed("before", float("-inf")), "before contains 1 infinite values"),
        (changed("spent", None, rows=9), "spent is missing in 9 rows, expected an outcome for every assigned unit"),
        (changed("arm", "third"), r"arm contains \['third'\], expected one of \['old', 'new'\]"),
        (changed("arm", None), "arm is missing in 1 rows"),
        (changed("customer_id", None), "customer_id is missing in 1 rows"),
        (drawn(400).drop(columns="before"), r"lacks the columns \['before'\]; it has"),
        (drawn(400).assign(spent="much"), "spent is not numeric"),
    ],
)
def test_what_no_log_can_hold_is_refused(tmp_path: Path, log: pd.DataFrame, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        analysed(tmp_path, log, outcomes=OUTCOMES)


def test_a_segment_of_ten_thousand_levels_is_refused(tmp_path: Path) -> None:
    log = drawn(10_000)
    with pytest.raises(SourceError, match="customer has more than 100 levels"):
        analysed(tmp_path, log.assign(customer=log.customer_id), segments=["customer"])


def test_moments_with_and_without_a_zone_are_refused(tmp_path: Path) -> None:
    days = ["2025-01-01T10:00:00", "2025-01-02T10:00:00+02:00"]
    log = [{"customer_id": n, "arm": arm, "stayed": 1, "day": days[n % 2]} for n, arm in enumerate(["old", "new"] * 4)]
    with pytest.raises(SourceError, match=r"day mixes timestamps with and without a time zone: found 4 of 8"):
        assess(lines(tmp_path, log), design_of(time="day", looks={"dates": ["2025-01-02", "2025-02-01"]}))


def test_moments_of_different_zones_are_read_in_one(tmp_path: Path) -> None:
    late = "2025-01-01T23:30:00-05:00"  # the next day in Greenwich
    days = {"old": late, "new": "2025-01-01T10:00:00+00:00"}
    log = [
        {"customer_id": n, "arm": arm, "stayed": n % 2, "day": days[arm]} for n, arm in enumerate(["old", "new"] * 8)
    ]
    found = assess(lines(tmp_path, log), design_of(time="day", looks={"dates": ["2025-01-02", "2025-02-01"]}))
    assert [[arm.count for arm in period] for period in found.log.periods] == [[0, 8], [8, 0]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", b"", "cannot be read as CSV"),
        ("log.csv", b"customer_id,arm,stayed\n1,old\n", "cannot be read as CSV"),
        ("log.parquet", b"no parquet", "cannot be read as Parquet"),
        ("log.xlsx", b"", r"ends with '\.xlsx', expected \.parquet or \.csv"),
    ],
)
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        assess(path, design_of())


def test_a_log_without_rows_is_invalid(tmp_path: Path) -> None:
    assert "no unit in any arm" in invalid_because(analysed(tmp_path, drawn(0)))


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv is missing, expected the log of an experiment"):
        assess(tmp_path / "nowhere.csv", design_of())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"control": "older"}, "control is 'older', expected one of two arms or more"),
        ({"weights": {"old": 1.0, "new": 0.0}}, "weights must be 0 or more, two of them above 0"),
        ({"primary": "spent"}, "primary is 'spent', expected an outcome without margin"),
        ({"outcomes": {"stayed": {"margin": 1.0}}}, "primary is 'stayed', expected an outcome without margin"),
        ({"outcomes": {"stayed": {"kind": "ratio"}}}, "per names the denominator of a ratio"),
        ({"outcomes": {"stayed": {"kind": "median"}}}, "'share', 'mean', 'count' or 'ratio'"),
        ({"looks": {"count": 3}}, "3 looks need units"),
        ({"looks": {"dates": ["2025-02-01"]}}, "looks.dates need time"),
        ({"looks": {"dates": ["2025-02-01", "2025-01-01"]}}, "dates must rise"),
        ({"looks": {"dates": ["soon"]}}, "'soon' is no date"),
        ({"significance": 0.05}, "Extra inputs are not permitted"),
    ],
)
def test_a_design_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse({**DESIGN, **change}, kind=Design, where="design", cure="")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"log": "visits.csv"}, "a log needs design"),
        (
            {"log": "a.csv", "simulation": {"salt": "s", "arms": {}, "cost_of_offer": 1}},
            "give log or simulation, not both",
        ),
        (
            {"simulation": {"salt": "s", "arms": {"a": "champion"}, "cost_of_offer": 1}, "design": DESIGN},
            r"simulation.arms are \['a'\], weights \['old', 'new'\]",
        ),
    ],
)
def test_a_task_says_all_that_a_log_needs(content: dict[str, Any], message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse(content, kind=Experiment, where="experiment", cure="")

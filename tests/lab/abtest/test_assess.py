"""An experiment log gives effects, checked against other libraries, and one decision."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from lab.abtest.assess import Analysis, assess
from lab.abtest.document import document_of
from lab.abtest.effects import Effect
from lab.abtest.interim import repeated_p_value
from lab.abtest.points import points_of
from lab.core.result_files import json_bytes
from tests.lab.abtest.logs import OUTCOMES, design_of, drawn, written

LOOKS = {"dates": ["2025-01-26", "2025-02-20", "2025-03-17", "2025-04-11"]}


def analysed(folder: Path, log: pd.DataFrame, *, name: str = "log.parquet", **design: Any) -> Analysis:
    return assess(written(folder, log, name=name), design_of(**design))


def effect(analysis: Analysis, outcome: str, treatment: str = "new") -> Effect:
    return next(each for each in analysis.effects[treatment] if each.outcome == outcome)


def action(analysis: Analysis) -> str:
    return analysis.verdicts[analysis.chosen].action


def halves(log: pd.DataFrame, column: str) -> tuple[Any, Any]:
    return log.loc[log.arm == "old", column].to_numpy(), log.loc[log.arm == "new", column].to_numpy()


def test_a_share_agrees_with_statsmodels(tmp_path: Path) -> None:
    log = drawn(3000, lift=0.03)
    old, new = halves(log, "stayed")
    _, p_value = proportions_ztest([new.sum(), old.sum()], [len(new), len(old)])
    found = effect(analysed(tmp_path, log), "stayed")
    assert found.p_value == pytest.approx(p_value, rel=1e-9)
    assert found.difference == pytest.approx(new.mean() - old.mean(), abs=1e-12)


def test_a_mean_without_covariate_agrees_with_scipy_and_statsmodels(tmp_path: Path) -> None:
    log = drawn(2000, loss=2.0)
    old, new = halves(log, "spent")
    found = effect(analysed(tmp_path, log, outcomes={"spent": {}}, primary="spent"), "spent")
    low, high = CompareMeans(DescrStatsW(new), DescrStatsW(old)).tconfint_diff(usevar="unequal")
    assert found.p_value == pytest.approx(stats.ttest_ind(new, old, equal_var=False).pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_a_covariate_takes_out_what_it_explains(tmp_path: Path) -> None:
    log = drawn(4000, loss=3.0)
    found = effect(analysed(tmp_path, log, outcomes=OUTCOMES), "spent")
    theta = np.cov(log.spent, log.before)[0, 1] / log.before.var()
    adjusted = log.assign(spent=log.spent - theta * (log.before - log.before.mean()))
    old, new = halves(adjusted, "spent")
    assert found.difference == pytest.approx(new.mean() - old.mean(), rel=1e-9)
    assert found.variance_ratio == pytest.approx(1 - np.corrcoef(log.spent, log.before)[0, 1] ** 2, rel=1e-6)
    assert found.estimator == "adjusted for a covariate"


def residuals(log: pd.DataFrame, outcome: str, columns: list[Any], *, cells: Any = None) -> Any:
    """Return an outcome minus what least squares gives the columns, from the deviations within cells."""
    frame = pd.DataFrame({number: np.asarray(column, dtype=float) for number, column in enumerate(columns)})
    frame["y"] = log[outcome].to_numpy(dtype=float)
    around = frame - (frame.mean() if cells is None else frame.groupby(np.asarray(cells)).transform("mean"))
    slopes = np.linalg.lstsq(around[frame.columns[:-1]].to_numpy(), around["y"].to_numpy(), rcond=None)[0]
    known = frame[frame.columns[:-1]]
    return frame["y"].to_numpy() - (known - known.mean()).to_numpy() @ slopes


def test_a_covariate_that_some_units_lack_is_imputed_with_an_indicator(tmp_path: Path) -> None:
    log = drawn(2000, loss=3.0)
    log.loc[::9, "before"] = None
    found = effect(analysed(tmp_path, log, outcomes=OUTCOMES), "spent")
    adjusted = residuals(log, "spent", [log.before.fillna(log.before.mean()), log.before.isna()])
    old, new = halves(log.assign(spent=adjusted), "spent")
    assert found.difference == pytest.approx(new.mean() - old.mean(), rel=1e-9)
    assert found.p_value == pytest.approx(stats.ttest_ind(new, old, equal_var=False).pvalue, rel=1e-6)
    assert found.reason == "before is missing in 223 of 2,000 rows: imputed with its mean and an indicator"


def test_several_covariates_adjust_together_and_a_copy_of_one_adds_nothing(tmp_path: Path) -> None:
    log = drawn(2000, loss=3.0)
    log["visits"] = np.random.default_rng(3).poisson(4, len(log))
    log["spent"] += 9.0 * log.visits
    log["copy"] = 2 * log.before + 1
    found = {
        columns: effect(analysed(tmp_path, log, primary="spent", outcomes={"spent": {"covariate": columns}}), "spent")
        for columns in [("before", "visits"), ("before", "copy", "visits")]
    }
    old, new = halves(log.assign(spent=residuals(log, "spent", [log.before, log.visits])), "spent")
    for seen in found.values():
        assert seen.difference == pytest.approx(new.mean() - old.mean(), rel=1e-9)
        assert seen.p_value == pytest.approx(stats.ttest_ind(new, old, equal_var=False).pvalue, rel=1e-6)


def test_a_ratio_is_adjusted_in_both_sums(tmp_path: Path) -> None:
    log = drawn(4000)
    log["earlier"] = log.views + np.random.default_rng(6).poisson(3, len(log))
    outcomes: dict[str, Any] = {"clicks": {"kind": "ratio", "per": "views", "covariate": "earlier"}}
    found = effect(analysed(tmp_path, log, primary="clicks", outcomes=outcomes), "clicks")
    both = pd.DataFrame({name: residuals(log, name, [log.earlier]) for name in ("clicks", "views")})
    ratio, error = {}, {}
    for arm, each in both.groupby(log.arm):
        ratio[arm] = each.clicks.mean() / each.views.mean()
        linear = (each.clicks - ratio[arm] * each.views) / each.views.mean()
        error[arm] = linear.var() / len(each)
    assert found.difference == pytest.approx(ratio["new"] - ratio["old"], rel=1e-9)
    assert found.standard_error == pytest.approx(np.sqrt(error["new"] + error["old"]), rel=1e-9)


def test_a_stratum_stands_beside_a_covariate(tmp_path: Path) -> None:
    log = drawn(3000, loss=3.0)
    log["spent"] += 40.0 * (log.region == "east")
    found = effect(analysed(tmp_path, log, outcomes=OUTCOMES, stratum="region"), "spent")
    left = residuals(log, "spent", [log.before], cells=log.region + log.arm)
    means = log.assign(left=left).pivot_table(values="left", index="region", columns="arm")
    shares = log.region.value_counts(normalize=True)
    assert found.difference == pytest.approx(float(((means["new"] - means["old"]) * shares).sum()), rel=1e-9)
    assert found.estimator == "adjusted for a covariate, post-stratified"
    alone = effect(analysed(tmp_path, log, outcomes=OUTCOMES), "spent")
    assert (found.standard_error or 0) < 0.9 * (alone.standard_error or 0)


def test_a_ratio_is_that_of_sums_with_the_spread_of_units(tmp_path: Path) -> None:
    log = drawn(4000)
    found = effect(analysed(tmp_path, log, outcomes=OUTCOMES), "clicks")
    new = log[log.arm == "new"]
    rng = np.random.default_rng(5)
    drawn_again = [new.take(rng.integers(0, len(new), len(new))) for _ in range(400)]
    spread = float(np.std([each.clicks.sum() / each.views.sum() for each in drawn_again]))
    assert found.value == pytest.approx(new.clicks.sum() / new.views.sum(), rel=1e-9)
    assert found.standard_error == pytest.approx(spread * np.sqrt(2), rel=0.15)


def test_strata_are_weighted_by_their_size(tmp_path: Path) -> None:
    log = drawn(3000)
    log["stayed"] = np.where(log.region == "east", 1, log.stayed)
    found = effect(analysed(tmp_path, log, stratum="region"), "stayed")
    means = log.pivot_table(values="stayed", index="region", columns="arm")
    shares = log.region.value_counts(normalize=True)
    assert found.difference == pytest.approx(float(((means["new"] - means["old"]) * shares).sum()), rel=1e-9)
    assert found.estimator == "post-stratified"


@pytest.mark.parametrize(
    ("lift", "loss", "expected", "rule"),
    [
        (0.10, 0.0, "SHIP", "better, and all guardrails pass"),
        (-0.10, 0.0, "ROLLBACK", "the primary outcome is worse"),
        (0.10, 20.0, "ROLLBACK", "a guardrail is worse"),
        (0.0, 0.0, "INCONCLUSIVE", "no significant difference"),
    ],
)
def test_the_decision_follows_outcome_and_guardrail(
    tmp_path: Path, lift: float, loss: float, expected: str, rule: str
) -> None:
    found = analysed(tmp_path, drawn(6000, seed=2, lift=lift, loss=loss), outcomes=OUTCOMES)
    assert (action(found), found.verdicts["new"].rule) == (expected, rule)


def test_less_is_better_where_it_is_said_to_be(tmp_path: Path) -> None:
    log = drawn(4000)
    log["calls"] = np.where(log.arm == "new", log.calls + 1, log.calls)
    design: dict[str, Any] = {"primary": "calls", "outcomes": {"calls": {"kind": "count", "higher_is_better": False}}}
    assert action(analysed(tmp_path, log, **design)) == "ROLLBACK"
    design["outcomes"] = {"calls": {"kind": "count"}}
    assert action(analysed(tmp_path, log, **design)) == "SHIP"


def test_right_is_better_on_the_axis_where_less_is_better_too(tmp_path: Path) -> None:
    log = drawn(4000)
    log["calls"] += log.arm == "new"
    outcomes = {"stayed": {"kind": "share"}, "calls": {"kind": "count", "higher_is_better": False, "margin": 0.1}}
    found = analysed(tmp_path, log, outcomes=outcomes)
    point = next(row for row in points_of(found)["effects"] if row["outcome"] == "calls")
    assert effect(found, "calls").word == "worse"
    assert point["low"] < point["lift"] < point["high"] < point["margin"] < 0
    assert point["measured"] == pytest.approx(100 * (effect(found, "calls").lift or 0)) == pytest.approx(-point["lift"])


def test_of_several_treatments_the_best_is_shipped_at_a_level_shared_by_all(tmp_path: Path) -> None:
    log = drawn(9000, lift=0.06, arms=("old", "new", "other"))
    log.loc[log.arm == "other", "stayed"] = 1
    found = analysed(tmp_path, log, weights={"old": 1.0, "new": 1.0, "other": 1.0})
    assert (action(found), found.chosen) == ("SHIP", "other")
    alone = analysed(tmp_path, log[log.arm != "other"])
    wide, narrow = effect(found, "stayed"), effect(alone, "stayed")
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low


def test_an_interim_look_without_an_answer_is_extended(tmp_path: Path) -> None:
    found = analysed(tmp_path, drawn(2000), looks={"count": 4, "units": 8000})
    assert (action(found), found.look.number, found.look.planned) == ("EXTEND", 1, 4)


def test_an_overwhelming_effect_stops_at_an_interim_look(tmp_path: Path) -> None:
    found = analysed(tmp_path, drawn(4000, lift=0.3), looks={"count": 2, "units": 8000})
    assert action(found) == "SHIP"
    seen = effect(found, "stayed")
    assert seen.estimate is not None
    assert seen.difference is not None
    assert seen.estimate < seen.difference


def test_a_fixed_horizon_p_value_is_refused_at_an_interim_look(tmp_path: Path) -> None:
    looks = {"count": 4, "units": 8000, "rule": "fixed"}
    found = analysed(tmp_path, drawn(2000, lift=0.3), looks=looks)
    seen = effect(found, "stayed")
    assert (seen.p_value, seen.low, seen.high) == (None, None, None)
    assert "a fixed-horizon p-value is valid only at the last look" in seen.reason
    assert (action(found), found.verdicts["new"].rule) == ("EXTEND", "too early to decide")


def test_the_path_runs_through_the_dates_of_the_looks(tmp_path: Path) -> None:
    log = drawn(4000, lift=0.02)
    found = analysed(tmp_path, log, looks=LOOKS, time="day")
    assert [step.look for step in found.path] == [1, 2, 3, 4]
    first = log[log.day < "2025-01-26"]
    old, new = halves(first, "stayed")
    z, _ = proportions_ztest([new.sum(), old.sum()], [len(new), len(old)])
    assert found.path[0].units == len(first)
    assert found.path[0].z == pytest.approx(z, rel=1e-9)
    assert found.path[-1].units == len(log)


def test_rows_after_the_last_look_are_left_out_and_counted(tmp_path: Path) -> None:
    log = drawn(4000)
    looks = {"dates": LOOKS["dates"][:2]}
    found = analysed(tmp_path, log, looks=looks, time="day")
    late = int((log.day >= "2025-02-20").sum())
    assert (found.log.late, found.log.rows) == (late, 4000 - late)


def test_secondary_outcomes_are_corrected_for_their_number(tmp_path: Path) -> None:
    found = analysed(tmp_path, drawn(3000), outcomes=OUTCOMES)
    seen = [each for each in found.effects["new"] if each.role == "secondary"]
    expected = multipletests([each.p_value for each in seen], method="holm")[1]
    assert [each.p_adjusted for each in seen] == pytest.approx(list(expected))
    assert [each.p_adjusted for each in found.effects["new"] if each.role != "secondary"] == [None, None]


def test_intervals_of_secondary_outcomes_agree_with_their_corrected_p(tmp_path: Path) -> None:
    log = drawn(3000)
    names = [f"outcome_{number}" for number in range(4)]
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).normal(size=len(log))
        log[name] = noise + (0.5 if number < 2 else 0.0) * (log.arm == "new")
    found = analysed(tmp_path, log, outcomes={"stayed": {"kind": "share"}, **{name: {} for name in names}})
    ranked = sorted(names, key=lambda name: stats.ttest_ind(*halves(log, name), equal_var=False).pvalue)
    for name, divisor in zip(ranked, (4, 3, 2, 2), strict=True):
        old, new = halves(log, name)
        ends = CompareMeans(DescrStatsW(new), DescrStatsW(old)).tconfint_diff(0.05 / divisor, usevar="unequal")
        seen = effect(found, name)
        assert (seen.low, seen.high) == pytest.approx(ends, rel=1e-6)
        assert ((seen.p_adjusted or 0) < 0.05) == (not ends[0] <= 0 <= ends[1])


def test_an_outcome_that_only_one_correction_lets_stand_is_not_called(tmp_path: Path) -> None:
    named: dict[str, Any] = {f"outcome_{number}": {} for number in range(12)}
    log = drawn(2000)
    for number, name in enumerate(named):
        log[name] = np.random.default_rng(100 + number).normal(size=len(log))
    seen = {
        each.outcome: each
        for each in analysed(tmp_path, log, outcomes={"stayed": {"kind": "share"}, **named}).effects["new"]
    }
    small = [each for each in seen.values() if each.role == "secondary" and (each.p_value or 0) < 0.05]
    assert small  # seeded: chance gave one of twelve
    assert {each.word for each in small} == {"not distinguishable"}


def test_outcomes_that_do_not_decide_have_a_p_value_that_holds_at_this_look(tmp_path: Path) -> None:
    looks = {"count": 4, "units": 8000}
    found = analysed(tmp_path, drawn(4000), outcomes=OUTCOMES, looks=looks)
    for each in found.effects["new"]:
        assert each.z is not None
        assert each.p_value == pytest.approx(repeated_p_value(each.z, found.look))
        assert (each.p_value or 0) > 2 * stats.norm.sf(abs(each.z))
        assert (each.low, each.high) != (None, None)


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    log = drawn(500, lift=0.05).drop(columns="day")
    design: dict[str, Any] = {"outcomes": OUTCOMES, "segments": ["region"], "stratum": None}
    one, two = (document_of(analysed(tmp_path, log, name=name, **design)) for name in ("log.csv", "log.parquet"))
    assert json_bytes(one) == json_bytes(two)


def test_the_same_log_gives_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    log = drawn(3000, lift=0.02)
    design: dict[str, Any] = {"outcomes": OUTCOMES, "looks": LOOKS, "time": "day", "segments": ["region"]}
    forth = analysed(tmp_path, log, **design)
    back = analysed(tmp_path, log.iloc[::-1], **design)
    assert json_bytes(document_of(forth)) == json_bytes(document_of(back))
    assert json_bytes(points_of(forth)) == json_bytes(points_of(back))


def test_a_segment_is_the_analysis_of_its_rows(tmp_path: Path) -> None:
    log = drawn(2000)
    whole = document_of(analysed(tmp_path, log, segments=["region"]))
    east = effect(analysed(tmp_path, log[log.region == "east"]), "stayed")
    seen = next(row for row in whole["segments"]["levels"] if row["level"] == "east")
    assert (seen["difference"], seen["low"]) == (pytest.approx(east.difference), pytest.approx(east.low))


@pytest.mark.slow
def test_without_an_effect_a_decision_falls_no_more_often_than_promised(tmp_path: Path) -> None:
    looks = {"dates": LOOKS["dates"]}
    actions = [
        action(analysed(tmp_path, drawn(800, seed=seed), looks=looks, time="day", segments=[])) for seed in range(50)
    ]
    assert actions.count("SHIP") + actions.count("ROLLBACK") <= 5  # 2.5 are expected at 5 %
    assert actions.count("INVALID") <= 1


def test_the_power_curve_passes_the_detectable_difference_at_four_in_five(tmp_path: Path) -> None:
    found = analysed(tmp_path, drawn(2000), looks=LOOKS, time="day")
    detectable = document_of(found)["power"][0]["detectable"]
    points = points_of(found)["power"]
    at = np.interp(detectable, [row["effect"] for row in points], [row["power"] for row in points])
    assert at == pytest.approx(0.8, abs=0.003)
    assert points[0]["power"] == pytest.approx(0.05, abs=1e-6)


def test_a_plan_that_is_half_done_is_as_powerful_as_when_it_ends(tmp_path: Path) -> None:
    log = drawn(8000, seed=4)
    looks = {"count": 2, "units": 8000}
    half, whole = (
        document_of(analysed(tmp_path, rows, looks=looks))["power"][0]["detectable"] for rows in (log.head(4000), log)
    )
    assert half == pytest.approx(whole, rel=0.01)


@pytest.mark.parametrize("kind", ["share", "mean"])
def test_what_is_best_depends_on_whether_less_is_better(tmp_path: Path, kind: str) -> None:
    log = drawn(3000, lift=0.1)
    best = {}
    for higher in (True, False):
        outcomes = {"stayed": {"kind": kind, "higher_is_better": higher}}
        arms = document_of(analysed(tmp_path, log, outcomes=outcomes))["beliefs"]["arms"]
        best[higher] = max(arms, key=lambda arm: arm["best"])["arm"]
    assert best == {True: "new", False: "old"}


def test_the_chance_to_be_best_agrees_with_draws_from_the_posteriors(tmp_path: Path) -> None:
    log = drawn(1000, lift=0.02)
    arms = document_of(analysed(tmp_path, log))["beliefs"]["arms"]
    old, new = halves(log, "stayed")
    rng = np.random.default_rng(1)
    one, two = (rng.beta(1 + arm.sum(), 1 + len(arm) - arm.sum(), 400_000) for arm in (old, new))
    assert arms[1]["best"] == pytest.approx((two > one).mean(), abs=0.004)
    assert arms[0]["loss"] == pytest.approx(np.maximum(two - one, 0).mean(), rel=0.03)

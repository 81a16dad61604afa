"""Secondary analyses against other libraries; tests only at the last look."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.oneway import anova_oneway

from lab.abtest.assess import assess
from lab.abtest.secondary import secondary_analyses
from tests.lab.abtest.logs import design_of, drawn, written

THREE = {"weights": {"old": 1.0, "new": 1.0, "other": 1.0}}


def answers(folder: Path, log: pd.DataFrame, **design: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    found = secondary_analyses(assess(written(folder, log), design_of(**design)))
    return {(each["what"], each["treatment"]): each for each in found}


def arms_of(log: pd.DataFrame, column: str) -> list[Any]:
    return [log.loc[log.arm == arm, column].to_numpy() for arm in ("old", "new", "other") if (log.arm == arm).any()]


def test_small_shares_have_fishers_test_and_cohens_h(tmp_path: Path) -> None:
    log = drawn(120, lift=0.1)
    found = answers(tmp_path, log)
    old, new = arms_of(log, "stayed")
    table = [[old.sum(), len(old) - old.sum()], [new.sum(), len(new) - new.sum()]]
    assert found["Fisher's exact test", "new"]["p_value"] == pytest.approx(stats.fisher_exact(np.array(table)).pvalue)
    angles = [2 * np.arcsin(np.sqrt(arm.mean())) for arm in (old, new)]
    assert found["Cohen's h", "new"]["value"] == pytest.approx(angles[1] - angles[0])


def test_means_have_sizes_in_standard_deviations(tmp_path: Path) -> None:
    log = drawn(800, loss=5.0)
    old, new = arms_of(log, "spent")
    found = answers(tmp_path, log, primary="spent", outcomes={"spent": {}})
    pooled = np.sqrt((old.var(ddof=1) * (len(old) - 1) + new.var(ddof=1) * (len(new) - 1)) / (len(log) - 2))
    assert found["Cohen's d", "new"]["value"] == pytest.approx((new.mean() - old.mean()) / pooled)


def test_three_shares_are_compared_at_once_and_each_with_the_control(tmp_path: Path) -> None:
    log = drawn(1500, lift=0.05, arms=("old", "new", "other"))
    found = answers(tmp_path, log, **THREE)
    table = [[arm.sum(), len(arm) - arm.sum()] for arm in arms_of(log, "stayed")]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert found["chi-square of all arms", None]["p_value"] == pytest.approx(expected)


def test_three_means_are_compared_by_welch_and_dunnett(tmp_path: Path) -> None:
    log = drawn(900, loss=8.0, arms=("old", "new", "other"))
    found = answers(tmp_path, log, primary="spent", outcomes={"spent": {}}, **THREE)
    old, new, other = arms_of(log, "spent")
    assert found["Welch's F of all arms", None]["p_value"] == pytest.approx(
        anova_oneway([old, new, other], use_var="unequal").pvalue
    )
    expected = stats.dunnett(new, other, control=old, rng=np.random.default_rng(1)).pvalue
    seen = [found["Dunnett's test", arm]["p_value"] for arm in ("new", "other")]
    assert seen == pytest.approx(list(expected), rel=0.05)


def test_strata_have_a_common_odds_ratio(tmp_path: Path) -> None:
    log = drawn(2000, lift=0.05)
    tables = []
    for region in ("east", "west"):
        mine = log[log.region == region]
        tables.append([[arm.sum(), len(arm) - arm.sum()] for arm in reversed(arms_of(mine, "stayed"))])
    expected = StratifiedTable([np.array(table, dtype=float) for table in tables])
    found = answers(tmp_path, log, stratum="region")["Cochran–Mantel–Haenszel", "new"]
    assert found["value"] == pytest.approx(expected.oddsratio_pooled)
    assert found["p_value"] == pytest.approx(expected.test_null_odds(correction=False).pvalue)


def test_before_the_last_look_there_are_sizes_and_no_tests(tmp_path: Path) -> None:
    found = answers(tmp_path, drawn(400), looks={"count": 2, "units": 800})
    assert list(found) == [("Cohen's h", "new")]
    assert found["Cohen's h", "new"]["p_value"] is None


def test_a_ratio_and_an_arm_of_one_unit_have_no_further_answers(tmp_path: Path) -> None:
    log = drawn(300)
    assert answers(tmp_path, log, primary="clicks", outcomes={"clicks": {"kind": "ratio", "per": "views"}}) == {}
    alone = pd.concat([log[log.arm == "old"].head(1), log[log.arm == "new"].head(9)])
    assert answers(tmp_path, alone) == {}

"""What a recorded run publishes, and what it leaves alone."""

import json
import subprocess
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.core.recording import recorded, write_summary

METRICS = Path("metrics/train/logistic.json")
PLOTS = Path("plots/train/logistic")
HISTORY = PLOTS / "plots/metrics/roc_auc.tsv"


@pytest.fixture(autouse=True)
def outside_any_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)


def record(value: float, *, extra: object = 5) -> None:
    with recorded(metrics=METRICS, plots=PLOTS, compared=()) as live:
        for fold in range(2):
            live.log_metric("roc_auc", value + fold)
            live.next_step()  # type: ignore[no-untyped-call]  # DVCLive leaves it untyped
        live.log_plot("roc", [{"x": value, "y": float("inf")}], x="x", y="y")
        live.summary["rows"] = extra
        live.summary["folds"] = {"b": value, "a": [value]}


def files() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def test_metrics_are_sorted_rounded_and_free_of_the_step() -> None:
    record(0.123456789)
    assert METRICS.read_text().splitlines() == [
        "{",
        ' "document": [',
        "  {",
        '   "folds": {',
        '    "a": [0.123457],',
        '    "b": 0.123457',
        "   },",
        '   "roc_auc": 1.12346,',
        '   "rows": 5',
        "  }",
        " ]",
        "}",
    ]


def test_curves_and_histories_are_rounded_and_hold_no_infinity() -> None:
    record(0.123456789)
    assert sorted(PLOTS.rglob("*.*")) == [HISTORY, PLOTS / "roc.json"]
    assert json.loads((PLOTS / "roc.json").read_text()) == [{"x": 0.123457, "y": None}]
    assert HISTORY.read_bytes() == b"step\troc_auc\n0\t0.123457\n1\t1.12346\n"


def test_a_run_replaces_the_plots_of_the_run_before() -> None:
    record(0.5)
    (PLOTS / "stale.json").write_text("[]")
    record(0.25)
    assert sorted(PLOTS.rglob("*.*")) == [HISTORY, PLOTS / "roc.json"]


def test_points_may_be_named_metrics_as_a_file_of_dvclive_is() -> None:
    with recorded(metrics=METRICS, plots=PLOTS, compared=()) as live:
        live.log_metric("roc_auc", 0.5)
        live.log_plot("metrics", [{"x": 1, "y": 2}], x="x", y="y")
    assert json.loads((PLOTS / "metrics.json").read_text()) == [{"x": 1, "y": 2}]


def test_a_history_grows_where_it_stays() -> None:
    with recorded(metrics=METRICS, plots=PLOTS, compared=()) as live:
        for fold in range(2):
            live.step = fold
            live.log_metric("roc_auc", 0.5)
            write_summary(live, METRICS)
            assert len(HISTORY.read_text().splitlines()) == fold + 2
            assert json.loads(METRICS.read_text()) == {"roc_auc": 0.5}


def test_outside_any_repository_nothing_but_the_outputs_is_left() -> None:
    record(0.5)
    assert sorted(files()) == [METRICS, HISTORY, PLOTS / "roc.json"]


def test_a_repository_without_a_commit_is_refused_with_the_cure() -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    with pytest.raises(LabError, match=r"at least one commit\. Cure: git add -A && git commit"):
        record(0.5)

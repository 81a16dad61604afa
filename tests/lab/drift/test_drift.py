"""The stages reference and drift, and the command: detections, errors, equal results."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from lab.core.errors import ParamsError, SourceError
from lab.core.result_files import read_json, read_result
from lab.core.tables import read_table, write_table
from lab.reference.columns import verdicts_of
from lab.reference.facts import AreaFacts, ModelFacts
from lab.reference.performance import area_facts, realised_performance
from lab.reference.scores import mean_of
from lab.stats.shift.shifts import Shift, measure_numbers
from ops.drift.command import drift as command
from stages import drift, reference
from tests.judged import KINDS, WINDOWS, features_of, predictions_of, scores_of
from tests.lab.drift.world import SETTINGS, changed, lay_out_drift

ROWS = 3000
Change = Callable[[pa.Table], pa.Table]


def run_drift(
    folder: Path, change: Change = lambda table: table, *, skill: float = 1.0, settings: dict[str, Any] = SETTINGS
) -> dict[str, Any]:
    """Return the metrics of the stage, where the current window differs by the change and the models' skill in it."""
    rng = np.random.default_rng(4)
    features = {window: features_of(rng, ROWS) for window in WINDOWS}
    features["current"] = change(features["current"])
    predictions = {
        window: predictions_of(rng, table, champion=skill if window == "current" else 1.0)
        for window, table in features.items()
    }
    lay_out_drift(folder, features, predictions, settings)
    reference.main()
    drift.main()
    metrics: dict[str, Any] = read_result(Path("metrics/drift.json"))
    return {
        **metrics,
        "verdicts": {each["column"]: each for each in metrics["verdicts"]},
        "models": {each["model"]: each for each in metrics["models"]},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_has_drifted_where_nothing_changed(folder: Path) -> None:
    metrics = run_drift(folder)
    assert metrics["columns"]["drifted"] == 0
    assert metrics["columns"]["slight"] == 0
    assert {model["score"]["verdict"] for model in metrics["models"].values()} <= {"stable", "unclear"}
    assert metrics["retrain"]["suggested"] is False


def test_every_feature_and_group_column_gets_a_verdict(folder: Path) -> None:
    assert set(run_drift(folder)["verdicts"]) == {*KINDS, "gender"}


CHANGES: dict[str, tuple[str, Change]] = {
    "prices rise": ("amount", lambda table: changed(table, "amount", table["amount"].to_numpy() * 1.3)),
    "values go missing": ("age", lambda table: changed(table, "age", [None] * 300 + table["age"].to_pylist()[300:])),
    "a new region": (
        "region",
        lambda table: changed(table, "region", ["south"] * 60 + table["region"].to_pylist()[60:]),
    ),
    "more seniors": ("senior", lambda table: changed(table, "senior", np.arange(ROWS) % 3 == 0)),
    "one gender only": ("gender", lambda table: changed(table, "gender", ["f"] * ROWS)),
    "more visits": ("visits", lambda table: changed(table, "visits", table["visits"].to_numpy() + 1)),
    "outliers": (
        "amount",
        lambda table: changed(table, "amount", table["amount"].to_numpy() + 1e5 * (np.arange(ROWS) < 60)),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_has_drifted_and_nothing_else(folder: Path, name: str) -> None:
    column, change = CHANGES[name]
    verdicts = run_drift(folder, change)["verdicts"]
    assert [each for each, verdict in verdicts.items() if verdict["verdict"] == "drifted"] == [column]


def test_many_drifted_columns_suggest_a_retraining(folder: Path) -> None:
    def change(table: pa.Table) -> pa.Table:
        for column, one in (CHANGES[name] for name in ("prices rise", "more seniors", "more visits")):
            assert column in table.column_names
            table = one(table)
        return table

    metrics = run_drift(folder, change)
    assert metrics["drifted_share"] == 0.5
    assert metrics["retrain"]["rules"]["drifted_columns"] == {"fired": True, "limit": 0.3, "value": 0.5}
    assert metrics["retrain"]["suggested"] is True


def test_a_champion_that_ranks_worse_suggests_a_retraining(folder: Path) -> None:
    metrics = run_drift(folder, skill=0.3)
    performance = metrics["models"]["champion"]["performance"]
    assert performance["verdict"] == "worse"
    assert performance["high"] < -SETTINGS["performance_margin"]
    assert metrics["models"]["challenger"]["performance"]["verdict"] != "worse"
    assert metrics["retrain"]["rules"]["realised_performance"]["fired"] is True


def test_a_window_without_rows_gets_reasons_instead_of_numbers(folder: Path) -> None:
    metrics = run_drift(folder, lambda table: table.slice(0, 0))
    assert {verdict["verdict"] for verdict in metrics["verdicts"].values()} == {"untestable"}
    assert metrics["drifted_share"] is None
    assert metrics["models"]["champion"]["performance"]["reason"] == "the current rows have no label"


def test_one_class_leaves_the_performance_undefined_with_a_reason(folder: Path) -> None:
    metrics = run_drift(folder, lambda table: changed(table, "label", np.zeros(ROWS, dtype=np.int8)))
    performance = metrics["models"]["champion"]["performance"]
    assert (performance["verdict"], performance["reason"]) == ("undefined", "the current rows have one class only")


def test_the_plots_hold_shares_and_no_row_of_data(folder: Path) -> None:
    run_drift(folder)
    with Path("plots/drift/bins.csv").open(newline="") as stream:
        bins = list(csv.DictReader(stream))
    shares: dict[str, float] = {}
    for line in bins:
        shares[line["column"]] = shares.get(line["column"], 0) + float(line["reference_share"])
    assert all(share == pytest.approx(1, abs=1e-4) for share in shares.values())
    assert set(shares) == {*KINDS, "gender", "champion_score", "challenger_score"}
    assert len(bins) < 200


def test_the_same_data_give_the_same_bytes(folder: Path) -> None:
    run_drift(folder)
    results = [*folder.glob("metrics/*"), *folder.glob("plots/drift/*"), *folder.glob("data/pages/drift/*")]
    first = {path: path.read_bytes() for path in results}
    run_drift(folder)
    assert len(first) == 8
    assert first == {path: path.read_bytes() for path in first}


def test_a_column_that_the_current_rows_lack_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"current lacks the columns \['age'\].*Cure"):
        run_drift(folder, lambda table: table.drop_columns(["age"]))


def test_a_column_of_another_type_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match="age is int64 in test and string in current"):
        run_drift(folder, lambda table: changed(table, "age", ["1"] * ROWS))


def test_a_refusal_leaves_the_last_good_outputs(folder: Path) -> None:
    run_drift(folder)
    before = Path("metrics/drift.json").read_bytes()
    with pytest.raises(SourceError, match="lacks"):
        run_drift(folder, lambda table: table.drop_columns(["age"]))
    assert Path("metrics/drift.json").read_bytes() == before


def test_an_unknown_setting_is_refused(folder: Path) -> None:
    with pytest.raises(ParamsError, match=r"params.yaml: drift.alpha: Extra inputs are not permitted"):
        run_drift(folder, settings={**SETTINGS, "alpha": 0.05})


def test_an_age_that_counts_without_a_limit_is_refused(folder: Path) -> None:
    policies = {**SETTINGS["policies"], "age": {"limit": None, "counts": True}}
    with pytest.raises(ParamsError, match="age counts without a limit: set limit to a number of days"):
        run_drift(folder, settings={**SETTINGS, "policies": policies})


def test_missing_models_are_refused_with_the_cure(folder: Path) -> None:
    run_drift(folder)
    Path("data/predictions/models.json").unlink()
    with pytest.raises(SourceError, match=r"does not give a threshold.*Cure: dvc repro evaluate"):
        reference.main()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("metrics/explain.json", r"has no feature importance.*Cure: dvc repro explain"),
        ("lab/drift/false_alarms.json", r"has no false alarm rates.*Cure: git checkout"),
        ("models/reference/reference.json", r"expected an output of stage reference.*Cure: dvc repro reference"),
    ],
)
def test_what_earlier_stages_left_out_is_refused_with_the_cure(folder: Path, path: str, message: str) -> None:
    run_drift(folder)
    Path(path).unlink()
    with pytest.raises(SourceError, match=message):
        drift.main()


def test_predictions_of_other_rows_are_refused(folder: Path) -> None:
    run_drift(folder)
    path = Path("data/predictions/current.parquet")
    write_table(read_table(path).slice(1), path)
    with pytest.raises(SourceError, match=r"3000 feature rows and 2999 predictions.*Cure: dvc repro evaluate"):
        drift.main()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def batch_in(folder: Path) -> Path:
    """Write the current rows with their scores as one file, and return its path."""
    rows = read_table(folder / "data/features/current.parquet")
    scored = read_table(folder / "data/predictions/current.parquet")
    for name in ("champion_score", "challenger_score"):
        rows = rows.append_column(name, scored[name])
    write_table(rows, folder / "batch.parquet")
    return folder / "batch.parquet"


def test_the_command_says_what_the_stage_says_without_the_rows_of_the_reference(folder: Path) -> None:
    run_drift(folder, CHANGES["prices rise"][1])
    batch = batch_in(folder)
    shutil.rmtree(folder / "data")
    done = call("--current", str(batch), "--json")
    assert done.exit_code == 0
    assert json.loads(done.output) == read_result(Path("metrics/drift.json"))


def test_the_command_exits_with_one_where_it_suggests_a_retraining(folder: Path) -> None:
    run_drift(folder, skill=0.2)
    done = call("--current", str(batch_in(folder)), "--page", str(folder / "page.html"))
    assert done.exit_code == 1
    assert "RETRAIN: realised_performance" in done.output
    assert (folder / "page.html").read_bytes() == Path("data/pages/drift/page.html").read_bytes()


DAMAGE: dict[str, tuple[Change, str]] = {
    "all missing": (lambda table: changed(table, "amount", pa.nulls(ROWS, pa.float64())), "amount (missing: "),
    "all 1e300": (lambda table: changed(table, "amount", np.full(ROWS, 1e300)), "amount (out of range: "),
    "unseen levels": (lambda table: changed(table, "region", ["far"] * ROWS), "region (unseen: "),
    "no row": (lambda table: table.slice(0, 0), "empty: the batch has no row"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_the_command_exits_with_three_after_damage_and_names_it_on_the_last_line(folder: Path, name: str) -> None:
    change, expected = DAMAGE[name]
    run_drift(folder, change)
    done = call("--current", str(batch_in(folder)), "--page", str(folder / "page.html"))
    assert done.exit_code == 3
    last = done.output.rstrip().splitlines()[-1]
    assert last.startswith(f"DATA FAULT: {expected}")
    assert last.endswith("; mend upstream, do not retrain")
    assert "Data faults" in (folder / "page.html").read_text()


def test_the_command_tells_of_every_column_and_rule(folder: Path) -> None:
    run_drift(folder)
    done = call("--current", str(batch_in(folder)))
    assert done.exit_code == 0
    assert "NO REASON TO RETRAIN: no column drifted, and no rule that counts fired" in done.output
    for name in [*KINDS, *SETTINGS["policies"]]:
        assert f"\n{name} " in done.output


def test_the_command_refuses_what_it_cannot_read(folder: Path) -> None:
    run_drift(folder)
    done = call("--current", "nothing.csv")
    assert isinstance(done.exception, SourceError)  # which the edge of every command turns into exit code 2
    assert "nothing.csv is missing" in str(done.exception)


def test_alerts_are_data_the_most_severe_first(folder: Path) -> None:
    run_drift(folder, CHANGES["prices rise"][1], skill=0.2)
    alerts = read_json(Path("data/pages/drift/alerts.json"))
    assert {tuple(sorted(alert)) for alert in alerts} == {("limit", "rule", "severity", "subject", "value")}
    assert alerts[0]["severity"] == "critical"
    assert any(alert["subject"] == "amount" and alert["severity"] == "warning" for alert in alerts)


def test_a_change_that_is_real_and_small_is_slight() -> None:
    rng = np.random.default_rng(1)
    shift = measure_numbers(rng.normal(0, 1, 200_000), rng.normal(0.02, 1, 200_000))
    verdict = verdicts_of({"column": shift}, significance=0.01, material=SETTINGS["material"])["column"]
    assert verdict.word == "slight"
    assert (verdict.times_threshold or 1) < 0.5


def test_one_small_p_value_among_many_columns_is_not_significant() -> None:
    quiet = Shift(0.9, {"missing": 0.0}, (), ())
    shifts = {"loud": replace(quiet, p_value=0.005)} | {f"quiet {place}": quiet for place in range(9)}
    verdicts = verdicts_of(shifts, significance=0.01, material=SETTINGS["material"])
    assert verdicts["loud"].word == "stable"
    assert verdicts["loud"].q_value == pytest.approx(0.05)
    alone = verdicts_of({"loud": shifts["loud"]}, significance=0.01, material=SETTINGS["material"])
    assert alone["loud"].word == "slight"


def test_a_change_that_is_large_and_within_noise_is_unclear() -> None:
    rng = np.random.default_rng(1)
    shift = measure_numbers(rng.normal(0, 1, 60), rng.normal(0, 1, 60))
    assert verdicts_of({"column": shift}, significance=0.01, material=SETTINGS["material"])["column"].word == "unclear"


def test_twelve_of_fifty_columns_are_found_and_no_other() -> None:
    rng = np.random.default_rng(6)
    shifts = {}
    for place in range(50):
        reference, current = rng.normal(0, 1, (2, 10_000))
        moved = [current + 0.2, current * 1.4, np.where(np.arange(10_000) < 400, np.nan, current)][place % 3]
        shifts[f"column {place:02}"] = measure_numbers(reference, moved if place < 12 else current)
    verdicts = verdicts_of(shifts, significance=0.01, material=SETTINGS["material"])
    assert [name for name, verdict in verdicts.items() if verdict.word == "drifted"] == list(shifts)[:12]


def compare(windows: list[tuple[Any, Any]], *, margin: float) -> dict[str, Any]:
    labels, scores = windows[0]
    area: AreaFacts | None = area_facts(labels, scores, None)
    facts = ModelFacts(
        threshold=0.5,
        score=mean_of(scores),
        log_odds=mean_of(scores),
        decided=0,
        labelled=len(labels),
        positives=int(labels.sum()),
        area=area,
        metrics={},
        error_rate=None,
        calibration_error=None,
        calibrated_error=None,
        curve_x=(),
        curve_y=(),
    )
    return realised_performance(facts, *windows[1], None, margin=margin)


def window_of(rng: np.random.Generator, rows: int, *, skill: float) -> tuple[Any, Any]:
    labels = (rng.random(rows) < 0.4).astype(np.int8)
    return labels.astype(float), scores_of(rng, pa.chunked_array([labels]), skill=skill)


def test_a_lucky_reference_does_not_raise_an_alarm() -> None:
    rng = np.random.default_rng(2)
    draws = [[window_of(rng, 1000, skill=1.0) for _ in range(2)] for _ in range(100)]
    assert sum(compare(windows, margin=0.02)["verdict"] == "worse" for windows in draws) <= 3


def test_a_loss_within_the_margin_is_not_worse() -> None:
    rng = np.random.default_rng(2)
    windows = [window_of(rng, 5000, skill=skill) for skill in (1.5, 1.0)]
    assert compare(windows, margin=0.0)["verdict"] == "worse"
    assert compare(windows, margin=0.15)["verdict"] == "equivalent"
    assert compare(windows[::-1], margin=0.0)["verdict"] == "better"

"""The abtest stage: better, worse, equivalent or not distinguishable, on the same rows."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from lab.abtest.compare_models import METRICS, Pair, compare_models
from lab.core.errors import ParamsError, SourceError
from lab.core.result_files import read_result
from stages import abtest
from tests.judged import ABTEST, WINDOWS, features_of, lay_out, predictions_of, schema, write_document

ROWS = 3000
COLUMNS = ("label", "champion_score", "challenger_score")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tables(*, champion: float = 1.0, challenger: float = 1.0) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    rng = np.random.default_rng(5)
    features = {window: features_of(rng, ROWS) for window in WINDOWS}
    predictions = {
        window: predictions_of(rng, table, champion=champion, challenger=challenger)
        for window, table in features.items()
    }
    return features, predictions


def with_identical_models(predictions: dict[str, pa.Table]) -> dict[str, pa.Table]:
    return {
        window: table.set_column(
            table.column_names.index("challenger_score"), "challenger_score", table["champion_score"]
        )
        for window, table in predictions.items()
    }


def at_four_moments(table: pa.Table) -> pa.Table:
    copies = [table.append_column("moment", [[moment] * table.num_rows]) for moment in range(4)]
    return pa.concat_tables(copies)


def run_abtest(folder: Path, predictions: dict[str, pa.Table], *, schema: Any = None) -> dict[str, Any]:
    lay_out(folder, tables()[0], predictions)
    if schema is not None:
        write_document(folder / "data/features/schema.json", schema)
    write_document(folder / "data/experiment/experiment.json", {"experiment": {"log": None}})
    abtest.main()
    metrics: dict[str, Any] = read_result(Path("metrics/abtest.json"))
    by_metric = {window: {each["metric"]: each for each in seen} for window, seen in metrics["offline"].items()}
    return {**metrics, "offline": by_metric}


@pytest.mark.parametrize(("champion", "challenger", "word"), [(1.0, 1.6, "better"), (1.6, 1.0, "worse")])
def test_a_better_model_is_better_in_every_metric(folder: Path, champion: float, challenger: float, word: str) -> None:
    metrics = run_abtest(folder, tables(champion=champion, challenger=challenger)[1])
    for window in ("test", "current"):
        assert {metric: seen["verdict"] for metric, seen in metrics["offline"][window].items()} == dict.fromkeys(
            METRICS, word
        )
    seen = metrics["offline"]["test"]["roc_auc"]
    numbers = {name: seen[name] for name in ("difference", "low", "high", "rows", "units")}
    assert (seen["rows"], seen["units"]) == (ROWS, ROWS)
    assert metrics["answer"] == {"metric": "roc_auc", "window": "test", "challenger": word, **numbers}


def test_identical_models_differ_by_nothing_with_certainty(folder: Path) -> None:
    metrics = run_abtest(folder, with_identical_models(tables()[1]))
    for seen in metrics["offline"]["test"].values():
        assert (seen["difference"], seen["low"], seen["high"]) == (0.0, 0.0, 0.0)
        assert (seen["p_value"], seen["p_adjusted"], seen["verdict"]) == (1.0, 1.0, "equivalent")


def test_a_second_test_stands_beside_each_that_has_one(folder: Path) -> None:
    predictions = tables(challenger=1.2)[1]
    seen = run_abtest(folder, predictions)["offline"]["test"]
    labels, champion, challenger = (predictions["test"][name].to_numpy() for name in COLUMNS)
    right, also = (champion >= 0.5) == labels, (challenger >= 0.5) == labels
    only = int((right & ~also).sum()), int((~right & also).sum())
    accuracy = seen["accuracy"]
    assert (accuracy["only_champion"], accuracy["only_challenger"]) == only
    assert accuracy["check_p_value"] == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue, rel=1e-5)
    losses = (challenger - labels) ** 2 - (champion - labels) ** 2
    assert seen["brier"]["check_p_value"] == pytest.approx(stats.wilcoxon(losses).pvalue, rel=1e-4)
    assert (seen["roc_auc"]["check"], seen["roc_auc"]["check_p_value"]) == ("", None)


def test_models_of_equal_skill_are_not_called_the_same_by_too_few_rows(folder: Path) -> None:
    predictions = {window: table.slice(0, 300) for window, table in tables()[1].items()}
    seen = run_abtest(folder, predictions)["offline"]["test"]["roc_auc"]
    assert seen["verdict"] == "not distinguishable"
    assert seen["detectable"] > ABTEST["margins"]["roc_auc"]


def test_the_interval_holds_the_difference_of_the_two_values(folder: Path) -> None:
    for seen in run_abtest(folder, tables(challenger=1.2)[1])["offline"]["current"].values():
        assert seen["difference"] == pytest.approx(seen["challenger"] - seen["champion"], abs=2e-6)
        assert seen["low"] <= seen["difference"] <= seen["high"]
        assert seen["p_adjusted"] >= seen["p_value"]


def test_the_order_of_the_rows_changes_nothing(folder: Path) -> None:
    predictions = tables(challenger=1.2)[1]
    forth = run_abtest(folder, predictions)
    back = run_abtest(folder, {window: table.take(np.arange(ROWS)[::-1]) for window, table in predictions.items()})
    assert forth == back


def test_rows_of_one_unit_count_once(folder: Path) -> None:
    once = {window: table.slice(0, 600) for window, table in tables(challenger=1.2)[1].items()}
    again = {window: at_four_moments(table) for window, table in once.items()}
    plain = run_abtest(folder, once)["offline"]["test"]
    metrics = run_abtest(folder, again, schema={**schema(), "moment": "moment"})
    assert (metrics["answer"]["rows"], metrics["answer"]["units"]) == (2400, 600)
    for metric, seen in metrics["offline"]["test"].items():
        width, wanted = (found["high"] - found["low"] for found in (seen, plain[metric]))
        assert width == pytest.approx(wanted, rel=0.06), metric
        assert "by unit" in seen["test"]
    assert metrics["offline"]["test"]["brier"]["check"] == "Wilcoxon (signed ranks of sums by unit)"
    assert metrics["offline"]["test"]["brier"]["check_p_value"] == pytest.approx(plain["brier"]["check_p_value"])
    assert metrics["offline"]["test"]["accuracy"]["check_p_value"] is None


def test_units_that_do_not_repeat_change_no_number(folder: Path) -> None:
    predictions = tables(challenger=1.2)[1]
    dated = {window: table.append_column("moment", [[1] * ROWS]) for window, table in predictions.items()}
    assert run_abtest(folder, dated, schema={**schema(), "moment": "moment"}) == run_abtest(folder, predictions)


def test_swapping_the_models_swaps_the_words() -> None:
    table = tables(challenger=1.6)[1]["test"]
    thresholds = {"champion": 0.5, "challenger": 0.5}
    forth = Pair.of(table, thresholds=thresholds, units=None)
    back = Pair(forth.labels, forth.challenger, forth.champion, 0.5, 0.5)
    words = [
        {
            metric: seen.word
            for metric, seen in compare_models(
                pair, margins=ABTEST["margins"], significance=0.05, resamples=1000, rng=np.random.default_rng(1)
            ).items()
        }
        for pair in (forth, back)
    ]
    opposite = {"better": "worse", "worse": "better"}
    assert words[1] == {metric: opposite.get(word, word) for metric, word in words[0].items()}


def test_a_window_of_one_class_says_what_it_cannot_tell(folder: Path) -> None:
    predictions = tables()[1]
    nobody = pa.array(np.zeros(ROWS, dtype=np.int8))
    predictions["current"] = predictions["current"].set_column(1, "label", nobody)
    seen = run_abtest(folder, predictions)["offline"]["current"]
    assert (seen["roc_auc"]["verdict"], seen["roc_auc"]["p_value"]) == ("undefined", None)
    assert seen["roc_auc"]["p_adjusted"] is None
    assert seen["accuracy"]["p_value"] is not None


def test_a_window_without_rows_is_undefined(folder: Path) -> None:
    predictions = tables()[1] | {"current": tables()[1]["current"].slice(0, 0)}
    seen = run_abtest(folder, predictions)["offline"]["current"]
    assert {metric["verdict"] for metric in seen.values()} == {"undefined"}


def test_the_plot_has_a_row_for_each_window_and_metric(folder: Path) -> None:
    run_abtest(folder, tables()[1])
    with Path("plots/abtest/differences.csv").open(newline="") as stream:
        rows = [(row["window"], row["metric"]) for row in csv.DictReader(stream)]
    assert rows == [(window, metric) for window in ("test", "current") for metric in METRICS]


def test_without_a_log_the_online_half_says_so(folder: Path) -> None:
    assert run_abtest(folder, tables()[1])["online"] == {
        "analysed": False,
        "reason": "the task has no experiment log (experiment.log is null)",
    }


def test_the_same_rows_give_the_same_bytes(folder: Path) -> None:
    run_abtest(folder, tables()[1])
    first = {path: path.read_bytes() for path in (Path("metrics/abtest.json"), Path("plots/abtest/differences.csv"))}
    run_abtest(folder, tables()[1])
    assert first == {path: path.read_bytes() for path in first}


def test_an_identifier_in_two_rows_is_refused(folder: Path) -> None:
    predictions = tables()[1]
    predictions["test"] = pa.concat_tables([predictions["test"], predictions["test"].slice(0, 3)])
    with pytest.raises(SourceError, match=r"test.parquet: 3 keys \(customer_id\) occur in several rows.*Cure"):
        run_abtest(folder, predictions)


def test_rows_that_one_model_did_not_score_are_refused(folder: Path) -> None:
    predictions = tables()[1]
    scores = [None, *predictions["test"]["challenger_score"].to_pylist()[1:]]
    predictions["test"] = (
        predictions["test"].drop_columns(["challenger_score"]).append_column("challenger_score", [scores])
    )
    with pytest.raises(SourceError, match="challenger_score is missing in 1 of 3000 rows"):
        run_abtest(folder, predictions)


def test_scores_that_are_no_probabilities_are_refused(folder: Path) -> None:
    predictions = tables()[1]
    scores = [1.5, float("nan"), *predictions["test"]["challenger_score"].to_pylist()[2:]]
    predictions["test"] = (
        predictions["test"].drop_columns(["challenger_score"]).append_column("challenger_score", [scores])
    )
    with pytest.raises(SourceError, match="2 scores of the challenger are outside 0 to 1"):
        run_abtest(folder, predictions)


def test_predictions_without_identifier_are_refused(folder: Path) -> None:
    predictions = {window: table.drop_columns(["customer_id"]) for window, table in tables()[1].items()}
    with pytest.raises(SourceError, match=r"test.parquet lacks \['customer_id'\]"):
        run_abtest(folder, predictions)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("primary", "profit", "primary is 'profit', expected one of"),
        ("margins", {"roc_auc": 0.01}, "margins needs a number of at least 0 for each of"),
        ("resamples", 10, "greater than or equal to 1000"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: Any, message: str
) -> None:
    monkeypatch.setitem(ABTEST, setting, value)
    with pytest.raises(ParamsError, match=message):
        run_abtest(folder, tables()[1])


def test_identical_skill_is_called_different_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(11)
    called = 0
    for _ in range(150):
        predictions = predictions_of(rng, features_of(rng, 400))
        pair = Pair.of(predictions, thresholds={"champion": 0.5, "challenger": 0.5}, units=None)
        seen = compare_models(pair, margins=ABTEST["margins"], significance=0.05, resamples=1000, rng=rng)
        called += any(each.word in {"better", "worse"} for each in seen.values())
    assert called <= 18  # 7.5 are expected at 5 %

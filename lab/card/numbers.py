"""The sections of the model card on performance, value in money, and groups."""

from collections.abc import Sequence
from typing import Any

from lab.card.results import MODELS, Document, Results
from lab.pages.escape import plain_or_code
from lab.pages.markdown import NOTHING, count, counted, interval, number, p_value, percent, readable_name, signed, table

SHOWN = (
    "roc_auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "brier",
    "log_loss",
    "calibration_error",
)
OF_GROUPS = ("accuracy", "precision", "recall", "roc_auc")
MONEY = ("benefit", "cost", "net")
NOTES = (
    "Lower is better for the Brier score, the log loss and the calibration error; higher is better for all others. A "
    "difference is challenger minus champion on the same rows; p and the last column include Holm's correction for all "
    "metrics of the window. The calibration error is never negative, so chance alone makes it positive. Metrics on the "
    "training rows (`train_in_sample` in metrics/evaluate.json) say nothing about new rows and are not shown."
)


def performance(results: Results) -> list[str]:
    """Return the metrics of both models on the windows after training, and their differences."""
    lines = ["## Performance", ""]
    for window in (results.judged, "current"):
        size = rows_of_units(results.of("evaluate"), window)
        lines += [f"On the window **{window}** ({size}), with 95 % intervals:", "", *_metrics(results, window), ""]
    return [*lines, NOTES, ""]


def rows_of_units(evaluated: Document, window: str) -> str:
    """Return the number of rows of a window, and of their units where these repeat."""
    rows, units = (evaluated[name][window] for name in ("rows", "units"))
    return f"{counted(rows, 'row')} of {counted(units, 'unit')}" if units < rows else counted(rows, "row")


def groups(results: Results) -> list[str]:
    """Return the challenger's metrics for every group of the judged window."""
    rows = [row for row in results.groups if row["window"] == results.judged and row["model"] == "challenger"]
    lines = ["## Performance by group", ""]
    if not rows:
        return [*lines, "The task names no group columns.", ""]
    places = list(dict.fromkeys((row["group"], row["level"]) for row in rows))
    entry = {(row["group"], row["level"], row["metric"]): row for row in rows}
    head = ("group", "level", "rows:", "positive:", *(f"{readable_name(name)} (95 %)" for name in OF_GROUPS), "remark")
    body = [_group(place, [entry[*place, metric] for metric in OF_GROUPS]) for place in places]
    note = (
        f"The challenger on the window {results.judged}, by group. Small groups have wide intervals; values that "
        "differ within their intervals are no evidence of a difference."
    )
    return [*lines, note, "", *table(head, body), ""]


def value(results: Results) -> list[str]:
    """Return the benefit and cost of both models' decisions in money."""
    money, currency = results.money, plain_or_code(results.money.currency)
    lines = ["## Business value", ""]
    if not money.is_set:
        return [*lines, "The task gives no prices, so decisions have no value in money.", ""]
    prices = (
        f"Acting on a positive row earns {_price(money.benefit_of_true_positive)} {currency}, acting on a negative row "
        f"costs {_price(money.cost_of_false_positive)}, and missing a positive row costs "
        f"{_price(money.cost_of_false_negative)}. On the window {results.judged}, at the threshold of each model:"
    )
    found = {model: _figures(results.measured(model, results.judged)) for model in MODELS}
    head = (
        f"{currency}, with 95 % intervals",
        *(f"{model}, {per}" for model in MODELS for per in ("a row", "in total")),
    )
    body = [
        [name, *(_amount(found[model].get(name), per) for model in MODELS for per in ("per_row", "total"))]
        for name in MONEY
    ]
    returned = [_returned(found[model].get("return_on_cost")) for model in MODELS]
    body.append(["return on cost", returned[0], NOTHING, returned[1], NOTHING])
    return [*lines, prices, "", *table(head, body), "", _thresholds(results), ""]


def _thresholds(results: Results) -> str:
    thresholds = [
        f"{number(manifest.threshold, digits=3)} for the {model} ({in_words(manifest.threshold_rule)})"
        for model, manifest in results.manifests.items()
    ]
    return (
        f"Decision thresholds: {' and '.join(thresholds)}. They are chosen on out-of-fold scores of the training rows, "
        "never on the rows above."
    )


def _metrics(results: Results, window: str) -> list[str]:
    tested = {entry["metric"]: entry for entry in results.of("abtest")["offline"].get(window, [])}
    measured = {model: results.measured(model, window) for model in MODELS}
    head = ("metric", "challenger", "champion", "difference", "p:", "the challenger is")
    return table(
        head,
        [
            [
                readable_name(name),
                *(with_interval(measured[model].get(name), measured[model].get(f"{name}_95")) for model in MODELS),
                *_difference(tested.get(name)),
            ]
            for name in SHOWN
        ],
    )


def with_interval(value: float | None, ends: Sequence[float | None] | None, *, digits: int = 3) -> str:
    """Return a value with its interval, or `undefined`."""
    if value is None:
        return "undefined"
    return f"{number(value, digits=digits)} ({interval(*(ends or (None, None)), digits=digits)})"


def _difference(entry: Document | None) -> list[str]:
    if entry is None:
        return [NOTHING, NOTHING, "not tested"]
    if entry["difference"] is None:
        return [NOTHING, NOTHING, str(entry["verdict"])]
    ends = interval(entry["low"], entry["high"], digits=3)
    return [f"{signed(entry['difference'], digits=3)} ({ends})", p_value(entry["p_adjusted"]), str(entry["verdict"])]


def _group(place: tuple[str, str], rows: Sequence[Document]) -> list[str]:
    first = rows[0]
    share = first["positives"] / first["rows"] if first["rows"] else None
    values = [
        NOTHING if row["value"] is None else with_interval(row["value"], (row["low"], row["high"])) for row in rows
    ]
    return [*place, count(first["rows"]), percent(share), *values, first["note"]]


def _figures(measured: Document) -> dict[str, Document]:
    return {figure["figure"]: figure for figure in measured["money"]}


def _amount(figure: Document | None, per: str) -> str:
    if figure is None:
        return NOTHING
    digits = 2 if per == "per_row" else 0
    value, ends = figure[per], figure[f"{per}_95"]
    if value is None:
        return "undefined"
    return (
        f"{_grouped(value, digits)} ({' to '.join(_grouped(end, digits) for end in ends)})"
        if ends
        else _grouped(value, digits)
    )


def _grouped(value: float, digits: int) -> str:
    return f"{value + 0.0:,.{digits}f}".replace("-", "−")


def _returned(figure: Document | None) -> str:
    if figure is None or figure["value"] is None:
        return "undefined"
    return with_interval(figure["value"], figure["value_95"], digits=2)


def _price(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def in_words(value: Any) -> str:
    """Return a value of a setting as text."""
    return NOTHING if value is None else str(value).replace("_", " ")

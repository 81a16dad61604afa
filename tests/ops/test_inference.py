"""What is inferred of an unknown table: types, split, positive class, and notes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from lab.core.errors import SourceError
from lab.dataset.split import GroupSplit, RandomSplit, TimeSplit
from ops.init.column_facts import words_of
from ops.init.inference import Inference, Options, infer_task
from ops.init.spelling import decimal_of, free_names, marks_in

ROWS = 120
LABELS = [("Yes", "No", "No")[i // 7 % 3] for i in range(ROWS)]


def infer(columns: Mapping[str, Any], *, labels: Sequence[Any] = LABELS, **options: Any) -> Inference:
    """Decide on columns of 120 values beside a label."""
    rows = pa.table({**columns, "target": pa.array(labels)})
    return infer_task(rows, replace(Options(target="target"), **options))


def decided(values: Sequence[Any], name: str = "x") -> Any:
    """Return the decision on one column whose values are repeated until there are 120."""
    column = [values[i % len(values)] for i in range(ROWS)]
    found = infer({name: pa.array(column)})
    return found.decisions[0]


@pytest.mark.parametrize(
    ("values", "kind", "form"),
    [
        (["1", "2", "30", "4", "5"], "integer", None),
        (["1.0", "2", "-3"], "integer", None),
        (["1.5", "2", "-3e2", ".5"], "number", None),
        (["1", None, "2.5"], "number", None),
        (["0", "1", None], "boolean", None),
        (["Yes", "no", "YES", "No", "yes"], "boolean", None),
        (["yes", "no"], "boolean", None),
        (["True", "False"], "boolean", None),
        (["Yes", "No", "No internet service"], "category", None),
        (["north", "south"], "category", None),
        (["01", "02", "10"], "category", None),
        (["2024-01-31", "2024-02-01"], "date", None),
        (["2024-01-31 10:00:00", "2024-02-01T00:00:00"], "timestamp", None),
        (["31.01.2024", "01.02.2024"], "date", "%d.%m.%Y"),
        (["01/31/2024", "02/01/2024"], "date", "%m/%d/%Y"),
        (["31/01/2024 10:30", "01/02/2024 09:00"], "timestamp", "%d/%m/%Y %H:%M"),
        (["1/31/24", "2/1/24"], "date", "%m/%d/%y"),
        (["31-Jan-2024", "01-Feb-2024"], "date", "%d-%b-%Y"),
        (["Jan 31, 2024", "Feb 1, 2024"], "date", "%b %d, %Y"),
        (["20240131", "20240201"], "integer", None),
        ([1, 2, 3], "integer", None),
        ([1.5, 2.5, None], "number", None),
        ([True, False], "boolean", None),
        ([date(2024, 1, 1), date(2024, 2, 1)], "date", None),
        ([datetime(2024, 1, 1, 9, tzinfo=UTC), None], "timestamp", None),
        (["a", "a", None], "category", None),
    ],
)
def test_a_column_gets_the_type_that_reads_every_value(values: list[Any], kind: str, form: str | None) -> None:
    decision = decided([*values, *values[:1]])
    assert (decision.column.type, decision.column.format) == (kind, form)
    assert decision.role == "feature"


def test_digits_are_a_date_only_where_the_name_says_so() -> None:
    assert decided(["20240131", "20240201", "20240201"], name="invoice_date").column.format == "%Y%m%d"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None], "it is empty"),
        (["NL"], "it is always NL"),
        (["x" * 90], "it is always xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"),
        ([f"customer number {i} said this" for i in range(ROWS)], "nearly every row has a different text (120)"),
        (
            [f"a long remark of some words that comes again and again, number {i % 60}" for i in range(ROWS)],
            "free text, up to 65 characters long",
        ),
    ],
)
def test_a_column_that_can_teach_nothing_is_left_out_with_the_reason(values: list[Any], reason: str) -> None:
    decision = decided(values)
    assert (decision.column.type, decision.role, decision.reason) == ("ignore", "left out", reason)


def test_thousands_of_levels_stay_a_category() -> None:
    rows = 9000
    names = [f"street {i % 4000}" for i in range(rows)]
    found = infer({"street": names}, labels=["Yes" if i % 3 else "No" for i in range(rows)])
    assert (found.decisions[0].column.type, found.decisions[0].reason) == ("category", "4,000 levels")


@pytest.mark.parametrize(
    "values",
    [
        [f"C-{i}" for i in range(ROWS)],
        [str(ROWS - i) for i in range(ROWS)],
        list(range(1000, 1000 + 3 * ROWS // 2))[::-1][:ROWS],
    ],
)
def test_the_first_column_that_differs_in_every_row_names_the_rows(values: list[Any]) -> None:
    found = infer({"number": values, "again": values, "x": LABELS[1:] + LABELS[:1]})
    assert found.unit == found.key == ("number",)
    assert [(each.column.type, each.role) for each in found.decisions[:2]] == [
        ("identifier", "unit"),
        ("identifier", "left out"),
    ]


@pytest.mark.parametrize("values", [[str(7919 * i % 99991) for i in range(ROWS)], [f"{i}.5" for i in range(ROWS)]])
def test_numbers_that_happen_to_differ_stay_numbers(values: list[str]) -> None:
    found = infer({"income": values})
    assert found.decisions[0].column.type in {"integer", "number"}
    assert found.unit == ()


def test_a_name_makes_an_identifier_of_wide_numbers_and_of_repeated_codes() -> None:
    wide = infer({"CustomerID": [str(7919 * i % 99991) for i in range(ROWS)]})
    assert wide.unit == ("CustomerID",)
    repeated = infer({"customer_id": [str(5000 + 17 * (i % 60)) for i in range(ROWS)]})
    assert (repeated.decisions[0].column.type, repeated.unit) == ("identifier", ("customer_id", "row"))
    assert repeated.split == GroupSplit(kind="group", column="customer_id")
    assert any("customer_id repeats (60 in 120 rows)" in note for note in repeated.notes)


@pytest.mark.parametrize("values", [[str(i + 1) for i in range(ROWS)], list(range(1000, 1000 + ROWS))])
def test_the_number_of_a_row_is_no_feature_and_no_unit(values: list[Any]) -> None:
    found = infer({"Unnamed: 0": values, "customer": [f"C{7 * i % ROWS}" for i in range(ROWS)]})
    assert (found.decisions[0].column.type, found.unit) == ("ignore", ("customer",))
    assert found.decisions[0].reason == "it is the number of the row"
    assert infer({"customer_id": values}).unit == ("customer_id",)


@pytest.mark.parametrize("name", ["Kundennr", "Kunden-Nr.", "Rechnungsnummer", "account_number"])
def test_wide_numbers_with_the_name_of_an_identifier_are_one(name: str) -> None:
    found = infer({name: [100_000 + i * i for i in range(ROWS)]})
    assert (found.decisions[0].column.type, found.unit) == ("identifier", (name,))


@pytest.mark.parametrize("above", [-1.0, 119.0])
def test_a_bound_that_leaves_one_class_is_refused_with_the_range(above: float) -> None:
    with pytest.raises(SourceError, match=r"ranges from 0 to 119; --above expects a number between these, found"):
        infer({"x": ["a", "b"] * 60}, labels=list(range(ROWS)), above=above)


def test_a_bound_on_words_is_refused() -> None:
    with pytest.raises(SourceError, match="has values that are no numbers"):
        infer({"x": list(range(ROWS))}, above=1.0)


def test_a_base_rate_that_moves_along_the_file_is_noted() -> None:
    rising = ["Yes" if i % 10 < 10 * i // ROWS else "No" for i in range(ROWS)]
    found = infer({"x": list(range(ROWS))[::-1]}, labels=rising)
    assert [note for note in found.notes if "its order matters" in note]
    assert not [note for note in infer({"x": [1, 2] * (ROWS // 2)}).notes if "its order matters" in note]


def test_a_column_of_years_may_be_the_time() -> None:
    found = infer({"year": [str(2010 + i // 12) for i in range(ROWS)]}, time="year")
    assert found.decisions[0].column.format == "%Y"
    assert isinstance(found.split, TimeSplit)
    assert found.split.current_days + found.split.test_days == 1461  # four years


def test_what_the_user_says_about_groups_and_columns_holds() -> None:
    columns: dict[str, list[Any]] = {name: [20 + i % 9 for i in range(ROWS)] for name in ("age", "shoe")}
    columns["sex"] = ["f", "m"] * (ROWS // 2)
    found = infer_task(
        pa.table({**columns, "target": LABELS}), Options(target="target", groups=("shoe",), ignore=("age",))
    )
    assert (found.groups, found.decisions[0].reason) == (("shoe",), "--ignore says so")
    assert infer({"shoe": columns["shoe"]}).notes[-1] == "no column is compared for fairness; --group COLUMN names one"


def test_a_code_with_few_levels_is_a_category_not_a_quantity() -> None:
    decision = decided(["1", "2", "3", "4", "1"], name="department_id")
    assert (decision.column.type, decision.reason) == ("category", "a code, not a quantity")


def test_a_few_words_among_numbers_become_missing_and_more_make_a_category() -> None:
    few = decided([*(f"{i}.5" for i in range(58)), "n/k", "unknown"])
    assert (few.column.type, few.column.on_violation) == ("number", "set_missing")
    assert 4 / 120 < few.column.violation_share < 0.15
    assert decided(["1.5", "2.5", "unknown", "1.5"]).column.type == "category"


def test_bounds_and_levels_only_warn_and_hold_what_was_found() -> None:
    numbers = infer({"x": [str(i - 20.5) for i in range(ROWS)]}).decisions[0].column
    assert (numbers.minimum, numbers.maximum) == (None, None)
    assert (numbers.warn.minimum, numbers.warn.maximum) == (-33, 120)
    levels = decided(["b", "a", "c", "b"]).column
    assert (levels.allowed, levels.warn.allowed) == (None, ("a", "b", "c"))


def test_a_bound_does_not_go_below_zero_without_cause() -> None:
    assert decided(["1", "50", "100", "2"]).column.warn.minimum == 0


def test_the_share_of_missing_values_is_an_error_a_little_above_what_was_found() -> None:
    assert decided(["a", "b", None, "a"]).column.missing_share == pytest.approx(0.30)
    assert decided(["a", "b", "a"]).column.missing_share == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("labels", "positive", "reason"),
    [
        (["No", "No", "Yes"], "Yes", "its word means yes"),
        (["Yes", "Yes", "No"], "Yes", "its word means yes"),
        (["0", "0", "1"], 1, "its word means yes"),
        ([0, 0, 1], 1, "its word means yes"),
        ([1, 1, 2], 2, "it is the rarer class"),
        (["1", "2", "2"], 1, "it is the rarer class"),
        (["<=50K", "<=50K", ">50K"], ">50K", "it is the rarer class"),
        (["stayed", "churned", "churned"], "churned", "its word means yes"),
        (["yes", "no", "yes"], "yes", "its word means yes"),
        ([True, False, False], "true", "its word means yes"),
        (["True", "False", "False"], "True", "its word means yes"),
        (["good", "bad", "bad"], "bad", "its word means yes"),
        (["b", "a", "a"], "b", "it is the rarer class"),
    ],
)
def test_the_positive_class_is_chosen_and_the_choice_explained(labels: list[Any], positive: Any, reason: str) -> None:
    found = infer({"x": LABELS}, labels=[labels[i % 3] for i in range(ROWS)])
    assert (found.label.positive, found.label.reason) == (positive, reason)


def test_a_third_class_of_the_label_would_break_the_contract() -> None:
    label = infer({}).decisions[-1].column
    assert (label.type, label.allowed, label.missing_share) == ("category", ("No", "Yes"), 0.0)
    number = infer({}, labels=[i % 2 for i in range(ROWS)]).decisions[-1].column
    assert (number.type, number.minimum, number.maximum) == ("integer", 0, 1)


def test_rows_without_a_label_are_told() -> None:
    found = infer({}, labels=["Yes", "No", None] * 40)
    assert (found.label.positives, found.label.rows) == (40, 80)
    assert "40 rows have no target: they are not used" in found.notes


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"], r"has one class, 'a' \(120 rows\); expected two"),
        ([None], "has one class, for it is empty; expected two"),
        (
            ["a", "b", "c"],
            r"has 3 classes, 'a' \(40 rows\), 'b' \(40 rows\), 'c' \(40 rows\); expected two.*--positive",
        ),
        ([f"c{i // 2}" for i in range(ROWS)], "has 60 classes, .* and 50 more; expected two"),
        ([f"c{i}" for i in range(ROWS)], "differs in every row, as an identifier does"),
        (["a"] * (ROWS - 2) + ["b"] * 2, "has 2 rows of the rarer class, expected at least 3"),
    ],
)
def test_a_label_without_two_classes_is_refused_with_those_found(labels: list[Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        infer({"x": LABELS}, labels=[labels[i % len(labels)] for i in range(ROWS)])


def test_positive_makes_one_class_against_all_the_others() -> None:
    found = infer({}, labels=["a", "b", "c"] * 40, positive="b")
    assert (found.label.positive, found.label.positives, found.label.reason) == ("b", 40, "--positive says so")
    assert found.decisions[-1].column.allowed == ("a", "b", "c")


def test_a_positive_class_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SourceError, match=r"has no class 'yes', expected one of 'No' \(78 rows\), 'Yes' \(42 rows\)"):
        infer({}, positive="yes")


def test_an_absent_target_is_refused_with_names_like_it() -> None:
    with pytest.raises(SourceError, match=r"found no column 'Churn ', expected one of .*Did you mean 'churned'"):
        infer_task(pa.table({"churned": ["a"], "age": ["1"]}), Options("Churn "))


def test_a_file_without_a_header_is_recognised() -> None:
    with pytest.raises(SourceError, match=r"The first line looks like data: give the file a header"):
        infer_task(pa.table({"39": ["50"], "State-gov": ["Private"], "77516": ["83311"]}), Options("income"))


@pytest.mark.parametrize(
    ("values", "how"),
    [
        ([{"Yes": "1", "No": "0"}[label] for label in LABELS], "each of its values has one class only"),
        ([{"Yes": "x", "No": None}[label] for label in LABELS], "it is present in one class only"),
        (
            [f"reason {i}" if label == "Yes" else None for i, label in enumerate(LABELS)],
            "it is present in one class only",
        ),
        (
            [f"a{i % 2}" if label == "Yes" else "b" for i, label in enumerate(LABELS)],
            "each of its values has one",
        ),
    ],
)
def test_a_column_that_leaks_the_label_is_left_out_with_a_note(values: list[Any], how: str) -> None:
    found = infer({"reason": values})
    assert found.decisions[0].column.type == "ignore"
    assert how in found.decisions[0].reason
    assert any(note.startswith("reason is left out, for it leaks the label") for note in found.notes)


def test_a_good_predictor_is_no_giveaway() -> None:
    nearly = [*({"Yes": "1", "No": "0"}[label] for label in LABELS[:-1]), "1"]
    assert infer({"x": nearly}).decisions[0].role == "feature"


@pytest.mark.parametrize(
    ("name", "values", "suggested"),
    [
        ("gender", ["female", "male"], True),
        ("Sex", ["F", "M"], True),
        ("SeniorCitizen", ["0", "1"], True),
        ("age_group", ["young", "old", "older"], True),
        ("ageBand", ["1", "2", "3"], True),
        ("region", [f"r{i}" for i in range(9)], False),
        ("age", [str(20 + i) for i in range(50)], False),
        ("essex", ["a", "b"], False),
    ],
)
def test_groups_to_compare_are_suggested_by_name_and_number_of_levels(
    name: str, values: list[str], suggested: bool
) -> None:
    found = infer({name: [values[i % len(values)] for i in range(ROWS)]})
    assert found.groups == ((name,) if suggested else ())


def test_a_date_is_offered_as_time_and_used_only_when_asked() -> None:
    days = [f"{date(2024, 1, 1) + timedelta(days=i % 100)}" for i in range(ROWS)]
    offered = infer({"seen": days})
    assert isinstance(offered.split, RandomSplit)
    assert any("--time seen" in note for note in offered.notes)
    used = infer({"seen": days}, time="seen")
    assert (used.moment, used.decisions[0].role, used.key) == ("seen", "time", ())


def test_a_split_by_time_has_a_fifth_of_the_rows_in_test_and_in_current() -> None:
    days = [f"{date(2024, 1, 1) + timedelta(days=i)}" for i in range(ROWS)]
    split = infer({"seen": days}, time="seen").split
    assert split == TimeSplit(kind="time", current_days=24, test_days=24)


def test_a_column_without_dates_cannot_tell_the_time() -> None:
    with pytest.raises(SourceError, match=r"the column 'x' holds 'No', expected dates or times for --time"):
        infer({"x": LABELS}, time="x")


def test_too_short_a_time_is_refused() -> None:
    with pytest.raises(SourceError, match="range from 2024-01-01 to 2024-01-02, too short for three parts"):
        infer({"x": [f"2024-01-0{1 + i % 2}" for i in range(ROWS)]}, time="x")


def test_day_and_month_that_cannot_be_told_apart_are_said() -> None:
    found = infer({"x": ["01/02/2024", "03/04/2024"] * 60})
    assert any(note.startswith("x: day and month are ambiguous") for note in found.notes)


def test_a_unit_with_several_rows_keeps_them_together() -> None:
    found = infer({"patient": [f"P{i % 30}" for i in range(ROWS)]}, unit="patient")
    assert found.split == GroupSplit(kind="group", column="patient")
    assert (found.unit, found.key) == (("patient", "row"), ())


def test_a_unit_with_one_row_each_is_a_key() -> None:
    found = infer({"patient": [f"P{i}" for i in range(ROWS)]}, unit="patient")
    assert isinstance(found.split, RandomSplit)
    assert found.unit == found.key == ("patient",)


def test_a_unit_with_one_row_a_day_is_told_apart_by_time() -> None:
    columns = {
        "machine": [f"M{i % 2}" for i in range(ROWS)],
        "day": [f"{date(2024, 1, 1) + timedelta(days=i // 2)}" for i in range(ROWS)],
    }
    found = infer(columns, unit="machine", time="day")
    assert (found.unit, found.moment, found.split.kind) == (("machine",), "day", "time")


def test_numbers_with_signs_are_told() -> None:
    found = infer({"price": [f"${i % 70},{100 + i % 70}.50" for i in range(ROWS)]})
    assert any(note.startswith("price looks like numbers with signs, such as '$") for note in found.notes)


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        (["1,5", "2", "-0,25"], ","),
        (["1,5", "?"], ","),
        (["1,234", "5,678"], "."),
        (["1.5", "2"], "."),
        (["1,5", "x,y"], "."),
        (["a", "b"], "."),
        ([None], "."),
    ],
)
def test_a_decimal_comma_is_told_from_thousands_and_words(values: list[Any], mark: str) -> None:
    assert decimal_of(pa.table({"x": pa.array(values, pa.string())}), ["", "?"]) == mark


def test_missing_marks_are_counted_where_they_occur() -> None:
    rows = pa.table({"a": ["?", "x", ""], "b": ["NA", "?", "y"], "c": [1, 2, 3]})
    assert marks_in(rows, ["", "?", "NA", "nan"]) == {"": 1, "?": 2, "NA": 1}


def test_names_that_cannot_stay_get_free_ones() -> None:
    names = ["Age", "age", "AGE", "Label", "label_column", "row", "moment", "city"]
    assert free_names(names, keep=["moment"]) == {
        "age": "age_column",
        "AGE": "AGE_column_",
        "Label": "Label_column_",
        "row": "row_column",
    }


def test_words_of_a_name_are_found_however_it_is_written() -> None:
    assert words_of("RowNumber") == {"row", "number"}
    assert words_of("größe_ID") == {"größe", "id"}
    assert words_of("age group (years)") == {"age", "group", "years"}


def test_thousands_of_columns_are_refused_before_any_is_read() -> None:
    with pytest.raises(SourceError, match="found 2,001 columns, expected at most 2,000"):
        infer({f"c{i}": [1] for i in range(2000)}, labels=["a"])

"""A log as a batch: fixed order, last labels, and counts of exclusions."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lab.core.errors import SourceError
from lab.drift import json_lines as lines
from lab.drift.batch import checked_batch
from lab.drift.faults import find_faults
from lab.drift.log_batch import is_served, read_served
from lab.drift.log_selection import Choice, Counts
from lab.drift.set_aside import Reason, SetAside
from lab.reference.reference import Reference
from tests.lab.drift.logs import MODEL, OTHER, Line, answers, label, rows, write_lines, write_log
from tests.lab.drift.world import fitted, settings

COUNT = 40
ROWS = rows(COUNT)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fitted(rows(300, seed=1), moment=True)


def read(folder: Path, reference: Reference, **choice: Any) -> tuple[list[dict[str, Any]], Counts]:
    found = read_served(folder, reference, Choice(**choice))
    return found.rows.to_pylist(), found.counts


def without(table: pa.Table, *names: str) -> pa.Table:
    return table.drop_columns([name for name in names if name in table.column_names])


def test_a_log_is_the_batch_that_its_rows_are(reference: Reference, tmp_path: Path) -> None:
    log = write_log(tmp_path, answers(ROWS))
    expected = checked_batch(without(ROWS, "label", "challenger_score", "gender"), reference, name="rows", cure="")
    key = lambda row: (row["moment"], row["customer_id"])  # noqa: E731 - used twice, here
    found = read_served(log, reference, Choice()).rows
    assert sorted(found.to_pylist(), key=key) == sorted(expected.to_pylist(), key=key)
    assert found.schema.equals(expected.select(found.column_names).schema)


def test_the_order_is_of_moment_and_id_however_the_lines_lie_in_files(reference: Reference, tmp_path: Path) -> None:
    forth = read(write_log(tmp_path / "forth", answers(ROWS)), reference)
    back = read(write_log(tmp_path / "back", answers(ROWS)[::-1]), reference)
    assert forth == back
    assert [row["moment"] for row in forth[0]] == sorted(row["moment"] for row in forth[0])


def test_the_logs_of_several_servers_are_one_though_their_files_have_the_same_names(
    reference: Reference, tmp_path: Path
) -> None:
    lines, labels = answers(ROWS), [label(place, 1) for place in range(COUNT)]
    write_log(tmp_path / "both/first", lines[:25], labels[25:])
    write_log(tmp_path / "both/second", lines[25:], labels[:25])
    assert read(tmp_path / "both", reference) == read(write_log(tmp_path / "one", lines, labels), reference)


def test_blocks_of_any_size_are_the_same_lines(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path, answers(ROWS), [label(1, 1)])
    whole = read(log, reference)
    monkeypatch.setattr(lines.blocks_of, "__kwdefaults__", {"size": 100})
    assert read(log, reference) == whole


def test_the_last_label_of_an_id_counts_and_rows_without_one_have_none(reference: Reference, tmp_path: Path) -> None:
    late, early = "2025-07-01T00:00:00.000000", "2025-06-01T00:00:00.000000"
    labels = [
        label(0, 1, received=late),
        label(1, 1, received=early),
        label(0, 0, received=early),
        label(1, 0, received=late),
    ]
    found, counts = read(write_log(tmp_path, answers(ROWS), [*labels, label(999, 1)]), reference)
    by_score = {row["champion_score"]: row["label"] for row in found}
    scores = ROWS["champion_score"].to_pylist()
    assert [by_score[scores[place]] for place in range(3)] == [1, 0, None]
    assert (counts.labelled, counts.unknown_labels) == (2, 1)


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl"])
def test_a_file_of_labels_has_the_last_word(reference: Reference, tmp_path: Path, name: str) -> None:
    log = write_log(tmp_path / "log", answers(ROWS), [label(0, 1), label(1, 1)])
    given = write_lines(tmp_path / name, [label(0, 0), label(2, 1)])
    if name.endswith("csv"):
        given.write_text("id,label\nid-0000,1\nid-0000,false\nid-0002,1\n")
    found, counts = read(log, reference, labels=given)
    by_score = {row["champion_score"]: row["label"] for row in found}
    assert [by_score[ROWS["champion_score"][place].as_py()] for place in range(4)] == [0, 1, 1, None]
    assert counts.labelled == 3


def test_a_torn_last_line_is_left_out_and_counted_and_one_that_only_lacks_its_end_is_read(
    reference: Reference, tmp_path: Path
) -> None:
    lines = answers(ROWS)
    write_lines(tmp_path / "predictions-0-000001.jsonl", lines[:10], torn='{"id":"x","features":{"ag')
    write_lines(tmp_path / "predictions-1-000001.jsonl", lines[10:-1], torn=json.dumps(lines[-1]))
    write_lines(tmp_path / "feedback-0-000001.jsonl", [label(1, 1)], torn='{"id":')
    _, counts = read(tmp_path, reference)
    assert (counts.answers, counts.torn, counts.labelled) == (COUNT, 2, 1)


def test_repeated_answers_count_once_with_the_label_of_either(reference: Reference, tmp_path: Path) -> None:
    first = answers(ROWS)
    again = [
        {**line, "id": f"{line['id']}-2", "received": "2026-01-01T00:00:00.000000", "score": 0.5} for line in first[:3]
    ]
    copied = write_log(tmp_path, [*first, *again, first[-1]], [label(0, 1), {**label(1, 0), "id": "id-0001-2"}])
    found, counts = read(copied, reference)
    assert (len(found), counts.repeated, counts.labelled) == (COUNT, 4, 2)
    assert sum(row["champion_score"] == 0.5 for row in found) == 3
    assert sorted(row["label"] for row in found if row["label"] is not None) == [0, 1]


def test_rows_without_a_unit_are_different_units(reference: Reference, tmp_path: Path) -> None:
    found, counts = read(write_log(tmp_path, answers(ROWS, unit=None)), reference)
    assert (len(found), counts.repeated) == (COUNT, 0)
    assert "customer_id" not in found[0]
    assert counts.left_out == (f"units: missing in {COUNT} of {COUNT} rows",)


def test_units_of_another_type_are_left_out_and_reported(reference: Reference, tmp_path: Path) -> None:
    lines = [{**line, "unit": f"c{line['unit']}"} for line in answers(ROWS)]
    found, counts = read(write_log(tmp_path, lines), reference)
    assert "customer_id" not in found[0]
    assert counts.left_out[0].startswith("units: not of the type of customer_id in test")


def of_two_arms(table: pa.Table) -> list[Line]:
    """Return the answers of an experiment in which every other unit is the challenger's."""
    lines = answers(table)
    for line, score in zip(lines[::2], table["challenger_score"].to_pylist()[::2], strict=True):
        del line["champion_score"]
        line |= {"arm": "challenger", "fingerprint": OTHER, "score": score, "challenger_score": score}
    return lines


@pytest.mark.parametrize(
    ("arm", "judged", "scores"),
    [("champion", COUNT // 2, ["champion"]), ("challenger", COUNT // 2, ["challenger"]), ("all", COUNT, [])],
)
def test_two_models_never_share_a_column_of_scores(
    reference: Reference, tmp_path: Path, arm: str, judged: int, scores: list[str]
) -> None:
    found, counts = read(write_log(tmp_path, of_two_arms(ROWS)), reference, arm=arm)
    assert (len(found), counts.other_arms) == (judged, COUNT - judged)
    assert [name.removesuffix("_score") for name in found[0] if name.endswith("_score")] == scores
    assert {"champion": MODEL, "challenger": OTHER}.get(arm, MODEL) in counts.models
    if arm == "all":
        assert len(counts.left_out) == 2
        assert "missing in 20 of 40 rows" in counts.left_out[0]


def test_in_shadow_mode_both_models_are_assessed_on_the_same_rows(reference: Reference, tmp_path: Path) -> None:
    lines = [{**line, "challenger_score": 0.25} for line in answers(ROWS)]
    found, counts = read(write_log(tmp_path, lines), reference)
    assert {row["challenger_score"] for row in found} == {0.25}
    assert counts.left_out == ()


def test_one_model_of_several_can_be_selected(reference: Reference, tmp_path: Path) -> None:
    lines = [{**line, "fingerprint": OTHER if place < 5 else MODEL} for place, line in enumerate(answers(ROWS))]
    log = write_log(tmp_path, lines)
    assert read(log, reference)[1].models == {MODEL: COUNT - 5, OTHER: 5}
    found, counts = read(log, reference, fingerprint=OTHER[:6])
    assert (len(found), counts.other_models, counts.models) == (5, COUNT - 5, {OTHER: 5})


def test_moments_are_selected_from_since_to_before_until(reference: Reference, tmp_path: Path) -> None:
    since, until = (datetime(2025, 3, day, tzinfo=UTC) for day in (2, 4))
    found, counts = read(write_log(tmp_path, answers(ROWS)), reference, since=since, until=until)
    assert {row["moment"].day for row in found} == {2, 3}
    assert counts.other_moments == COUNT - len(found)


def test_moments_with_and_without_a_zone_are_one_time(reference: Reference, tmp_path: Path) -> None:
    lines = answers(ROWS)
    for line in lines[::2]:
        there = datetime.fromisoformat(line["moment"]).replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=2)))
        line["moment"] = there.isoformat()
    log = write_log(tmp_path / "zoned", lines)
    assert read(log, reference)[0] == read(write_log(tmp_path / "plain", answers(ROWS)), reference)[0]


def lacking(line: Line, name: str) -> Line:
    return {**line, "features": {key: value for key, value in line["features"].items() if key != name}}


def test_a_value_that_is_not_known_is_no_feature_that_was_left_out(reference: Reference, tmp_path: Path) -> None:
    lines = answers(ROWS)
    for line in lines:
        line["features"]["region"] = None
    found, _ = read(write_log(tmp_path, lines), reference)
    assert {row["region"] for row in found} == {None}


def test_answers_without_a_feature_can_be_left_out_by_their_model(reference: Reference, tmp_path: Path) -> None:
    lines = answers(ROWS)
    lines[:5] = [{**lacking(line, "age"), "fingerprint": OTHER} for line in lines[:5]]
    log = write_log(tmp_path, lines)
    with pytest.raises(SourceError, match=r"5 of 40 answers were logged without \['age'\]"):
        read(log, reference)
    assert read(log, reference, fingerprint=MODEL)[1].judged == COUNT - 5


REFUSED: dict[str, tuple[Callable[[list[Line]], list[Line]], dict[str, Any], str]] = {
    "a feature was redacted": (
        lambda lines: [lacking(line, "region") for line in lines],
        {},
        r"40 of 40 answers were logged without \['region'\]: .*LAB_REDACT.*Cure",
    ),
    "nothing is left": (
        lambda lines: lines,
        {"arm": "challenger"},
        "has no selected answer: of 40, 40 are of another arm.* Cure",
    ),
    "a model is not there": (
        lambda lines: lines,
        {"fingerprint": "ee"},
        r"0 models have a fingerprint .* expected one of \['abababababab'\]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_batch_is_refused_with_the_cure(reference: Reference, tmp_path: Path, name: str) -> None:
    change, choice, message = REFUSED[name]
    with pytest.raises(SourceError, match=message):
        read(write_log(tmp_path, change(answers(ROWS))), reference, **choice)


def with_feature(line: Line, name: str, value: Any) -> Line:
    return {**line, "features": {**line["features"], name: value}}


UNREADABLE: dict[str, tuple[Callable[[Line], Line | str], str]] = {
    "a day that is not in the calendar": (
        lambda line: {**line, "moment": "2025-02-30T00:00:00"},
        "moment is not a moment, such as 2025-11-02T00:00:00",
    ),
    "half of a whole number": (
        lambda line: with_feature(line, "visits", 2.5),
        "features.visits cannot be read as int64",
    ),
    "a huge whole number": (lambda line: with_feature(line, "age", 1e30), "features.age cannot be read as int64"),
    "digits of another script": (
        lambda line: with_feature(line, "age", "\u0661\u0662"),
        "features.age is not a number",
    ),
    "a moment in digits of another script": (
        lambda line: {**line, "moment": "\u0662\u0660\u0662\u0665-03-01"},
        "moment is not a moment, such as 2025-11-02T00:00:00",
    ),
    "a unit in digits of another script": (
        lambda line: {**line, "unit": f"{line['unit']}\u0661"},
        "unit cannot be read as int64",
    ),
    "a number for a truth": (
        lambda line: with_feature(line, "senior", 1),
        "features.senior is not a boolean",
    ),
    "a number beyond all": (
        lambda line: json.dumps(line).replace('"amount": ', '"amount": 1e400, "x": '),
        "it cannot be read",
    ),
    "no score": (lambda line: {**line, "score": None}, "it has no score"),
    "a score above 1": (lambda line: {**line, "score": 1.5}, "score is not between 0 and 1"),
    "no feature": (lambda line: {**line, "features": None}, "it has no features"),
    "broken JSON": (lambda line: json.dumps(line)[:-9], "it is not valid JSON"),
    "another object": (lambda _: "[1, 2]", "it is not a JSON object"),
}


def write_texts(folder: Path, lines: list[Line | str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "predictions-0-000001.jsonl").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", UNREADABLE)
def test_lines_that_cannot_be_read_are_set_aside_by_reason_and_the_rest_is_read(
    reference: Reference, tmp_path: Path, name: str
) -> None:
    damage, reason = UNREADABLE[name]
    lines: list[Line | str] = [*answers(ROWS)]
    expected = read_served(write_texts(tmp_path / "good", [*lines[:3], lines[4], *lines[6:]]), reference, Choice())
    for place in (3, 5):
        lines[place] = damage(answers(ROWS)[place])
    found = read_served(write_texts(tmp_path / "bad", lines), reference, Choice())
    assert found.rows.to_pylist() == expected.rows.to_pylist()
    first = "predictions-0-000001.jsonl, line 4" if reason.startswith("it is not") else "id-0003"
    assert found.set_aside == SetAside(COUNT, (Reason(reason, 2, first),))
    assert expected.set_aside == SetAside(COUNT - 2, ())


def test_labels_that_cannot_be_read_are_set_aside(reference: Reference, tmp_path: Path) -> None:
    labels = [label(0, 1), {**label(1, 1), "label": 0.5}, {**label(2, 1), "received": "soon"}, label(3, 0)]
    found = read_served(write_log(tmp_path, answers(ROWS), labels), reference, Choice())
    assert found.counts.labelled == 2
    assert {(each.reason, each.first) for each in found.set_aside.reasons} == {
        ("a label is neither 0 nor 1", "id-0001"),
        ("received is not a moment, such as 2025-11-02T00:00:00", "id-0002"),
    }


def test_lines_of_other_arms_and_moments_are_not_counted_as_set_aside(reference: Reference, tmp_path: Path) -> None:
    lines = answers(ROWS)
    lines[0] = with_feature(lines[0], "age", "old")
    lines[1] = {**with_feature(lines[1], "age", "old"), "arm": "challenger"}
    log = write_texts(tmp_path, [*lines])
    assert [each.lines for each in read_served(log, reference, Choice()).set_aside.reasons] == [1]
    later = Choice(since=datetime(2025, 3, 3, tzinfo=UTC))
    assert read_served(log, reference, later).set_aside.reasons == ()


@pytest.mark.parametrize("count", [0, 5])
def test_a_log_without_a_readable_line_is_an_empty_batch(reference: Reference, tmp_path: Path, count: int) -> None:
    found = read_served(write_texts(tmp_path, ["nonsense"] * count), reference, Choice())
    assert (found.rows.num_rows, found.set_aside.count) == (0, count)
    faults = find_faults(reference, found.rows, settings().faults, found.set_aside)
    assert [fault.kind for fault in faults] == (["unreadable"] if count else []) + ["empty"]


def test_a_file_of_labels_with_a_line_that_cannot_be_read_is_refused(reference: Reference, tmp_path: Path) -> None:
    given = write_lines(tmp_path / "labels.jsonl", [label(0, 1)], torn="nonsense\n")
    with pytest.raises(SourceError, match=r"labels.jsonl, line 2: it is not valid JSON; expected .* Cure"):
        read(write_log(tmp_path / "log", answers(ROWS)), reference, labels=given)


def test_a_file_deleted_while_it_is_read_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be read: .*run again"):
        list(lines.blocks_of(tmp_path / "predictions-0-000001.jsonl"))


def test_a_folder_without_answers_is_no_log(reference: Reference, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SourceError, match=r"contains \['notes.txt'\], expected predictions-WORKER-NUMBER.jsonl"):
        read(tmp_path, reference)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\nid-0000,perhaps\n", "1 of 1 labels are invalid, expected 0, 1"),
        ("row,label\n1,1\n", r"lacks \['id'\]; it has \['row', 'label'\]"),
    ],
)
def test_labels_that_are_none_are_refused(reference: Reference, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(SourceError, match=message):
        read(write_log(tmp_path / "log", answers(ROWS)), reference, labels=path)


def test_a_file_of_a_log_is_known_by_its_lines(reference: Reference, tmp_path: Path) -> None:
    log, other = write_log(tmp_path / "log", answers(ROWS)), write_lines(tmp_path / "rows.jsonl", [{"age": 3}])
    (file, _) = sorted(log.glob("predictions-*.jsonl"))
    assert (is_served(log), is_served(file), is_served(other)) == (True, True, False)
    assert read(file, reference)[1].judged == COUNT // 2

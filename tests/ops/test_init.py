"""`python -m ops init` on real files: its task runs to the feature tables."""

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner
from ruamel.yaml import YAML

from benchmarks.subscribers import subscribers_csv
from lab.core.errors import LabError, ParamsError, SourceError
from lab.core.result_files import read_json
from lab.core.tables import read_table
from lab.core.yaml_files import read_yaml
from lab.task.schema import Task, read_task
from ops.init.command import init
from ops.init.task_file import inline
from stages import featurize, ingest, prepare, task
from tests.cures import cure_in
from tests.project import OWN, ROOT

ROWS = 400


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds what a task needs of the repository."""
    shutil.copy(OWN / "params.yaml", tmp_path)
    (tmp_path / "tasks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def describe(name: str, content: bytes, *options: str) -> str:
    """Write a file, let init describe it, and return what it tells."""
    Path("incoming").mkdir(exist_ok=True)
    Path("incoming", name).write_bytes(content)
    done = CliRunner().invoke(init, [f"incoming/{name}", *options])
    if isinstance(done.exception, LabError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def table_of(task_name: str) -> Any:
    """Return the contract of the one table of a task."""
    ((table),) = read_task(task_name).tables.values()
    return table


def features_of(task_name: str) -> pa.Table:
    """Run the task from its source to its feature tables, and return all their rows."""
    settings = YAML()
    params = settings.load(Path("params.yaml").read_text())
    params["task"] = task_name
    settings.dump(params, Path("params.yaml"))
    for stage in (task, ingest, prepare, featurize):
        stage.main()
    parts = [read_table(Path(f"data/features/{part}.parquet")) for part in ("train", "test", "current")]
    return pa.concat_tables(parts)


def csv_of(columns: dict[str, list[Any]], *, delimiter: str = ",", end: str = "\n") -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def plain_columns(rows: int = ROWS) -> dict[str, list[Any]]:
    """Return a small table: an identifier, two features, a label in the middle, a group."""
    return {
        "id": [f"A{i}" for i in range(rows)],
        "age": [20 + i * 7 % 50 for i in range(rows)],
        "Churn": [("Yes", "No", "No")[i // 7 % 3] for i in range(rows)],
        "charge": [f"{i * 13 % 97}.5" for i in range(rows)],
        "gender": [("female", "male")[i // 3 % 2] for i in range(rows)],
    }


def with_column(name: str, values: list[Any]) -> dict[str, list[Any]]:
    return {**plain_columns(), name: [values[i % len(values)] for i in range(ROWS)]}


def replaced(column: str, value: Any, *, every: int) -> dict[str, list[Any]]:
    columns = plain_columns()
    columns[column] = [value if i % every == 0 else kept for i, kept in enumerate(columns[column])]
    return columns


def labelled(*labels: Any) -> dict[str, list[Any]]:
    return {**plain_columns(), "Churn": [labels[i // 7 % len(labels)] for i in range(ROWS)]}


PLAIN = csv_of(plain_columns())
POSITIVES = plain_columns()["Churn"].count("Yes")


def test_a_target_of_numbers_is_divided_by_a_bound() -> None:
    columns = {**plain_columns(), "price": [f"{i * 13 % 97},5" for i in range(ROWS)]}
    shown = describe("houses.csv", csv_of(columns, delimiter=";"), "--target", "price", "--above", "60")
    expected = sum(float(value.replace(",", ".")) > 60 for value in columns["price"])
    assert f"Positive: price above 60 ({expected} of {ROWS} rows" in shown
    assert "--above 60" in Path("tasks/houses/task.yaml").read_text()
    assert table_of("houses").columns["price"].type == "number"
    rows = features_of("houses")
    assert sum(rows["label"].to_pylist()) == expected
    assert "price" not in rows.column_names


@pytest.mark.parametrize(
    ("content", "features"),
    [
        pytest.param(PLAIN, "age charge gender", id="plain"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, "age charge gender", id="byte-order mark"),
        pytest.param(csv_of(plain_columns(), delimiter=";"), "age charge gender", id="semicolons"),
        pytest.param(csv_of(plain_columns(), delimiter="\t"), "age charge gender", id="tabs"),
        pytest.param(csv_of(plain_columns(), delimiter="|"), "age charge gender", id="bars"),
        pytest.param(csv_of(plain_columns(), end="\r"), "age charge gender", id="CR line ends"),
        pytest.param(csv_of(plain_columns(), end="\r\n"), "age charge gender", id="CRLF line ends"),
        pytest.param(PLAIN.replace(b",", b", "), "age charge gender", id="leading spaces"),
        pytest.param(csv_of(replaced("charge", " ", every=11)), "age charge gender", id="blanks in numbers"),
        pytest.param(csv_of(replaced("charge", "?", every=11)), "age charge gender", id="question marks"),
        pytest.param(csv_of(replaced("age", "NA", every=11)), "age charge gender", id="NA"),
        pytest.param(csv_of(replaced("gender", "", every=11)), "age charge gender", id="empty cells"),
        pytest.param(csv_of(replaced("charge", "n/k", every=50)), "age charge gender", id="words in numbers"),
        pytest.param(csv_of(labelled("1", "0", "0")), "age charge gender", id="0/1 labels"),
        pytest.param(csv_of(labelled("yes", "no", "no")), "age charge gender", id="yes/no labels"),
        pytest.param(csv_of(labelled(">50K", "<=50K", "<=50K")), "age charge gender", id="50K labels"),
        pytest.param(csv_of(labelled("True", "False", "False")), "age charge gender", id="True/False labels"),
        pytest.param(csv_of(labelled(1.0, 0.0, 0.0)), "age charge gender", id="1.0/0.0 labels"),
        pytest.param(csv_of(with_column("country", ["NL"])), "age charge gender", id="a constant"),
        pytest.param(csv_of(with_column("empty", [""])), "age charge gender", id="an empty column"),
        pytest.param(
            csv_of(with_column("street", [f"street {i}" for i in range(150)])),
            "age charge gender street",
            id="many levels",
        ),
        pytest.param(
            csv_of(with_column("seen", ["31.12.2023", "01.02.2024", "15.03.2024"])),
            "age charge gender seen",
            id="dates with points",
        ),
        pytest.param(
            csv_of(with_column("rate", ["1,5", "22,75", "3"]), delimiter=";"),
            "age charge gender rate",
            id="decimal commas",
        ),
        pytest.param(
            csv_of(with_column("Größe", ["groß", "klein", "mittel"])).decode().encode("cp1252"),
            "Größe age charge gender",
            id="cp1252",
        ),
        pytest.param(
            csv_of(with_column("mood", ["fine\nand well", 'so "so"', "a,b"])),
            "age charge gender mood",
            id="line ends, quotes and commas in cells",
        ),
    ],
)
def test_an_ugly_file_becomes_feature_tables_unaided(content: bytes, features: str) -> None:
    describe("mine.csv", content, "--target", "Churn")
    rows = features_of("mine")
    assert sorted(read_json(Path("data/features/schema.json"))["features"]) == features.split()
    assert (rows.num_rows, sum(rows["label"].to_pylist())) == (ROWS, POSITIVES)


ODD_NAMES = [
    *(
        "with space",
        "with.dot",
        "O'Neill",
        'the "best"',
        "größe",
        "select",
        "2nd visit",
        "a,b",
        "yes",
        "null",
        "1",
        "%",
    ),
    *(
        "#",
        "a: b",
        "- x",
        "[x]",
        "{x}",
        "tab\there",
        "two\nlines",
        "🙂",
        "x" * 200,
        "a\u2028b",
        "a__b",
        "\\",
        "$1",
        "=1",
    ),
]
TAKEN_NAMES = [
    "label",
    "moment",
    "split",
    "row",
    "file_row_number",
    "challenger_score",
    "AGE",
]


def test_columns_may_be_called_anything() -> None:
    describe(
        "mine.csv",
        csv_of(plain_columns() | {name: letters(i) for i, name in enumerate(ODD_NAMES)}),
        "--target",
        "Churn",
    )
    rows = features_of("mine")
    assert set(read_json(Path("data/features/schema.json"))["features"]) == {"age", "charge", "gender", *ODD_NAMES}
    assert [set(rows[name].to_pylist()) for name in ODD_NAMES] == [{f"p{i}", "q", "r"} for i in range(len(ODD_NAMES))]


def test_columns_whose_names_are_taken_get_others() -> None:
    columns = plain_columns() | {name: letters(i) for i, name in enumerate([*TAKEN_NAMES, "Label"])}
    printed = describe("mine.csv", csv_of(columns), "--target", "Churn")
    features_of("mine")
    renamed = {*(f"{name}_column" for name in TAKEN_NAMES), "Label_column_"}
    assert set(read_json(Path("data/features/schema.json"))["features"]) == {"age", "charge", "gender", *renamed}
    assert "Renamed: label to label_column, moment to moment_column" in printed


def letters(number: int) -> list[str]:
    return [(f"p{number}", "q", f"p{number}", "r", "q")[i % 5] for i in range(ROWS)]


@pytest.mark.parametrize("target", ["label", "Label", "row", "split", "größe (cm)", "yes"])
def test_the_target_may_be_called_anything(target: str) -> None:
    columns = {(target if name == "Churn" else name): values for name, values in plain_columns().items()}
    describe("mine.csv", csv_of(columns), "--target", target)
    assert sum(features_of("mine")["label"].to_pylist()) == POSITIVES


def test_a_parquet_file_of_typed_columns_becomes_feature_tables() -> None:
    columns = plain_columns() | {"senior": [i % 5 == 0 for i in range(ROWS)]}
    Path("mine.parquet").parent.mkdir(exist_ok=True)
    table = pa.table(
        {**columns, "charge": pa.array([i * 0.5 for i in range(ROWS)]), "Churn": [i // 7 % 3 == 0 for i in range(ROWS)]}
    )
    table = table.set_column(4, "gender", table["gender"].dictionary_encode())
    pq.write_table(table, "mine.parquet")
    done = CliRunner().invoke(init, ["mine.parquet", "--target", "Churn"])
    assert done.exit_code == 0, done.output
    assert "delimiter" not in Path("tasks/mine/task.yaml").read_text()
    assert sum(features_of("mine")["label"].to_pylist()) == POSITIVES


def test_duplicate_rows_are_legitimate_where_nothing_names_a_row() -> None:
    columns = {name: values[:50] * 8 for name, values in plain_columns().items() if name != "id"}
    describe("mine.csv", csv_of(columns), "--target", "Churn")
    rows = features_of("mine")
    assert (rows.num_rows, rows.column_names[0]) == (ROWS, "row")


def test_rows_without_a_label_are_left_out_and_told() -> None:
    printed = describe("mine.csv", csv_of(replaced("Churn", "", every=10)), "--target", "Churn")
    assert "Note: 40 rows have no Churn: they are not used." in printed
    assert features_of("mine").num_rows == ROWS - 40


def test_rows_of_one_unit_never_meet_across_a_split() -> None:
    columns = plain_columns() | {"id": [f"P{i % 80}" for i in range(ROWS)]}
    describe("mine.csv", csv_of(columns), "--target", "Churn", "--unit", "id")
    features_of("mine")
    units = [set(read_table(Path(f"data/features/{part}.parquet"))["id"].to_pylist()) for part in ("train", "test")]
    assert min(map(len, units)) > 10
    assert not units[0] & units[1]
    schema = read_json(Path("data/features/schema.json"))
    assert (schema["folds"]["kind"], schema["folds"]["group"], schema["unit"]) == ("group", "id", ["id", "row"])
    assert "id" not in schema["features"]


@pytest.mark.parametrize("form", ["2024-{:02}-{:02} 10:30", "{1:02}.{0:02}.2024", "{:02}/{:02}/2024 9:05 AM"])
def test_with_a_time_the_future_is_told_from_the_past(form: str) -> None:
    days = [form.format(1 + i % 12, 1 + i * 5 % 28) for i in range(ROWS)]
    describe("mine.csv", csv_of(plain_columns() | {"seen at": days}), "--target", "Churn", "--time", "seen at")
    features_of("mine")
    parts = [
        read_table(Path(f"data/features/{part}.parquet"))["moment"].to_pylist() for part in ("train", "test", "current")
    ]
    assert [max(parts[0]) < min(parts[1]), max(parts[1]) < min(parts[2])] == [True, True]
    assert min(map(len, parts)) > ROWS / 8


def test_one_class_may_stand_against_all_the_others() -> None:
    describe("mine.csv", csv_of(labelled("a", "b", "c", "b")), "--target", "Churn", "--positive", "b")
    share = sum(features_of("mine")["label"].to_pylist()) / ROWS
    assert share == pytest.approx(0.5, abs=0.02)


NO_HEADER = "ops/init/header.py: --header none, or --header NAME,NAME for all of them; --head"
HEADLESS = PLAIN.partition(b"\n")[2]


@pytest.mark.parametrize(
    ("header", "target", "features"),
    [("none", "column_3", "column_2 column_4 column_5"), ("id, age,Churn,charge,gender", "Churn", "age charge gender")],
)
def test_a_file_without_a_header_gets_names(header: str, target: str, features: str) -> None:
    describe("mine.csv", HEADLESS, "--target", target, "--header", header)
    assert features_of("mine").num_rows == ROWS
    assert set(features.split()) <= set(features_of("mine").column_names)


def test_a_first_line_of_data_is_noticed() -> None:
    with pytest.raises(SourceError, match=r"mine.csv looks like data: \['A0', '20', 'Yes'") as refused:
        describe("mine.csv", HEADLESS, "--target", "Yes")
    assert not Path("tasks/mine").exists()
    assert "--header none" in cure_in(str(refused.value), of=NO_HEADER)
    describe("mine.csv", HEADLESS, "--target", "column_3", "--header", "none")
    years = csv_of({"2018": list(range(9)), "2019": list(range(9)), "y": ["a", "b", "a"] * 3})
    with pytest.raises(SourceError, match="looks like data"):
        describe("years.csv", years, "--target", "y")
    describe("years.csv", years, "--target", "y", "--header", "first")
    with pytest.raises(SourceError, match=r"--header has 2 names, incoming/more\.csv has 3 columns"):
        describe("more.csv", years, "--target", "y", "--header", "a,b")


def test_a_table_without_anything_to_learn_from_is_refused() -> None:
    with pytest.raises(SourceError, match=r"no column to learn from, expected at least one. x: it is always 1"):
        describe("mine.csv", csv_of({"x": [1] * 30, "y": ["a", "b", "a"] * 10}), "--target", "y", "--header", "first")
    assert not Path("tasks/mine").exists()


def test_the_question_and_words_are_in_the_task() -> None:
    describe("mine.csv", PLAIN, "--target", "Churn", "--question", "Who leaves next?")
    task = read_task("mine")
    assert task.features.question == "Who leaves next?"
    assert task.words["charge"].says == ("charge: {charge:,.2f}",)
    assert set(task.words) == {"age", "charge", "gender"}
    assert "--question 'Who leaves next?'" in Path("tasks/mine/task.yaml").read_text()


def test_the_file_is_kept_to_the_byte() -> None:
    content = b"\xef\xbb\xbf" + csv_of(plain_columns(), end="\r\n")
    describe("Mine (1).csv", content, "--target", "Churn")
    assert Path("data/source/mine_1/Mine (1).csv").read_bytes() == content


def test_what_was_decided_is_told_with_the_next_commands() -> None:
    printed = describe(
        "mine.csv", csv_of(with_column("left_on", ["2024-01-05", ""])), "--target", "Churn", "--name", "my_churn"
    )
    assert f"mine.csv: {ROWS} rows, 6 columns, utf-8, separated by commas." in printed
    assert "Missing: blank (200 cells)." in printed
    assert "Positive: Churn = Yes (134 of 400 rows, 33.5 %), because its word means yes." in printed
    assert "dvc exp run -S task=my_churn" in printed
    assert "dvc add data/source/my_churn" in printed
    assert "Note: left_on could order the rows" in printed


def test_every_section_stands_in_the_task_file() -> None:
    describe("mine.csv", PLAIN, "--target", "Churn")
    assert set(read_yaml(Path("tasks/mine/task.yaml"), cure="")) == set(Task.model_fields)


def test_a_renamed_column_is_told() -> None:
    printed = describe("mine.csv", csv_of(with_column("split", ["a", "b"])), "--target", "Churn")
    assert "Renamed: split to split_column." in printed


def test_a_large_file_is_described_in_seconds() -> None:
    columns = plain_columns(41_000) | {f"x{i}": [str(j * i % 1009) for j in range(41_000)] for i in range(15)}
    describe("mine.csv", csv_of(columns), "--target", "Churn")
    assert table_of("mine").minimum_rows == 20_500


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", ["--target", "a"], "is empty, expected a header and rows"),
        (b"a,b\n", ["--target", "a"], "found 0 rows"),
        (b"a,\n1,2\n", ["--target", "a"], "columns without a name"),
        (b"PK\x03\x04\0\0\0", ["--target", "a"], "is not text, expected CSV or Parquet.*save a spreadsheet as CSV"),
        (PLAIN, ["--target", "churn"], r"found no column 'churn', .*Did you mean 'Churn'"),
        (PLAIN, ["--target", "Churn", "--time", "age"], r"the column 'age' holds '\d+', expected dates"),
        (PLAIN, ["--target", "Churn", "--unit", "nobody"], "found no column 'nobody'"),
        (PLAIN, ["--target", "age"], "the target 'age' has 50 different numbers, 20 to 69; expected two"),
        (csv_of(labelled("Yes")), ["--target", "Churn"], "has one class, 'Yes'"),
        (PLAIN, ["--target", "Churn", "--name", "My Task"], "found --name 'My Task', expected lower-case letters"),
        (PLAIN + b"A,1\n", ["--target", "Churn"], "line 402 has 2"),
    ],
)
def test_what_cannot_be_described_is_refused_and_nothing_is_written(
    content: bytes, options: list[str], message: str
) -> None:
    with pytest.raises(LabError, match=message):
        describe("mine.csv", content, *options)
    assert list(Path("tasks").iterdir()) == []
    assert not Path("data/source").exists()


@pytest.mark.parametrize(("path", "message"), [("nowhere.csv", "is missing"), ("tasks", "is a folder")])
def test_a_file_that_is_not_there_is_refused(path: str, message: str) -> None:
    done = CliRunner().invoke(init, [path, "--target", "a"])
    assert isinstance(done.exception, SourceError)
    assert message in str(done.exception)


def test_a_task_is_written_over_only_by_force() -> None:
    describe("mine.csv", PLAIN, "--target", "Churn")
    with pytest.raises(ParamsError, match=r"tasks/mine/task\.yaml exists already\. Cure: --name ANOTHER, or --force"):
        describe("mine.csv", PLAIN, "--target", "gender")
    describe("mine.csv", PLAIN, "--target", "gender", "--force")
    assert read_task("mine").features.label == "gender"


def test_another_source_of_that_name_is_not_written_over() -> None:
    describe("mine.csv", PLAIN, "--target", "Churn")
    Path("tasks/mine/task.yaml").unlink()
    with pytest.raises(SourceError, match=r"data/source/mine/mine\.csv exists already with other content"):
        describe("mine.csv", csv_of(labelled("a", "b")), "--target", "Churn")


def test_a_source_that_lies_in_its_place_already_stays_there() -> None:
    Path("data/source/mine").mkdir(parents=True)
    Path("data/source/mine/mine.csv").write_bytes(PLAIN)
    done = CliRunner().invoke(init, ["data/source/mine/mine.csv", "--target", "Churn"])
    assert done.exit_code == 0, done.output
    assert [path.name for path in Path("data/source/mine").iterdir()] == ["mine.csv"]


def test_outside_the_repository_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ParamsError, match="expected the root of the repository"):
        describe("mine.csv", PLAIN, "--target", "Churn")


def test_the_sample_is_what_its_function_draws() -> None:
    assert (OWN / "data/source/table/subscribers.csv").read_bytes() == subscribers_csv()


def test_the_sample_task_is_what_init_writes_and_words_of_its_own() -> None:
    describe("subscribers.csv", subscribers_csv(), "--target", "churned", "--name", "table")
    written, kept = (
        path.read_text().partition("\nwords:")
        for path in (Path("tasks/table/task.yaml"), OWN / "tasks/table/task.yaml")
    )
    assert written[0] == kept[0]
    assert written[2].partition("\nexperiment:")[2] == kept[2].partition("\nexperiment:")[2]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "yes",
            "No",
            "on",
            "null",
            "~",
            "1",
            "1e3",
            "0x1f",
            "1_000",
            "2024-01-01",
            "",
            " x ",
            "a b",
            "é",
            "a: b",
            "#x",
        ),
        *(
            "'",
            '"',
            "\\",
            "\n",
            "\t",
            "\x85",
            "\u2028",
            "\ufeff",
            "🙂",
            "- x",
            "? x",
            "=",
            "<<",
            "12:30",
            "@x",
            "%x",
            "&x",
        ),
    ],
)
def test_text_is_the_same_text_to_every_reader_of_yaml(value: str) -> None:
    line = f"{{{inline(value)}: [{inline(value)}]}}"
    assert YAML(typ="safe", pure=True).load(line) == yaml.safe_load(line) == {value: [value]}


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    for name in ("lab", "ops"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "tasks").mkdir()
    shutil.copy(OWN / "params.yaml", folder)
    return folder


def ops(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ops", *words], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_mistake_is_one_message_and_exit_2(command_line: Path) -> None:
    done = ops("init", "nowhere.csv", "--target", "x", cwd=command_line)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nowhere.csv is missing, expected a CSV or Parquet file")
    assert done.stderr.count("\n") == 1


def test_help_lists_every_verb_and_teaches_by_example(command_line: Path) -> None:
    listed = ops("--help", cwd=command_line)
    assert listed.returncode == 0
    assert {"init", "deps"} <= set(listed.stdout.split())
    assert "python -m ops init telco.csv --target Churn\n" in ops("init", "--help", cwd=command_line).stdout


def test_an_unknown_verb_is_a_mistake(command_line: Path) -> None:
    done = ops("unmake", cwd=command_line)
    assert done.returncode == 2
    assert "No such command 'unmake'" in done.stderr

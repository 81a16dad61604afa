"""Input is refused with its cure, and accepted once the cure is applied."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.abtest.moments import log_moments
from lab.core.schema import Feature
from lab.dataset.source import FilesSource, SqlSource
from lab.drift.files import read_batch
from lab.drift.json_lines import blocks_of
from lab.drift.log_batch import read_served
from lab.drift.log_selection import Choice
from lab.drift.moments import moments_in
from lab.experiment.log import columns_of, read_log
from lab.ingest.files import read_files
from lab.ingest.sql import read_sql
from lab.models.frames import frame_of
from lab.reference.reference import Reference
from tests.cures import hold_to_cure
from tests.lab.abtest.logs import design_of, drawn, written
from tests.lab.drift.logs import MODEL, answers, write_log
from tests.lab.drift.logs import rows as logged_rows
from tests.lab.drift.world import changed, fitted

Read = Callable[[Path], object]


DATES = {"time": "day", "looks": {"dates": ["2025-02-01", "2025-04-01"]}}
DAYS = [f"2025-01-{1 + n % 28:02d}T00:00:00" for n in range(40)]
ZONED = [*(f"{day}+00:00" for day in DAYS[:20]), *DAYS[20:]]


def log(name: str = "log.parquet", *, design: Mapping[str, Any] | None = None, **columns: Any) -> Read:
    """Return a call that writes a log with other columns, and reads it with a design."""

    def read(folder: Path) -> object:
        frame = drawn(40).assign(day=DAYS)
        for column, values in columns.items():
            frame[column] = values if not callable(values) else values(frame[column])
        return list(read_log(written(folder, frame, name=name), design_of(**(design or {}))))

    return read


def text(content: bytes, name: str = "log.csv") -> Read:
    def read(folder: Path) -> object:
        (folder / name).write_bytes(content)
        columns_of(folder / name)
        return list(read_log(folder / name, design_of()))

    return read


def with_gap(values: Any) -> Any:
    return values.astype(object).where(values.index > 0, None)


GOOD = b"customer_id,arm,stayed\n1,old,1\n2,new,0\n"
EXPERIMENT_LOGS = {
    "lab/experiment/log.py: add them, or correct the names in the design (outcomes, cova": (
        log(design={"outcomes": {"stays": {"kind": "share"}}, "primary": "stays"}),
        log(),
    ),
    "lab/experiment/log.py: correct the rows, or the kind in the design.": (
        log(design={"outcomes": {"spent": {"kind": "share"}}, "primary": "spent"}),
        log(design={"outcomes": {"spent": {"kind": "mean"}}, "primary": "spent"}),
    ),
    "lab/experiment/log.py: drop these rows, and find out why it is missing.": (log(customer_id=with_gap), log()),
    "lab/experiment/log.py: export the log again.": (text(b"customer_id,arm,stayed\n"), text(GOOD)),
    "lab/experiment/log.py: find out where they come from, and correct them.": (
        log(stayed=[1.0, float("inf")] * 20),
        log(),
    ),
    "lab/experiment/log.py: give each arm its weight in the design, or drop its rows.": (
        log(arm=["old", "new", "third", "old"] * 10),
        log(arm=["old", "new", "third", "old"] * 10, design={"weights": {"old": 1.0, "new": 1.0, "third": 1.0}}),
    ),
    "lab/experiment/log.py: write 0 where nothing happened; dropping such units would bi": (
        log(stayed=with_gap),
        log(stayed=lambda values: with_gap(values).fillna(0).astype(int)),
    ),
    "lab/experiment/log.py: write 2025-11-02.": (log(day=range(40), design=DATES), log(design=DATES)),
    "lab/experiment/log.py: write comma-separated UTF-8 with a header": (
        text(GOOD.replace(b"old", b"\xe9lan")),
        text(GOOD),
    ),
    "lab/experiment/log.py: write each with its zone, as 2025-11-02T00:00:00+00:00.": (
        log(day=ZONED, design=DATES),
        log(day=[f"{day[:19]}+00:00" for day in ZONED], design=DATES),
    ),
    "lab/experiment/log.py: write it again": (text(b"PAR1, but broken", "log.parquet"), log()),
    "lab/experiment/log.py: write it as numbers.": (log(stayed=["yes", "no"] * 20), log(stayed=["1", "0"] * 20)),
    "lab/experiment/log.py: write plain columns.": (log(stayed=[[1]] * 40), log()),
    "lab/experiment/log.py: write timestamps as 2025-11-02T00:00:00.": (
        log(day=["1 March"] * 40, design=DATES),
        log(day=DAYS, design=DATES),
    ),
}


@pytest.mark.parametrize("cure", EXPERIMENT_LOGS)
def test_the_log_of_an_experiment(cure: str, tmp_path: Path) -> None:
    wrong, cured = EXPERIMENT_LOGS[cure]
    hold_to_cure(cure, lambda: wrong(tmp_path), lambda: cured(tmp_path))


def source(content: bytes | pa.Table, name: str = "rows.csv", **settings: Any) -> Read:
    """Return a call that writes a file of a task, and reads it."""

    def read(folder: Path) -> object:
        if isinstance(content, pa.Table):
            pq.write_table(content, folder / name)
        else:
            (folder / name).write_bytes(content)
        return read_source({"path": name, **settings})(folder)

    return read


def read_source(table: Mapping[str, Any]) -> Read:
    def read(folder: Path) -> object:
        tables = FilesSource.model_validate({"kind": "files", "tables": {"rows": table}})
        return [list(batches) for _, _, batches in read_files(tables, folder=folder)]

    return read


ROWS = b"a,b\n1,x\n2,y\n"
LATIN = "a,b\n1,Köln\n".encode("cp1252")


def nested_below(folder: Path) -> object:
    (folder / "below").mkdir(exist_ok=True)
    (folder / "below/rows.csv").write_bytes(ROWS)
    return read_source({"path": "below"})(folder)


SOURCE_FILES = {
    "lab/ingest/files.py: close it, or write a quote inside a value twice.": (
        source(b'a,b\n1,"x\n2,y\n'),
        source(b'a,b\n1,"x"\n'),
    ),
    "lab/ingest/files.py: correct source in the task file.": (
        source(ROWS, encoding="utf-88"),
        source(ROWS, encoding="utf-8"),
    ),
    "lab/ingest/files.py: export the file again.": (source(b""), source(ROWS)),
    "lab/ingest/files.py: move the file there.": (read_source({"path": "../rows.csv"}), source(ROWS)),
    "lab/ingest/files.py: name its encoding in the task file: source; files from sprea": (
        source(LATIN),
        source(LATIN, encoding="cp1252"),
    ),
    "lab/ingest/files.py: name the file itself in the task file: source.": (
        nested_below,
        read_source({"path": "below/rows.csv"}),
    ),
    "lab/ingest/files.py: put fields that hold the delimiter or a quote into quotes, o": (
        source(b"a,b\n1,x,y\n"),
        source(b'a,b\n1,"x,y"\n'),
    ),
    "lab/ingest/files.py: put the file there, fetch it with `dvc pull`, or correct its": (
        read_source({"path": "absent.csv"}),
        source(ROWS),
    ),
    "lab/ingest/files.py: write it again, or name a CSV file.": (source(b"no Parquet", "rows.parquet"), source(ROWS)),
    "lab/ingest/columns.py: add rows, or correct the source.": (
        source(pa.table({"a": pa.array([], pa.int64())}), "rows.parquet"),
        source(pa.table({"a": [1]}), "rows.parquet"),
    ),
    "lab/ingest/columns.py: make their parts columns.": (
        source(pa.table({"a": [{"b": 1}]}), "rows.parquet"),
        source(pa.table({"b": [1]}), "rows.parquet"),
    ),
    "lab/ingest/columns.py: name them in the header (or in the query, with `as`), or rem": (
        source(b"a,\n1,x\n"),
        source(ROWS),
    ),
    "lab/ingest/columns.py: rename them in the source, or with `as` in the query.": (
        source(b"a,A\n1,x\n"),
        source(ROWS),
    ),
}


@pytest.mark.parametrize("cure", SOURCE_FILES)
def test_a_file_of_a_task(cure: str, tmp_path: Path) -> None:
    wrong, cured = SOURCE_FILES[cure]
    hold_to_cure(cure, lambda: wrong(tmp_path), lambda: cured(tmp_path))


VARIABLE = "LAB_TEST_DATABASE"


def database(query: str, *, url: str | None = "duckdb:///{}/rows.duckdb", minutes: float = 1) -> Read:
    """Return a call that reads a query of a database of one table."""

    def read(folder: Path) -> object:
        path = folder / "rows.duckdb"
        with duckdb.connect(path) as made:
            made.execute("create or replace table rows as select range as id, 'x' as word from range(3)")
        (folder / "rows.sql").write_text(query)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv(VARIABLE, raising=False)
            if url is not None:
                patch.setenv(VARIABLE, url.format(folder))
            tables = {
                "kind": "sql",
                "minutes": minutes,
                "url_variable": VARIABLE,
                "tables": {"rows": {"query": "rows.sql"}},
            }
            return [list(batches) for _, _, batches in read_sql(SqlSource.model_validate(tables), folder=folder)]

    return read


QUERY = "select * from rows order by id"
ENDLESS = "select count(*) as count from range(100000000000) one, range(100000) other order by count"
DATABASES = {
    "lab/ingest/sql.py: make it read fewer rows, or raise source.minutes in the task": (
        database(ENDLESS, minutes=0.001),
        database(QUERY, minutes=1),
    ),
    "lab/ingest/sql.py: correct the URL in {}.": (database(QUERY, url="duckdb:///{}/absent.duckdb"), database(QUERY)),
    "lab/ingest/sql.py: correct the URL or the query file.": (
        database("select ids from rows order by ids"),
        database(QUERY),
    ),
    "lab/ingest/sql.py: export {}=… in the shell, never in a file that git sees.": (
        database(QUERY, url=None),
        database(QUERY),
    ),
    "lab/ingest/sql.py: order by a unique key.": (database("select * from rows"), database(QUERY)),
    "lab/ingest/sql.py: correct it, or install its driver.": (database(QUERY, url="nothing+at+all"), database(QUERY)),
}


@pytest.mark.parametrize("cure", DATABASES)
def test_a_database_of_a_task(cure: str, tmp_path: Path) -> None:
    wrong, cured = DATABASES[cure]
    hold_to_cure(cure, lambda: wrong(tmp_path), lambda: cured(tmp_path))


def test_rows_for_a_model_have_the_columns_that_it_was_trained_on() -> None:
    features = {name: Feature.model_validate({"kind": "number"}) for name in ("age", "height")}
    whole = pa.table({"age": [1.0], "height": [2.0]})
    hold_to_cure(
        "lab/models/frames.py: use the columns that the model was trained on.",
        lambda: frame_of(whole.select(["age"]), features),
        lambda: frame_of(whole, features),
    )


def test_a_segment_of_an_experiment_has_few_levels(tmp_path: Path) -> None:
    def counted(levels: int, *segments: str) -> object:
        frame = drawn(400).assign(word=[f"level {number % levels}" for number in range(400)])
        design = design_of(segments=list(segments))
        return log_moments(read_log(written(tmp_path, frame), design), design)

    key = "lab/abtest/moments.py: merge levels, or remove it from stratum and segments."
    hold_to_cure(key, lambda: counted(300, "word"), lambda: counted(3, "word"))
    hold_to_cure(key, lambda: counted(300, "word"), lambda: counted(300))


BATCH = logged_rows(40)
MOMENTS = [moment.isoformat() for moment in BATCH["moment"].to_pylist()]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fitted(logged_rows(300, seed=1), moment=True)


def table(name: str = "rows.parquet", *, rows: pa.Table = BATCH, **columns: Any) -> Callable[[Path, Reference], object]:
    """Return a call that writes a batch with other columns, and reads it."""

    def read(folder: Path, reference: Reference) -> object:
        found = rows
        for column, values in columns.items():
            found = changed(found, column, values)
        pq.write_table(found, folder / name)
        return read_batch(folder / name, reference)

    return read


def lines(content: bytes, name: str) -> Callable[[Path, Reference], object]:
    def read(folder: Path, reference: Reference) -> object:
        (folder / name).write_bytes(content)
        return read_batch(folder / name, reference)

    return read


def absent(folder: Path, reference: Reference) -> object:
    return read_batch(folder / "absent.parquet", reference)


def served(*, where: str = ".", **choice: Any) -> Callable[[Path, Reference], object]:
    def read(folder: Path, reference: Reference) -> object:
        (folder / "empty").mkdir(exist_ok=True)
        write_log(folder / "log", answers(BATCH))
        return read_served(folder / where, reference, Choice(**choice))

    return read


def redacted(folder: Path, reference: Reference) -> object:
    lacking = [{**line, "features": {"age": 1.0}} for line in answers(BATCH)]
    return read_served(write_log(folder / "redacted", lacking), reference, Choice())


SCORES = BATCH["champion_score"].to_pylist()
ZONES = [*(f"{moment}+00:00" for moment in MOMENTS[:20]), *MOMENTS[20:]]
BATCHES: dict[str, tuple[Callable[[Path, Reference], object], Callable[[Path, Reference], object]]] = {
    "lab/drift/batch.py: 0, 1 or null.": (table(label=[2] * 40), table(label=[1, None] * 20)),
    "lab/drift/batch.py: give every row its score, or drop the column.": (
        table(champion_score=[1.5, *SCORES[1:]]),
        table(rows=BATCH.drop_columns(["champion_score"])),
    ),
    "lab/drift/batch.py: keep one row of each.": (table(rows=pa.concat_tables([BATCH, BATCH])), table()),
    "lab/drift/batch.py: provide the columns of data/features/schema.json with their": (
        table(rows=BATCH.drop_columns(["age"])),
        table(),
    ),
    "lab/drift/batch.py: write each with its zone, as 2025-11-02T00:00:00+00:00.": (
        table(moment=ZONES),
        table(moment=[f"{moment}+00:00" for moment in MOMENTS]),
    ),
    "lab/drift/batch.py: write moments as 2025-11-02T00:00:00.": (
        table(moment=["1 March"] * 40),
        table(moment=MOMENTS),
    ),
    "lab/drift/files.py: check the path.": (absent, table()),
    "lab/drift/files.py: commas, a header, UTF-8.": (lines(b"age\n\xe9\n", "rows.csv"), table()),
    "lab/drift/files.py: convert it.": (lines(b"", "rows.xlsx"), table()),
    "lab/drift/files.py: drop the line.": (lines(b"[1]\n", "rows.jsonl"), table()),
    "lab/drift/log_batch.py: give the folder of LAB_LOG.": (served(where="empty"), served(where="log")),
    "lab/drift/log_selection.py: select others.": (
        served(where="log", since=datetime(2030, 1, 1, tzinfo=UTC)),
        served(where="log", since=datetime(2020, 1, 1, tzinfo=UTC)),
    ),
    "lab/drift/log_selection.py: give one of them (GET /model shows it).": (
        served(where="log", fingerprint="ff"),
        served(where="log", fingerprint=MODEL[:8]),
    ),
    "lab/drift/log_selection.py: read the rows from another source, or select other answers (": (
        redacted,
        served(where="log"),
    ),
}


@pytest.mark.parametrize("cure", BATCHES)
def test_a_batch_for_drift(cure: str, reference: Reference, tmp_path: Path) -> None:
    wrong, cured = BATCHES[cure]
    hold_to_cure(cure, lambda: wrong(tmp_path, reference), lambda: cured(tmp_path, reference))


def test_a_moment_of_a_log() -> None:
    def parsed(word: str) -> object:
        return moments_in(pa.chunked_array([[word]]), name="moment", where="the log")

    key = "lab/drift/moments.py: write moments as 2025-11-02T00:00:00."
    hold_to_cure(key, lambda: parsed("1 March"), lambda: parsed("2025-11-02T00:00:00"))


def test_a_file_of_a_log_that_the_server_deletes(tmp_path: Path) -> None:
    path = tmp_path / "predictions-1-1.jsonl"

    def written_again() -> object:
        path.write_bytes(b"{}\n")
        return list(blocks_of(path))

    hold_to_cure("lab/drift/json_lines.py: run again.", lambda: list(blocks_of(path)), written_again)

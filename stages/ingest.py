"""Ingest the task's tables from files, a database, or the synthetic world."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import shutil
from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.errors import SourceError
from lab.core.params import load_value
from lab.core.result_files import write_result
from lab.core.stage_files import load_section
from lab.core.tables import tables_in
from lab.dataset.source import FilesSource, Source, SourceSection, SyntheticSource
from lab.ingest.raw_tables import describe_tables, write_tables

SOURCES = Path("data/source")
WORLD = Path("data/world")
RAW = Path("data/raw")
METRICS = Path("metrics/ingest.json")


def main() -> None:
    source, folder = load_section("source", SourceSection).source, SOURCES / load_value("task", str)
    with replaced_folder(RAW) as raw:
        ingest_tables(source, folder=folder, raw=raw)
        tables = describe_tables(raw)
    write_result({"source": source.kind, "tables": tables}, METRICS, compared=())


def ingest_tables(source: Source, *, folder: Path, raw: Path) -> None:
    """Write the tables of the source into the folder `raw`."""
    if isinstance(source, SyntheticSource):
        copy_tables(WORLD / "tables", raw)
    elif isinstance(source, FilesSource):
        from lab.ingest.files import read_files  # noqa: PLC0415 - the other sources do not need it

        write_tables(read_files(source, folder=folder), into=raw)
    else:
        from lab.ingest.sql import read_sql  # noqa: PLC0415 - the other sources do not need it

        write_tables(read_sql(source, folder=folder), into=raw)


def copy_tables(folder: Path, raw: Path) -> None:
    """Copy every Parquet file of a folder."""
    tables = tables_in(folder)
    if not tables:
        raise SourceError(
            f"{folder} holds no tables, expected those of a source of kind synthetic. "
            "Cure: dvc repro world; without that stage, give the task a source of kind files or sql."
        )
    for path in tables.values():
        shutil.copyfile(path, raw / path.name)


if __name__ == "__main__":
    run(main)

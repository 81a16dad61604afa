"""Bring the task's tables in from their source: the synthetic world, files, or a database."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from pydantic import Field

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import Params, load_params, load_seed, load_value
from lab.core.result_files import write_json
from lab.core.sections import load_section
from lab.dataset.source import FilesSource, Source, SourceSection, SyntheticSource
from lab.ingest.arrivals import describe_tables, write_arrivals

SOURCES = Path("data/source")
RAW = Path("data/raw")
TRUTH = Path("data/truth")
METRICS = Path("metrics/ingest.json")


class IngestParams(Params):
    """The size of the synthetic world, which other sources ignore; fewer customers would leave nothing to judge by."""

    customers: int = Field(ge=100)


def main() -> None:
    params = load_params("ingest", IngestParams)
    source, seed = load_section("source", SourceSection).source, load_seed()
    folder = SOURCES / load_value("task", str)
    with replaced_folder(RAW) as raw, replaced_folder(TRUTH) as truth:
        bring_in(source, folder=folder, customers=params.customers, seed=seed, raw=raw, truth=truth)
        tables = describe_tables(raw)
    write_json({"source": source.kind, "tables": tables}, METRICS)


def bring_in(source: Source, *, folder: Path, customers: int, seed: int, raw: Path, truth: Path) -> None:
    """Fill both folders from the source; each kind imports what it alone needs."""
    if isinstance(source, SyntheticSource):
        from lab.world.build import write_world  # noqa: PLC0415 - own data has no use for it

        write_world(customers, seed=seed, raw=raw, truth=truth)
        return
    if isinstance(source, FilesSource):
        from lab.ingest.files import read_files  # noqa: PLC0415 - the other sources have no use for it

        write_arrivals(read_files(source, folder=folder), into=raw)
    else:
        from lab.ingest.sql import read_sql  # noqa: PLC0415 - the other sources have no use for it

        write_arrivals(read_sql(source, folder=folder), into=raw)
    write_json({"known": False, "reason": f"the source is {source.kind}: nothing was injected"}, truth / "truth.json")


if __name__ == "__main__":
    run(main)

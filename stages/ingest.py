"""Bring the task's tables in from their source: the synthetic world, files, or a database."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from pydantic import Field

from lab.arrivals import describe_tables
from lab.command import run
from lab.errors import SourceError
from lab.outputs import replaced_folder
from lab.params import Params, load_params, load_seed, load_value
from lab.records import write_json
from lab.task.sections import load_section
from lab.task.source import Source, SourceSection, SyntheticSource
from lab.world.build import write_world

RAW = Path("data/raw")
TRUTH = Path("data/truth")
METRICS = Path("metrics/ingest.json")


class IngestParams(Params):
    """The size of the synthetic world, which other sources ignore; fewer customers leave nothing to learn from."""

    customers: int = Field(ge=100)


def main() -> None:
    params = load_params("ingest", IngestParams)
    source, seed = load_section("source", SourceSection).source, load_seed()
    load_value("task", str)
    with replaced_folder(RAW) as raw, replaced_folder(TRUTH) as truth:
        bring_in(source, customers=params.customers, seed=seed, raw=raw, truth=truth)
        tables = describe_tables(raw)
    write_json({"source": source.kind, "tables": tables}, METRICS)


def bring_in(source: Source, *, customers: int, seed: int, raw: Path, truth: Path) -> None:
    """Fill both folders from the source; so far only the synthetic world."""
    if not isinstance(source, SyntheticSource):
        raise SourceError(f"found source.kind: {source.kind}, expected synthetic; the other kinds are not built yet")
    write_world(customers, seed=seed, raw=raw, truth=truth)


if __name__ == "__main__":
    run(main)

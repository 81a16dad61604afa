"""Ingest the log of the task's traffic experiment, or record that there is none."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import shutil
from itertools import chain
from pathlib import Path

import pyarrow as pa

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.errors import SourceError
from lab.core.params import load_value
from lab.core.result_files import write_json
from lab.core.stage_files import load_section
from lab.core.tables import write_batches
from lab.experiment.design import Experiment, ExperimentSection
from lab.experiment.log import open_log

OUTPUT = Path("data/experiment")
SOURCES = Path("data/source")
TRAFFIC = Path("data/traffic")


def main() -> None:
    experiment = load_section("experiment", ExperimentSection).experiment
    folder = SOURCES / load_value("task", str)
    with replaced_folder(OUTPUT) as output:
        if experiment.simulation is not None:
            copy_log(TRAFFIC / "simulated/log.parquet", output / "log.parquet")
        elif experiment.log is not None:
            ingest_log(experiment, folder / experiment.log, output / "log.parquet")
        write_json({"experiment": experiment.model_dump(mode="json")}, output / "experiment.json")


def copy_log(source: Path, target: Path) -> None:
    """Copy the log of a simulated experiment."""
    if not source.is_file():
        raise SourceError(
            f"{source} is missing, expected the log of the experiment that the task simulates. "
            "Cure: dvc repro world_traffic; without that stage, name a file in the task: experiment.log"
        )
    shutil.copyfile(source, target)


def ingest_log(experiment: Experiment, source: Path, target: Path) -> None:
    """Write the columns of a log that the design names."""
    assert experiment.design is not None
    found = open_log(source, columns=experiment.design.columns)
    batches = (pa.Table.from_batches([batch]) for batch in found if batch.num_rows)
    first = next(batches, None)
    if first is None:
        raise SourceError(f"{source}: found 0 rows, expected at least one. Cure: export the log again.")
    write_batches(chain([first], batches), first.schema, target)


if __name__ == "__main__":
    run(main)

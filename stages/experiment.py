"""Bring the traffic experiment's log in: the synthetic world's own, or a file of the task's; or say that none runs."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from itertools import chain
from pathlib import Path

import pyarrow as pa

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.errors import SourceError
from lab.core.params import load_seed, load_value
from lab.core.predictions import read_predictions, read_thresholds
from lab.core.result_files import write_json
from lab.core.schema import load_schema
from lab.core.sections import load_section
from lab.core.tables import read_table, write_batches, write_table
from lab.dataset.windows import load_plan
from lab.experiment.log import open_log
from lab.task.experiment import Experiment, ExperimentSection

OUTPUT = Path("data/experiment")
SOURCES = Path("data/source")
PREPARED, TRUTH = Path("data/prepared"), Path("data/truth")


def main() -> None:
    experiment = load_section("experiment", ExperimentSection).experiment
    seed, folder = load_seed(), SOURCES / load_value("task", str)
    with replaced_folder(OUTPUT) as output:
        if experiment.simulation is not None:
            write_table(simulated(experiment, seed=seed), output / "log.parquet")
        elif experiment.log is not None:
            bring_in(experiment, folder / experiment.log, output / "log.parquet")
        write_json({"experiment": experiment.model_dump(mode="json")}, output / "experiment.json")


def simulated(experiment: Experiment, *, seed: int) -> pa.Table:
    """Return the log of the synthetic world's experiment."""
    from lab.world.traffic import World, run_experiment  # noqa: PLC0415 - own data has no use for it

    assert experiment.simulation is not None
    assert experiment.design is not None
    if not (TRUTH / "customers.parquet").exists():
        raise SourceError(
            f"{TRUTH} holds no customers, expected the synthetic world's: only there is an experiment simulated. "
            "Cure: name your own file in the task file: experiment.log"
        )
    world = World(
        predictions=read_predictions("current", keys=load_schema().keys),
        thresholds=read_thresholds(),
        customers=read_table(TRUTH / "customers.parquet"),
        sales=read_table(PREPARED / "sales.parquet"),
        horizon_days=load_plan().horizon_days,
    )
    return run_experiment(world, experiment.simulation, experiment.design, seed=seed)


def bring_in(experiment: Experiment, source: Path, target: Path) -> None:
    """Copy the columns of a log that the design names, whatever their types."""
    assert experiment.design is not None
    found = open_log(source, columns=experiment.design.columns)
    batches = (pa.Table.from_batches([batch]) for batch in found if batch.num_rows)
    first = next(batches, None)
    if first is None:
        raise SourceError(f"{source}: found 0 rows, expected at least one. Cure: bring the log again.")
    write_batches(chain([first], batches), first.schema, target)


if __name__ == "__main__":
    run(main)

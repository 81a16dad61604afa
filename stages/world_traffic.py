"""Simulate the task's traffic experiment in the synthetic world."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_seed
from lab.core.result_files import write_json
from lab.core.schema import load_schema
from lab.core.stage_files import load_section
from lab.core.tables import read_table, write_table
from lab.dataset.windows import load_plan
from lab.experiment.design import ExperimentSection
from lab.predictions.predictions import read_predictions, read_thresholds
from lab.world.traffic import World, run_experiment

OUTPUT = Path("data/traffic/simulated")
PREPARED, TRUTH = Path("data/prepared"), Path("data/truth")


def main() -> None:
    experiment, seed = load_section("experiment", ExperimentSection).experiment, load_seed()
    simulation, design = experiment.simulation, experiment.design
    with replaced_folder(OUTPUT) as output:
        write_json({"simulated": simulation is not None}, output / "simulation.json")
        if simulation is not None and design is not None:
            world = World(
                predictions=read_predictions("current", keys=load_schema().keys),
                thresholds=read_thresholds(),
                customers=read_table(TRUTH / "customers.parquet"),
                sales=read_table(PREPARED / "sales.parquet"),
                horizon_days=load_plan().horizon_days,
            )
            write_table(run_experiment(world, simulation, design, seed=seed), output / "log.parquet")


if __name__ == "__main__":
    run(main)

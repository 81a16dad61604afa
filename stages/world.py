"""Make the synthetic retail world: its tables and their ground truth."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.world.build import WorldParams, write_world

TABLES = Path("data/world/tables")
TRUTH = Path("data/truth")


def main() -> None:
    params, seed = load_params("world", WorldParams), load_seed()
    with replaced_folder(TABLES) as tables, replaced_folder(TRUTH) as truth:
        write_world(params.customers, seed=seed, raw=tables, truth=truth)


if __name__ == "__main__":
    run(main)

"""Fit the drift reference on the test window: distributions, control limits, anomaly forest."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.schema import FEATURES, load_schema
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.predictions.predictions import read_predictions, read_thresholds
from lab.reference.fit import fit_reference
from lab.reference.reference import save_reference
from lab.reference.rows import joined
from lab.reference.settings import OfReference

REFERENCE = Path("models/reference")

# Not the training rows: their scores are in-sample, and they are older.
WINDOW = "test"


def main() -> None:
    params, seed, schema = load_params("drift", OfReference), load_seed(), load_schema()
    keys = schema.keys
    reference = fit_reference(
        joined(read_table(FEATURES / f"{WINDOW}.parquet"), read_predictions(WINDOW, keys=keys), keys=keys),
        schema,
        read_thresholds(),
        window=WINDOW,
        settings=params.reference,
        stream_of=lambda name: generator_of(seed, f"reference/{name}"),
    )
    with replaced_folder(REFERENCE) as folder:
        save_reference(reference, folder)


if __name__ == "__main__":
    run(main)

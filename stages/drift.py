"""Measure drift since the reference, and decide whether to retrain."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

import pyarrow as pa

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_csv, write_json, write_result, write_text
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.drift.assess import Context, assess
from lab.drift.attribution import read_importance
from lab.drift.batch import checked_batch
from lab.drift.files import read_batch
from lab.drift.log_batch import is_served, read_served
from lab.drift.log_selection import Choice
from lab.drift.page import page_of
from lab.drift.policies import read_false_alarms
from lab.drift.set_aside import SetAside
from lab.predictions.predictions import read_predictions
from lab.reference.reference import Reference, load_reference
from lab.reference.rows import joined
from lab.reference.settings import NEWEST, DriftParams

REFERENCE = Path("models/reference")
PREDICTIONS = Path("data/predictions/current.parquet")
IMPORTANCE = Path("metrics/explain.json")
FALSE_ALARMS = Path("lab/drift/false_alarms.json")
METRICS = Path("metrics/drift.json")
PLOTS = Path("plots/drift")
REPORT = Path("data/pages/drift")


def main() -> None:
    params, reference, seed = load_params("drift", DriftParams), load_reference(REFERENCE), load_seed()
    rows, set_aside = rows_of(params.current, reference)
    found = assess(
        reference,
        rows,
        Context(
            params,
            read_importance(IMPORTANCE),
            read_false_alarms(FALSE_ALARMS),
            lambda name: generator_of(seed, f"drift/{name}"),
            set_aside,
        ),
    )
    with replaced_folder(PLOTS) as plots, replaced_folder(REPORT) as report:
        for name, points in found.points.items():
            write_csv(points, plots / f"{name}.csv")
        write_json(found.alerts, report / "alerts.json")
        write_text(page_of(found), report / "page.html")
    write_result(found.document, METRICS, compared=("columns.drifted", "data_faults"))


def rows_of(current: str, reference: Reference) -> tuple[pa.Table, SetAside]:
    """Return the newest window with labels and scores, or the file or log of the setting `current`.

    Lines of a log that cannot be read are set aside.
    """
    path = Path(current)
    if current == NEWEST:
        keys = reference.facts.inputs.keys
        rows = joined(read_table(path), read_predictions(PREDICTIONS.stem, keys=keys), keys=keys)
        return checked_batch(rows, reference, name="current", cure="Cure: dvc repro featurize"), SetAside()
    if not is_served(path):
        return read_batch(path, reference), SetAside()
    found = read_served(path, reference, Choice())
    return found.rows, found.set_aside


if __name__ == "__main__":
    run(main)

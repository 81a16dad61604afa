"""Judge the challenger by all gates; `python -m ops gate` returns it as exit code."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_csv, write_result
from lab.core.schema import FEATURES, load_schema
from lab.core.seeds import generator_of
from lab.core.stage_files import load_section
from lab.core.tables import read_table
from lab.evaluate.measurement import window_of
from lab.models.models import CHALLENGER, load_model
from lab.models.scoring import score_rows
from lab.predictions.predictions import read_predictions, read_thresholds
from lab.predictions.units import units_of
from lab.task.gates import GatesSection
from lab.validate.gates import gate_rows, verdict_of
from lab.validate.robustness import training_of
from lab.validate.validation import (
    Evidence,
    ValidateParams,
    check_same_rows,
    gates_of,
    groups_of,
    read_summary,
    with_task_gates,
)

EVALUATION = Path("metrics/evaluate.json")
METRICS = Path("metrics/validate.json")
PLOTS = Path("plots/validate")

JUDGED = "test"


def main() -> None:
    seed, schema = load_seed(), load_schema()
    params = with_task_gates(load_params("validate", ValidateParams), load_section("gates", GatesSection).gates)
    thresholds, model = read_thresholds(), load_model(CHALLENGER)
    rows, training = (read_table(FEATURES / f"{name}.parquet") for name in (JUDGED, "train"))
    predictions = read_predictions(JUDGED, keys=schema.keys)
    check_same_rows(rows, predictions, keys=schema.keys)
    evidence = Evidence(
        measured=read_summary(EVALUATION, model="challenger", window=JUDGED),
        window=window_of(predictions, thresholds=thresholds, groups=schema.groups, units=units_of(predictions, schema)),
        rows=rows,
        training=training_of(training, schema),
        trained_on=groups_of(training, schema.groups),
        decide=lambda given: score_rows(model, given) >= model.threshold,
    )
    gates = gates_of(evidence, params, stream_of=lambda name: generator_of(seed, f"validate/{name}"))
    with replaced_folder(PLOTS) as plots:
        write_csv(gate_rows(gates), plots / "gates.csv")
    sizes = {"rows": len(evidence.window.labels), "units": evidence.window.unit_count}
    write_result({"window": JUDGED, **sizes, **verdict_of(gates)}, METRICS, compared=("counts",))


if __name__ == "__main__":
    run(main)

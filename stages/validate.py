"""Hold the challenger against the gates; the verdict is data, and `python -m ops gate` makes an exit code of it."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.command import run
from lab.gates import gate_rows, verdict_of
from lab.measurement import window_of
from lab.models import CHALLENGER, load_model
from lab.outputs import replaced_folder
from lab.params import load_params, load_seed
from lab.predictions import read_predictions, read_thresholds
from lab.records import write_csv, write_json
from lab.robustness import training_of
from lab.schema import FEATURES, load_schema
from lab.scoring import score_rows
from lab.seeds import generator_of
from lab.tables import read_table
from lab.task.gates import GatesSection
from lab.task.sections import load_section
from lab.validation import Evidence, ValidateParams, check_same_rows, gates_of, groups_of, read_summary, with_own

EVALUATION = Path("metrics/evaluate.json")
METRICS = Path("metrics/validate.json")
PLOTS = Path("plots/validate")

JUDGED = "test"


def main() -> None:
    seed, schema = load_seed(), load_schema()
    params = with_own(load_params("validate", ValidateParams), load_section("gates", GatesSection).gates)
    thresholds, model = read_thresholds(), load_model(CHALLENGER)
    rows, training = (read_table(FEATURES / f"{name}.parquet") for name in (JUDGED, "train"))
    predictions = read_predictions(JUDGED, keys=schema.keys)
    check_same_rows(rows, predictions, keys=schema.keys)
    evidence = Evidence(
        measured=read_summary(EVALUATION, model="challenger", window=JUDGED),
        window=window_of(predictions, thresholds=thresholds, groups=schema.groups),
        rows=rows,
        training=training_of(training, schema),
        trained_on=groups_of(training, schema.groups),
        decide=lambda given: score_rows(model, given) >= model.threshold,
    )
    gates = gates_of(evidence, params, stream_of=lambda name: generator_of(seed, f"validate/{name}"))
    with replaced_folder(PLOTS) as plots:
        write_csv(gate_rows(gates), plots / "gates.csv")
    write_json({"window": JUDGED, **verdict_of(gates)}, METRICS)


if __name__ == "__main__":
    run(main)

"""Say which columns and scores have moved since the test window, by how much, and whether to retrain."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from pydantic import Field

from lab.command import run
from lab.drift import bin_rows, column_rows, drifted_share, judge, measure_columns, summary
from lab.outputs import replaced_folder
from lab.params import Params, load_params
from lab.predictions import keys_of, read_predictions, read_thresholds
from lab.records import write_csv, write_json
from lab.schema import FEATURES, load_schema
from lab.score_drift import describe_models, measure_models, suggest_retraining, with_log_odds
from lab.tables import read_table

METRICS = Path("metrics/drift.json")
PLOTS = Path("plots/drift")

# Not the training rows: their scores are in-sample, and they lie further back than they need to.
REFERENCE = "test"
WINDOWS = (REFERENCE, "current")


class Material(Params):
    """How large a change must be to matter, by measure."""

    kolmogorov_smirnov: float = Field(gt=0)
    wasserstein: float = Field(gt=0)
    population_stability: float = Field(gt=0)
    jensen_shannon: float = Field(gt=0)
    missing: float = Field(gt=0)
    tails: float = Field(gt=0)
    largest_change: float = Field(gt=0)
    unseen: float = Field(gt=0)


class Retrain(Params):
    """The rules that suggest a retraining."""

    drifted_share_above: float | None = Field(ge=0, lt=1)
    performance_worse: bool


class DriftParams(Params):
    """When a change is more than noise, when it matters, and when to act."""

    significance: float = Field(gt=0, lt=1)
    material: Material
    performance_margin: float = Field(ge=0, lt=1)
    retrain: Retrain


def main() -> None:
    params, schema = load_params("drift", DriftParams), load_schema()
    features = {window: read_table(FEATURES / f"{window}.parquet") for window in WINDOWS}
    predictions = [read_predictions(window, keys=keys_of(schema)) for window in WINDOWS]
    thresholds = read_thresholds()
    material = with_log_odds(params.material.model_dump())
    columns = judge(measure_columns(features, schema), significance=params.significance, material=material)
    scores = judge(measure_models(*predictions), significance=params.significance, material=material)
    models = describe_models(scores, *predictions, thresholds=thresholds, margin=params.performance_margin)
    document = {
        "reference": REFERENCE,
        "rows": {window: table.num_rows for window, table in features.items()},
        **summary(columns),
        "performance": {model: seen["performance"]["verdict"] for model, seen in models.items()},
        "models": [{"model": model, **seen} for model, seen in models.items()],
        "retrain": suggest_retraining(
            drifted_share=drifted_share(columns),
            share_limit=params.retrain.drifted_share_above,
            performance=models["champion"]["performance"] if params.retrain.performance_worse else None,
        ),
    }
    with replaced_folder(PLOTS) as plots:
        write_csv(column_rows(columns | scores, material), plots / "columns.csv")
        write_csv(bin_rows(columns | scores), plots / "bins.csv")
    write_json(document, METRICS)


if __name__ == "__main__":
    run(main)

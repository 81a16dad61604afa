"""Score every row with champion and challenger, and measure both: metrics, groups, value in money."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.recording import recorded
from lab.core.result_files import write_text
from lab.core.schema import FEATURES, load_schema
from lab.core.seeds import generator_of
from lab.core.stage_files import load_section
from lab.core.tables import read_table, write_table
from lab.evaluate.evaluation import WINDOWS, EvaluateParams, evaluate, models_json, predictions_of
from lab.evaluate.measurement import window_of
from lab.models.models import CHALLENGER, CHAMPION, load_model
from lab.models.scoring import score_rows
from lab.predictions.units import units_of
from lab.task.money import MoneySection

PREDICTIONS = Path("data/predictions")
METRICS = Path("metrics/evaluate.json")
PLOTS = Path("plots/evaluate")
COMPARED = tuple(
    f"{model}.test.{metric}"
    for model in ("challenger", "champion")
    for metric in ("roc_auc", "average_precision", "brier", "net_cents_per_row")
)


def main() -> None:
    params, seed, schema = load_params("evaluate", EvaluateParams), load_seed(), load_schema()
    money = load_section("money", MoneySection).money
    models = {"champion": load_model(CHAMPION), "challenger": load_model(CHALLENGER)}
    tables = {name: read_table(FEATURES / f"{name}.parquet") for name in WINDOWS}
    predictions = {
        name: predictions_of(
            rows,
            {model: score_rows(fitted, rows) for model, fitted in models.items()},
            kept=[*schema.keys, *schema.groups, *schema.unit_columns],
        )
        for name, rows in tables.items()
    }
    thresholds = {model: fitted.threshold for model, fitted in models.items()}
    found = evaluate(
        {
            name: window_of(rows, thresholds=thresholds, groups=schema.groups, units=units_of(rows, schema))
            for name, rows in predictions.items()
        },
        money=money,
        resamples=params.resamples,
        smallest=params.smallest_group,
        stream_of=lambda name: generator_of(seed, f"evaluate/{name}"),
    )
    with recorded(metrics=METRICS, plots=PLOTS, compared=COMPARED) as live, replaced_folder(PREDICTIONS) as folder:
        for name, rows in predictions.items():
            write_table(rows, folder / f"{name}.parquet")
        write_text(models_json({model: fitted.manifest for model, fitted in models.items()}), folder / "models.json")
        for name, plot in found.plots.items():
            live.log_plot(name, plot.rows, x=plot.x, y=plot.y)
        live.summary.update(found.metrics)


if __name__ == "__main__":
    run(main)

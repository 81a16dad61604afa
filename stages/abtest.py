"""Compare challenger and champion: on the same rows, and in a traffic experiment."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path
from typing import Any

from lab.abtest.assess import assess
from lab.abtest.compare_models import Pair, answer_of, compare_models, difference_rows, summary
from lab.abtest.comparison_settings import ComparisonParams
from lab.abtest.document import document_of
from lab.abtest.points import COLUMNS, csv_of, points_of
from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_csv, write_result
from lab.core.schema import load_schema
from lab.core.seeds import generator_of
from lab.core.stage_files import read_stage_file
from lab.experiment.design import ExperimentSection
from lab.predictions.predictions import read_predictions, read_thresholds
from lab.predictions.units import units_of

METRICS_FILE = Path("metrics/abtest.json")
PLOTS = Path("plots/abtest")
EXPERIMENT = Path("data/experiment")
NO_EXPERIMENT = "the task has no experiment log (experiment.log is null)"

DECIDES = "test"
WINDOWS = (DECIDES, "current")


def main() -> None:
    params, seed, schema = load_params("abtest", ComparisonParams), load_seed(), load_schema()
    thresholds = read_thresholds()
    windows = {}
    for window in WINDOWS:
        rows = read_predictions(window, keys=schema.keys)
        pair = Pair.of(rows, thresholds=thresholds, units=units_of(rows, schema))
        windows[window] = compare_models(
            pair,
            margins=params.margins,
            significance=params.significance,
            resamples=params.resamples,
            rng=generator_of(seed, f"abtest/{window}"),
        )
    answer = answer_of(windows[DECIDES], params.primary, window=DECIDES)
    offline = {window: summary(differences) for window, differences in windows.items()}
    online, points = in_traffic()
    with replaced_folder(PLOTS) as plots:
        write_csv(difference_rows(windows), plots / "differences.csv")
        for name in COLUMNS:
            (plots / f"{name}.csv").write_bytes(csv_of(name, points.get(name, [])))
    write_result(
        {"answer": answer, "offline": offline, "online": online}, METRICS_FILE, compared=("answer.difference",)
    )


def in_traffic() -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the results of the traffic experiment and its plot data, or the reason why there are none."""
    found = read_stage_file(EXPERIMENT / "experiment.json", kind=ExperimentSection, stage="experiment").experiment
    if found.design is None or (found.log is None and found.simulation is None):
        return {"analysed": False, "reason": NO_EXPERIMENT}, {}
    analysis = assess(EXPERIMENT / "log.parquet", found.design)
    return document_of(analysis), points_of(analysis)


if __name__ == "__main__":
    run(main)

"""Say whether the challenger is better: on the same rows, and in traffic where an experiment ran."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path
from typing import Any

from lab.command import run
from lab.comparison import Pair, answer_of, compare_models, difference_rows, summary
from lab.comparison_params import ComparisonParams
from lab.experiments.assess import assess
from lab.experiments.document import document_of
from lab.experiments.points import COLUMNS, csv_of, points_of
from lab.handover import read_handed
from lab.outputs import replaced_folder
from lab.params import load_params, load_seed
from lab.predictions import read_predictions, read_thresholds
from lab.records import write_csv, write_json
from lab.schema import load_schema
from lab.seeds import generator_of
from lab.task.experiment import ExperimentSection

METRICS_FILE = Path("metrics/abtest.json")
PLOTS = Path("plots/abtest")
EXPERIMENT = Path("data/experiment")
NO_EXPERIMENT = "the task names no experiment log (experiment.log is null)"

DECIDES = "test"
WINDOWS = (DECIDES, "current")


def main() -> None:
    params, seed, keys = load_params("abtest", ComparisonParams), load_seed(), load_schema().keys
    thresholds = read_thresholds()
    windows = {}
    for window in WINDOWS:
        pair = Pair.of(read_predictions(window, keys=keys), thresholds=thresholds)
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
    write_json({"answer": answer, "offline": offline, "online": online}, METRICS_FILE)


def in_traffic() -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return what the traffic experiment says, and its points for plots; without one, the reason why not."""
    found = read_handed(EXPERIMENT / "experiment.json", kind=ExperimentSection, stage="experiment").experiment
    if found.design is None or (found.log is None and found.simulation is None):
        return {"analysed": False, "reason": NO_EXPERIMENT}, {}
    analysis = assess(EXPERIMENT / "log.parquet", found.design)
    return document_of(analysis), points_of(analysis)


if __name__ == "__main__":
    run(main)

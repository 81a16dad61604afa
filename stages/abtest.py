"""Say whether the challenger is better than the champion on the same rows, and how sure that is."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from lab.command import run
from lab.comparison import METRICS, Pair, compare_models, difference_rows, summary
from lab.outputs import replaced_folder
from lab.params import Params, load_params, load_seed
from lab.predictions import keys_of, read_predictions, read_thresholds
from lab.records import write_csv, write_json
from lab.schema import load_schema
from lab.seeds import generator_of
from lab.task.experiment import ExperimentSection
from lab.task.sections import load_section

METRICS_FILE = Path("metrics/abtest.json")
PLOTS = Path("plots/abtest")

DECIDES = "test"
WINDOWS = (DECIDES, "current")


class AbtestParams(Params):
    """How sure to be, which metric answers, and which differences are too small to matter."""

    significance: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=1000, le=1_000_000)
    primary: str
    margins: dict[str, float]

    @model_validator(mode="after")
    def metrics_are_known(self) -> Self:
        if self.primary not in METRICS:
            raise ValueError(f"primary is {self.primary!r}, expected one of {list(METRICS)}")
        if set(self.margins) != set(METRICS) or min(self.margins.values()) < 0:
            raise ValueError(f"margins needs a number of 0 or more for each of {list(METRICS)}")
        return self


def main() -> None:
    params, seed, keys = load_params("abtest", AbtestParams), load_seed(), keys_of(load_schema())
    log = load_section("experiment", ExperimentSection).experiment.log
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
    primary = windows[DECIDES][params.primary]
    answer = {
        "metric": params.primary,
        "window": DECIDES,
        "challenger": primary.word,
        "difference": primary.difference,
        "low": primary.low,
        "high": primary.high,
    }
    offline = {window: summary(differences) for window, differences in windows.items()}
    with replaced_folder(PLOTS) as plots:
        write_csv(difference_rows(windows), plots / "differences.csv")
    write_json({"answer": answer, "offline": offline, "online": online(log)}, METRICS_FILE)


def online(log: str | None) -> dict[str, Any]:
    """Return what is said of the traffic experiment."""
    if log is None:
        return {"analysed": False, "reason": "the task names no experiment log (experiment.log is null)"}
    return {"analysed": False, "reason": f"{log} is not read: this version compares the models offline only"}


if __name__ == "__main__":
    run(main)

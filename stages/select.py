"""Rank the candidates by their out-of-fold scores, and name the best one the challenger."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from lab.command import run
from lab.leaderboard import leaderboard_of, rank, read_candidates, summary_of
from lab.manifest import MANIFEST, PIPELINE
from lab.outputs import replaced_folder
from lab.params import Params, load_params
from lab.records import write_csv, write_json

CANDIDATES = Path("models/candidates")
CHALLENGER = Path("models/challenger")
METRICS = Path("metrics/select.json")
PLOTS = Path("plots/select")


class Candidates(Params):
    """The names of the candidates; how they are trained is train's business."""

    model_config = ConfigDict(extra="ignore")
    candidates: dict[str, Any] = Field(min_length=1)


class SelectParams(Params):
    """By which out-of-fold score the candidates are ranked."""

    by: Literal["roc_auc", "average_precision", "brier", "log_loss"]


def main() -> None:
    names = load_params("train", Candidates).candidates
    by = load_params("select", SelectParams).by
    standings = rank(read_candidates(CANDIDATES, names), by=by)
    best = CANDIDATES / standings[0].name
    with replaced_folder(CHALLENGER) as folder, replaced_folder(PLOTS) as plots:
        for name in (PIPELINE, MANIFEST):
            shutil.copyfile(best / name, folder / name)
        write_csv(leaderboard_of(standings), plots / "leaderboard.csv")
        write_json(summary_of(standings, by=by), METRICS)


if __name__ == "__main__":
    run(main)

"""Rank the candidates by out-of-fold score, test their differences, and select the challenger."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import shutil
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import Params, load_params
from lab.core.result_files import write_result, write_text
from lab.model_files.compiled_names import ARRAYS, PROGRAM
from lab.model_files.manifest import MANIFEST, PIPELINE
from lab.pages.pictures import draw_candidates
from lab.select.candidate_points import points_of, write_points
from lab.select.candidate_report import report_of, summary_of
from lab.select.leaderboard import rank
from lab.select.pairs import Question, SelectParams, compare_all, compare_pairs
from lab.select.trained import read_candidates

CANDIDATES = Path("models/candidates")
CHALLENGER = Path("models/challenger")
SERVED = (PIPELINE, MANIFEST, PROGRAM, ARRAYS)
METRICS = Path("metrics/select.json")
PLOTS = Path("plots/select")
REPORT = Path("data/pages/candidates")


class Candidates(Params):
    """The names of the candidates; their settings are read by stage train."""

    model_config = ConfigDict(extra="ignore")
    candidates: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Any] = Field(min_length=1)


def main() -> None:
    names = load_params("train", Candidates).candidates
    params = load_params("select", SelectParams)
    question = Question(params.by, params.significance, params.margin)
    standings = rank(read_candidates(CANDIDATES, names), by=params.by)
    tests, overall = compare_pairs(standings, question), compare_all(standings)
    points = points_of(standings, tests, by=params.by)
    pictures = draw_candidates(points)
    best = CANDIDATES / standings[0].name
    with (
        replaced_folder(CHALLENGER) as folder,
        replaced_folder(PLOTS) as plots,
        replaced_folder(REPORT) as report,
    ):
        for name in SERVED:
            if (best / name).exists():  # not every family has a compiled form
                shutil.copyfile(best / name, folder / name)
        write_points(points, plots)
        for name, picture in pictures.items():
            (report / name).write_bytes(picture)
        write_text(report_of(standings, tests, overall, question, pictures=list(pictures)), report / "README.md")
        write_result(summary_of(standings, tests, overall, question), METRICS, compared=("score", "scores"))


if __name__ == "__main__":
    run(main)

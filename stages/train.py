"""Train one candidate: python -m stages.train NAME."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dvclive.live import Live

from lab.candidates import SECTION, TrainParams, candidate_named, candidate_of, search_of
from lab.command import run
from lab.compiling.write import save_both_forms
from lab.manifest import LEARNING_CURVE, OUT_OF_FOLD, SEARCH
from lab.outputs import replaced_folder
from lab.params import load_params, load_seed
from lab.progress import shown
from lab.recording import recorded
from lab.records import write_json
from lab.schema import load_schema
from lab.search.result import Progress, history_of
from lab.tables import read_table, write_table
from lab.task.money import MoneySection
from lab.task.sections import load_section
from lab.training import FoldScore, Reports, Rules, progress_of, summary_of, train_model
from lab.workers import running

ROWS = Path("data/features/train.parquet")
CANDIDATES = Path("models/candidates")
METRICS = Path("metrics/train")
PLOTS = Path("plots/train")


def main() -> None:
    params = load_params("train", TrainParams)
    name = candidate_named(sys.argv[1:], params.candidates)
    candidate = candidate_of(name, params.candidates)
    money, search = load_section("money", MoneySection).money, search_of(name, candidate, params.search)
    table, schema = read_table(ROWS), load_schema()
    with (
        recorded(metrics=METRICS / f"{name}.json", plots=PLOTS / name) as live,
        replaced_folder(CANDIDATES / name) as folder,
        running(params.workers) as run_fits,
        shown(name, by=search.by, stream=sys.stderr) as show,
    ):
        trained = train_model(
            table,
            schema,
            candidate.specification,
            rules=Rules(params.folds, params.threshold, money, load_seed(), search, params.learning_curve),
            where=f"{SECTION}.{name}",
            reports=Reports(search=partial(log_trial, live, show), fold=partial(log_fold, live, name)),
            run=run_fits,
        )
        write_table(trained.out_of_fold, folder / OUT_OF_FOLD)
        write_json(history_of(trained.searched), folder / SEARCH)
        write_json(trained.learning_curve, folder / LEARNING_CURVE)
        save_both_forms(trained.model, table, folder)
        live.summary = summary_of(trained, schema, table)


def log_trial(live: Live, show: Callable[[Progress], None], progress: Progress) -> None:
    show(progress)
    if progress.trial is not None and progress.trial.score is not None:
        live.step = progress.fits
        live.log_metric("search_score", progress.trial.score)


def log_fold(live: Live, name: str, fold: FoldScore) -> None:
    sys.stdout.write(progress_of(name, fold))
    sys.stdout.flush()
    live.step = fold.number
    for metric, value in fold.metrics.items():
        live.log_metric(metric, value)


if __name__ == "__main__":
    run(main)

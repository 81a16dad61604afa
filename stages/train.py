"""Train one candidate: python -m stages.train NAME; DVC gives the name in DVC_STAGE."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab.compile.write import save_both_forms
from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.recording import Recorder, recorded, write_summary
from lab.core.result_files import write_json
from lab.core.schema import load_schema
from lab.core.stage_files import load_section
from lab.core.tables import read_table, write_table
from lab.model_files.manifest import LEARNING_CURVE, OUT_OF_FOLD, SEARCH
from lab.search.result import Progress, history_of
from lab.task.money import MoneySection
from lab.train.candidates import SECTION, TrainParams, candidate_named, candidate_of, search_of
from lab.train.progress import progress_display
from lab.train.training import FoldScore, Reports, Rules, progress_of, summary_of, train_model
from lab.train.workers import fit_runner

ROWS = Path("data/features/train.parquet")
CANDIDATES = Path("models/candidates")
METRICS = Path("metrics/train")
PLOTS = Path("plots/train")


def main() -> None:
    params = load_params("train", TrainParams)
    name = candidate_named(sys.argv[1:], os.environ.get("DVC_STAGE"), params.candidates)
    candidate = candidate_of(name, params.candidates)
    money, search = load_section("money", MoneySection).money, search_of(name, candidate, params.search)
    table, schema = read_table(ROWS), load_schema()
    with (
        recorded(metrics=METRICS / f"{name}.json", plots=PLOTS / name, compared=()) as live,
        replaced_folder(CANDIDATES / name) as folder,
        fit_runner(params.workers) as run_fits,
        progress_display(name, by=search.by, stream=sys.stderr) as show,
    ):
        trained = train_model(
            table,
            schema,
            candidate.specification,
            rules=Rules(params.folds, params.threshold, money, load_seed(), search, params.learning_curve),
            where=f"{SECTION}.{name}",
            reports=Reports(search=partial(log_trial, live, name, show), fold=partial(log_fold, live, name, search.by)),
            run=run_fits,
        )
        write_table(trained.out_of_fold, folder / OUT_OF_FOLD)
        write_json(history_of(trained.searched), folder / SEARCH)
        write_json(trained.learning_curve, folder / LEARNING_CURVE)
        save_both_forms(trained.model, table, folder)
        for epoch, loss in enumerate(trained.epoch_losses, start=1):
            log_point(live, "epoch_loss", loss, step=epoch)
        live.summary = summary_of(trained, schema, table)


def log_trial(live: Recorder, name: str, show: Callable[[Progress], None], progress: Progress) -> None:
    show(progress)
    if progress.trial is not None and progress.trial.score is not None:
        log_point(live, "search_score", progress.trial.score, step=progress.fits)
        write_summary(live, METRICS / f"{name}.json")


def log_fold(live: Recorder, name: str, by: str, fold: FoldScore) -> None:
    sys.stdout.write(progress_of(name, fold))
    sys.stdout.flush()
    log_point(live, f"fold_{by}", fold.metrics[by], step=fold.number)


def log_point(live: Recorder, metric: str, value: float, *, step: int) -> None:
    live.step = step
    live.log_metric(metric, value)


if __name__ == "__main__":
    run(main)

"""Fit the promoted specification of the task (champion.yaml) on the training rows."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from pathlib import Path

from lab.compile.write import save_both_forms
from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed, load_value
from lab.core.schema import load_schema
from lab.core.stage_files import load_section
from lab.core.tables import read_table
from lab.task.money import MoneySection
from lab.train.candidates import FitParams
from lab.train.champion import read_champion, rows_known_by
from lab.train.training import FoldScore, Reports, Rules, progress_of, train_model

ROWS = Path("data/features/train.parquet")
CHAMPION = Path("models/champion")


def main() -> None:
    params, schema = load_params("train", FitParams), load_schema()
    where, champion = read_champion(load_value("task", str))
    rows = rows_known_by(read_table(ROWS), schema, champion.trained_until, where=where)
    trained = train_model(
        rows,
        schema,
        champion.specification,
        rules=Rules(params.folds, params.threshold, load_section("money", MoneySection).money, load_seed()),
        where=where,
        reports=Reports(fold=print_fold),
    )
    with replaced_folder(CHAMPION) as folder:
        save_both_forms(trained.model.promoted(champion.overruled), rows, folder)


def print_fold(fold: FoldScore) -> None:
    sys.stdout.write(progress_of("champion", fold))
    sys.stdout.flush()


if __name__ == "__main__":
    run(main)

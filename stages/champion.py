"""Fit the promoted specification of the task, champion.yaml, on the training rows."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from pathlib import Path

from lab.candidates import FitParams
from lab.champion import read_champion, rows_known_by
from lab.command import run
from lab.compiling.write import save_both_forms
from lab.outputs import replaced_folder
from lab.params import load_params, load_seed, load_value
from lab.schema import load_schema
from lab.tables import read_table
from lab.task.money import MoneySection
from lab.task.sections import load_section
from lab.training import FoldScore, Reports, Rules, progress_of, train_model

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
        reports=Reports(fold=say),
    )
    with replaced_folder(CHAMPION) as folder:
        save_both_forms(trained.model, rows, folder)


def say(fold: FoldScore) -> None:
    sys.stdout.write(progress_of("champion", fold))
    sys.stdout.flush()


if __name__ == "__main__":
    run(main)

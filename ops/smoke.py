"""`python -m ops smoke`: check that the champion gives the recorded scores."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import re
from pathlib import Path

import click
import numpy as np

from lab.core.errors import SourceError
from lab.core.params import load_value
from lab.core.schema import FEATURES, load_schema
from lab.core.tables import read_table
from lab.models.models import CHAMPION, load_model
from lab.models.scoring import score_rows
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import FOLDER, read_predictions, score_column


@click.command()
@click.option(
    "--model", type=click.Path(path_type=Path), default=CHAMPION, show_default=True, help="The model's folder."
)
@click.option("--tag", help="The released GTO tag, such as churn#staging#1; it must be of this task.")
@click.option(
    "--window", type=click.Choice(["test", "current"]), default="test", show_default=True, help="The window to score."
)
def smoke(*, model: Path, tag: str | None, window: str) -> None:
    r"""Score every row of a window with the champion, and compare the scores with the recorded ones, bit by bit.

    Run it before a release. It needs models/champion, data/features and data/predictions of that version
    (`python -m ops derive HEAD --output …`, then `dvc checkout`).

    \b
      python -m ops smoke --tag churn#staging#1

    Exit 0 when all scores are equal, 1 when some differ, 2 when a file is missing or damaged.
    """
    if tag is not None:
        check_tag(tag, task=load_value("task", str))
    schema = load_schema()
    rows, judged = read_table(FEATURES / f"{window}.parquet"), read_predictions(window, keys=schema.keys)
    if not rows.select(schema.keys).equals(judged.select(schema.keys)):
        raise SourceError(
            f"{FEATURES}/{window}.parquet and {FOLDER}/{window}.parquet have different rows, expected the same rows "
            "in the same order. Cure: dvc checkout"
        )
    differing = int(np.sum(score_rows(load_model(model), rows) != numbers_of(judged[score_column("champion")])))
    click.echo(f"{model}: {rows.num_rows - differing} of {rows.num_rows} rows of {window} have the recorded score")
    raise SystemExit(1 if differing else 0)


def check_tag(tag: str, *, task: str) -> None:
    """Refuse a tag of another task.

    >>> check_tag("churn#staging#1", task="churn")
    """
    named = re.split("[#@]", tag)[0]
    if named != task:
        raise SourceError(
            f"{tag} releases {named}, found the model of {task} at its commit, expected that of {named}. "
            f"Cure: commit the results of `dvc exp run -S task={named}`, and register its version there."
        )

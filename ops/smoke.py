"""`python -m ops smoke`: hold the model that would be deployed to the scores that were judged."""

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
    "--model", type=click.Path(path_type=Path), default=CHAMPION, show_default=True, help="The folder of the model."
)
@click.option("--tag", help="The GTO tag that is released, such as churn#staging#1: it must name the task at hand.")
@click.option("--window", type=click.Choice(["test", "current"]), default="test", show_default=True, help="Which rows.")
def smoke(*, model: Path, tag: str | None, window: str) -> None:
    r"""Load the champion, score every row of a window, and hold the scores to those that were judged, to the last bit.

    Before a release: it needs models/champion, data/features and data/predictions of that version
    (`python -m ops derive HEAD --output …`, then `dvc checkout`).

    \b
    Exit codes: 0 every score is the same; 1 some differ; 2 a file is missing or damaged.
    """
    if tag is not None:
        check_tag(tag, task=load_value("task", str))
    schema = load_schema()
    rows, judged = read_table(FEATURES / f"{window}.parquet"), read_predictions(window, keys=schema.keys)
    if not rows.select(schema.keys).equals(judged.select(schema.keys)):
        raise SourceError(
            f"{FEATURES}/{window}.parquet and {FOLDER}/{window}.parquet hold different rows, expected the same ones in "
            "the same order. Cure: dvc checkout brings those of one revision."
        )
    differing = int(np.sum(score_rows(load_model(model), rows) != numbers_of(judged[score_column("champion")])))
    click.echo(
        f"{model}: {rows.num_rows - differing} of {rows.num_rows} rows of {window} have the score that was judged"
    )
    raise SystemExit(1 if differing else 0)


def check_tag(tag: str, *, task: str) -> None:
    """Refuse a tag of another task than the one whose model is here.

    >>> check_tag("churn#staging#1", task="churn")
    """
    named = re.split("[#@]", tag)[0]
    if named != task:
        raise SourceError(
            f"{tag} releases {named}, found the model of {task} at its commit, expected that of {named}. "
            f"Cure: commit the results of `dvc exp run -S task={named}`, and register its version there."
        )

"""Read the predictions of stage evaluate: labels, scores of both models, thresholds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.core.result_files import read_json
from lab.core.tables import read_table
from lab.predictions.columns import numbers_of

FOLDER = Path("data/predictions")
MODELS = ("champion", "challenger")
LABEL = "label"
CURE = "Cure: dvc repro evaluate"


def score_column(model: str) -> str:
    return f"{model}_score"


def read_predictions(window: str, *, keys: Sequence[str]) -> pa.Table:
    """Return the predictions of one window; each row must have a unique key, a label and two scores."""
    path = FOLDER / f"{window}.parquet"
    table = read_table(path)
    needed = [*keys, LABEL, *map(score_column, MODELS)]
    if absent := [name for name in needed if name not in table.column_names]:
        raise SourceError(f"{path} lacks {absent}; it has {table.column_names}. {CURE}")
    for name in needed:
        if nulls := table[name].null_count:
            raise SourceError(f"{path}: {name} is missing in {nulls} of {table.num_rows} rows, expected none. {CURE}")
    _check_pairs(table, keys=keys, where=str(path))
    return table


def read_thresholds() -> dict[str, float]:
    """Return the decision threshold of each model: scores at or above it are positive."""
    path = FOLDER / "models.json"
    try:
        described: dict[str, dict[str, Any]] = read_json(path)
        return {model: float(described[model]["threshold"]) for model in MODELS}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} does not give a threshold for each of {list(MODELS)}: {error!r}. {CURE}") from error


def _check_pairs(table: pa.Table, *, keys: Sequence[str], where: str) -> None:
    counts = table.group_by(list(keys)).aggregate([([], "count_all")])["count_all"]
    if repeated := pc.sum(pc.greater(counts, 1)).as_py():
        raise SourceError(
            f"{where}: {repeated} keys ({', '.join(keys)}) occur in several rows, expected unique keys. {CURE}"
        )
    for model in MODELS:
        scores = numbers_of(table[score_column(model)])
        if outside := int(np.sum(~((scores >= 0) & (scores <= 1)))):
            raise SourceError(f"{where}: {outside} scores of the {model} are outside 0 to 1. {CURE}")

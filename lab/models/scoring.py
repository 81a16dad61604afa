"""Score rows with a model; only here a probability is rounded to a score."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.models.frames import frame_of
from lab.models.models import Model

DECIMALS = 6
POSITIVE = 1


def score_rows(model: Model, table: pa.Table) -> NDArray[np.float64]:
    """Return the score of each row: the probability of the positive class, rounded to 6 decimals."""
    return score_frame(model.pipeline, frame_of(table, model.features))


def score_frame(pipeline: Any, frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the scores of a frame from `frame_of`; it can be empty."""
    if frame.empty:
        return np.empty(0)
    place = list(pipeline.classes_).index(POSITIVE)
    probabilities: NDArray[np.float64] = pipeline.predict_proba(frame)[:, place]
    return probabilities.round(DECIMALS) + 0.0  # + 0.0 turns −0.0 into 0.0

"""Permutation walks for pipelines, which take data frames."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.compiled.parts import Columns, Numbers
from lab.compiled.walks import Paths, paths_from, walk


def columns_of(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    return {str(name): frame[name].to_numpy() for name in frame}


def frame_from(columns: Columns) -> pd.DataFrame:
    """Return columns as a frame, each with its own type.

    The type is given, since pandas would infer another type for text with gaps and turn None into NaN, an unseen level.
    """
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


def paths_of(reference: pd.DataFrame, *, walks: int, rng: np.random.Generator) -> Paths:
    """Return paths that start at rows of a frame."""
    return paths_from(columns_of(reference), count=walks, rng=rng)


def walker_of(output: Callable[[pd.DataFrame], Numbers], paths: Paths) -> Callable[[pd.DataFrame], Numbers]:
    """Return the function that computes contributions by walking these paths."""

    def contribute(frame: pd.DataFrame) -> Numbers:
        return walk(lambda columns: output(frame_from(columns)), paths, columns_of(frame))

    return contribute

"""Fit a specification: preprocessing and estimator in one pipeline, the same to the byte wherever it is fitted."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from lab.errors import ParamsError
from lab.estimators import build_estimator, recipe_of
from lab.preprocessing import build_preprocessing
from lab.schema import Feature
from lab.specification import Specification

FEWEST_ROWS_FOR_OPENMP = 100_000
DIGITS = 8  # of fitted parameters; the last ones a processor may see differently


@dataclass(frozen=True)
class Plan:
    """What is fitted, whatever the rows; `where` names the specification in messages."""

    specification: Specification
    features: Mapping[str, Feature]
    seed: int
    where: str


def fit_pipeline(plan: Plan, frame: pd.DataFrame, labels: NDArray[np.int8]) -> Pipeline:
    """Return the plan's pipeline fitted on these rows alone; how many threads work leaves no trace."""
    numbers = recipe_of(plan.specification, where=plan.where).numbers
    prepare = build_preprocessing(frame, labels, plan.features, numbers=numbers, seed=plan.seed)
    estimate = build_estimator(plan.specification, seed=plan.seed, where=plan.where)
    pipeline = Pipeline([("prepare", prepare), ("estimate", estimate)])
    with _threads(len(frame)), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            pipeline.fit(frame, labels)
        except ConvergenceWarning as warning:
            raise ParamsError(
                f"{plan.where}: {plan.specification.estimator} came to no end: {str(warning).splitlines()[0]} "
                "Cure: give it more steps, or a stronger penalty."
            ) from warning
    _round(pipeline)
    return pipeline


@contextmanager
def _threads(rows: int) -> Iterator[None]:
    """Let joblib use every processor, and OpenMP one on few rows: its threads spin, 20 times slower on a busy machine.

    It holds around fit only: forests that predict in parallel add their trees in the order in which threads end.
    """
    most = 1 if rows < FEWEST_ROWS_FOR_OPENMP else None
    with (
        joblib.parallel_config(backend="threading", n_jobs=joblib.cpu_count()),
        threadpool_limits(limits=most, user_api="openmp"),
    ):
        yield


def _round(part: Any) -> None:
    """Cut the last digits of what linear steps have learned, in place: in every step, however deep."""
    if isinstance(part, StandardScaler):
        part.scale_ = _significant(part.scale_)
        part.mean_ = np.round(part.mean_ / part.scale_, DIGITS) * part.scale_ + 0.0
        part.var_ = np.round(part.var_ / part.scale_**2, DIGITS) * part.scale_**2 + 0.0
    for name in ("coef_", "intercept_"):
        if hasattr(part, name):
            setattr(part, name, np.round(getattr(part, name), DIGITS) + 0.0)
    for _, step, *_ in [*getattr(part, "steps", []), *getattr(part, "transformers_", [])]:
        _round(step)


def _significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([float(f"{value:.{DIGITS}g}") for value in values])

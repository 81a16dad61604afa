"""Fit a specification as one pipeline of preprocessing and estimator, deterministic to the byte."""

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import ThreadpoolController

from lab.core.errors import ParamsError, SourceError
from lab.core.schema import Feature
from lab.model_files.specification import Specification
from lab.train.estimators import build_estimator, checked_settings, fewest_rows, members_of, recipe_of, with_defaults
from lab.train.preprocessing import build_steps
from lab.train.tidying import parts_of, round_fitted

FEWEST_ROWS_FOR_OPENMP = 100_000
_LOCK = threading.Lock()
_FILTERS = ExitStack()
_HOLDERS: list[None] = []


@dataclass(frozen=True)
class Plan:
    """A specification with its features and seed, independent of rows; `where` is for error messages."""

    specification: Specification
    features: Mapping[str, Feature]
    seed: int
    where: str


@contextmanager
def fitting() -> Iterator[None]:
    """Set process-wide state for fits in parallel: enter it around the threads of a batch; it is reentrant.

    Python's warning filters belong to the whole process, so no fit may change them while another one runs. Inside, each
    fit uses one processor, since the batch keeps all of them busy.
    """
    with _LOCK:
        if not _HOLDERS:
            _FILTERS.enter_context(warnings.catch_warnings())
            # The fixed epochs of a perceptron are intended; _check_converged checks the other estimators.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.showwarning = partial(_show, warnings.showwarning)
        _HOLDERS.append(None)
    try:
        yield
    finally:
        with _LOCK:
            _HOLDERS.pop()
            if not _HOLDERS:
                _FILTERS.close()


def _show(show: Callable[..., None], message: Warning | str, *place: Any, **more: Any) -> None:
    """Show a warning, except for the one of scikit-learn when another thread has just reset the filters.

    Its parallel code resets the filters around each job and reports empty filters as a user's mistake.
    """
    if "sklearn.utils.parallel.delayed" not in str(message):
        show(message, *place, **more)


def fit_pipeline(plan: Plan, frame: pd.DataFrame, labels: NDArray[np.int8]) -> Pipeline:
    """Return the plan's pipeline fitted on these rows; the number of threads does not change the result.

    It uses all processors, and one inside `fitting`.
    """
    specification = with_defaults(plan.specification, where=plan.where)
    plan = replace(plan, specification=specification)
    _check_rows(plan, frame, labels)
    pipeline = _build_pipeline(plan, frame, rarest=_rarest(labels))
    balanced = specification.class_weights == "balanced"
    weights = {"estimate__sample_weight": compute_sample_weight("balanced", labels)} if balanced else {}
    processors = 1 if _HOLDERS or isinstance(pipeline[-1], StackingClassifier) else joblib.cpu_count()
    with fitting(), _threads(len(frame), processors):
        pipeline.fit(frame, labels, **weights)
    _check_converged(plan, pipeline)
    round_fitted(pipeline, frame)
    return pipeline


def _build_pipeline(plan: Plan, frame: pd.DataFrame, *, rarest: int) -> Pipeline:
    """Return the unfitted pipeline; `rarest` is the size of the rarer class in the smallest part it is fitted on."""
    specification, where = plan.specification, plan.where
    checked = checked_settings(specification, where=where)
    inside = rarest - -(-rarest // getattr(checked, "inner_folds", rarest + 1))
    members = {
        name: _build_pipeline(_member(plan, member, place), frame, rarest=inside)
        for name, (member, place) in members_of(checked, where=where).items()
    }
    estimate = build_estimator(specification, seed=plan.seed, where=where, members=members)
    numbers = recipe_of(specification, where=where).numbers
    if numbers == "by_members":
        return Pipeline([("estimate", estimate)])
    preparation = specification.preparation
    steps = build_steps(frame, plan.features, preparation, numbers=numbers, rarest=rarest, seed=plan.seed, where=where)
    return Pipeline([*steps, ("estimate", estimate)])


def _member(plan: Plan, member: Specification, where: str) -> Plan:
    expected = member.features if member.features is not None else tuple(plan.features)
    if unknown := sorted(set(expected) - set(plan.features)):
        raise ParamsError(f"{where}.features names {unknown}, expected only {sorted(plan.features)}. Correct it there.")
    return Plan(member, {name: plan.features[name] for name in expected}, plan.seed, where)


def _check_rows(plan: Plan, frame: pd.DataFrame, labels: NDArray[np.int8]) -> None:
    fewest = fewest_rows(plan.specification, where=plan.where)
    if _rarest(labels) < fewest:
        positives = int(labels.sum())
        raise SourceError(
            f"{plan.where}: {plan.specification.estimator} is to be fitted on {len(labels)} rows, {positives} of "
            f"them positive, expected at least {fewest} positive and {fewest} negative ones. Cure: more rows, or "
            "fewer folds."
        )
    if not any(_varies(frame[name]) for name in plan.features):
        raise SourceError(
            f"{plan.where}: every feature of {sorted(plan.features)} has one value in all {len(frame)} rows. "
            "Cure: add columns that vary."
        )


def _rarest(labels: NDArray[np.int8]) -> int:
    return int(np.bincount(labels, minlength=2).min())


def _varies(column: pd.Series) -> bool:
    missing = column.isna().to_numpy()
    known = column.to_numpy()[~missing]
    return bool((known != known[:1]).any() or (missing.any() and len(known)))


def _check_converged(plan: Plan, pipeline: Pipeline) -> None:
    for part in parts_of(pipeline):
        if isinstance(part, LogisticRegression) and part.n_iter_.max() >= part.max_iter:
            raise ParamsError(
                f"{plan.where}: {plan.specification.estimator} did not converge in {part.max_iter} steps. "
                "Cure: allow more steps, or use a stronger penalty."
            )


@contextmanager
def _threads(rows: int, processors: int) -> Iterator[None]:
    """Limit joblib to some processors, and OpenMP to one on few rows, where its spinning threads would be slow.

    OpenMP's limit is per thread, so each fit sets it. Both limits apply to fit only. Forests that predict in parallel
    add their trees in varying order, so stacking, which predicts while fitting, uses one processor.
    """
    most = 1 if rows < FEWEST_ROWS_FOR_OPENMP or processors == 1 else None
    with (
        joblib.parallel_config(backend="threading", n_jobs=processors),
        _controller().limit(limits=most, user_api="openmp"),
    ):
        yield


@cache
def _controller() -> Any:
    """Return the controller of loaded libraries; finding them takes longer than many fits."""
    return ThreadpoolController()

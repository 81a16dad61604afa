"""Fit a specification: preprocessing and estimator in one pipeline, the same to the byte wherever it is fitted."""

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
from lab.train.estimators import build_estimator, checked_settings, completed, fewest_rows, members_of, recipe_of
from lab.train.preprocessing import build_steps
from lab.train.tidying import parts_of, tidy

FEWEST_ROWS_FOR_OPENMP = 100_000
_LOCK = threading.Lock()
_FILTERS = ExitStack()
_HOLDERS: list[None] = []


@dataclass(frozen=True)
class Plan:
    """What is fitted, whatever the rows; `where` names the specification in messages."""

    specification: Specification
    features: Mapping[str, Feature]
    seed: int
    where: str


@contextmanager
def fitting() -> Iterator[None]:
    """Hold what a batch of fits shares: enter it once in a process, around the threads that fit side by side.

    Python's filter of warnings belongs to the whole process, so no fit may change it while another one runs. Inside,
    each fit keeps to one processor: the batch has fits enough for all of them. It may be entered again inside.
    """
    with _LOCK:
        if not _HOLDERS:
            _FILTERS.enter_context(warnings.catch_warnings())
            # That a perceptron's epochs are counted is meant; others are asked whether they came to an end.
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
    """Show a warning, but for the one that scikit-learn gives when another thread has just emptied the filters.

    Its own parallel steps empty and fill them around each job, and take an empty list for a mistake of the caller's.
    """
    if "sklearn.utils.parallel.delayed" not in str(message):
        show(message, *place, **more)


def fit_pipeline(plan: Plan, frame: pd.DataFrame, labels: NDArray[np.int8]) -> Pipeline:
    """Return the plan's pipeline fitted on these rows alone; how many threads work leaves no trace.

    By itself it takes every processor; inside `fitting`, where others run beside it, one.
    """
    specification = completed(plan.specification, where=plan.where)
    plan = replace(plan, specification=specification)
    _check_rows(plan, frame, labels)
    pipeline = _build_pipeline(plan, frame, rarest=_rarest(labels))
    balanced = specification.class_weights == "balanced"
    weights = {"estimate__sample_weight": compute_sample_weight("balanced", labels)} if balanced else {}
    processors = 1 if _HOLDERS or isinstance(pipeline[-1], StackingClassifier) else joblib.cpu_count()
    with fitting(), _threads(len(frame), processors):
        pipeline.fit(frame, labels, **weights)
    _check_converged(plan, pipeline)
    tidy(pipeline, frame)
    return pipeline


def _build_pipeline(plan: Plan, frame: pd.DataFrame, *, rarest: int) -> Pipeline:
    """Return the unfitted pipeline; the rarer class has so many rows in the smallest part that it is fitted on."""
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
    wanted = member.features if member.features is not None else tuple(plan.features)
    if unknown := sorted(set(wanted) - set(plan.features)):
        raise ParamsError(f"{where}.features names {unknown}, expected only {sorted(plan.features)}. Correct it there.")
    return Plan(member, {name: plan.features[name] for name in wanted}, plan.seed, where)


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
            f"{plan.where}: every feature of {sorted(plan.features)} has one value in all {len(frame)} rows: nothing "
            "tells them apart. Cure: bring columns that vary."
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
                f"{plan.where}: {plan.specification.estimator} came to no end in {part.max_iter} steps. "
                "Cure: give it more steps, or a stronger penalty."
            )


@contextmanager
def _threads(rows: int, processors: int) -> Iterator[None]:
    """Let joblib use so many processors, and OpenMP one on few rows: its threads spin, and are slow on a busy machine.

    OpenMP counts for each thread, so each fit says it anew. Both hold around fit only: forests that predict in parallel
    add their trees in the order in which threads end, which is why stacking, which predicts to fit, has one processor.
    """
    most = 1 if rows < FEWEST_ROWS_FOR_OPENMP or processors == 1 else None
    with (
        joblib.parallel_config(backend="threading", n_jobs=processors),
        _controller().limit(limits=most, user_api="openmp"),
    ):
        yield


@cache
def _controller() -> Any:
    """Return what limits the libraries that are loaded; looking for them takes longer than many a fit."""
    return ThreadpoolController()

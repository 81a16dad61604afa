"""Run calls in parallel: in this process, in other processes, or on a Dask cluster."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import joblib
from pydantic import AfterValidator

from lab.core.end_with_parent import end_with_parent
from lab.core.errors import ParamsError

SETTING = "train.workers"
ADDRESS = "DASK_SCHEDULER_ADDRESS"
PREFIX = "dask://"
LOCAL = "threading"  # docs/decisions/0014: threads start fast, and rows are not copied
NAMES = ("local", "dask", "threading", "loky", "sequential")

Call = tuple[Any, ...]  # the arguments of one call
Run = Callable[[Callable[..., Any], Sequence[Call]], Iterator[Any]]


def _checked(workers: str) -> str:
    host, _, port = workers.removeprefix(PREFIX).rpartition(":")
    if workers not in NAMES and not (workers.startswith(PREFIX) and host and port.isdecimal()):
        raise ValueError(f"expected one of {list(NAMES)}, or dask://HOST:PORT")
    return workers


Workers = Annotated[str, AfterValidator(_checked)]


@contextmanager
def fit_runner(workers: Workers) -> Iterator[Run]:
    """Yield a function that calls another with many argument tuples, and yields the results in order, as they arrive.

    Function and arguments must be picklable except for threads. A large argument is sent to a cluster once. When the
    block ends, no process remains here and no call waits there.
    """
    if workers == "sequential":
        yield run_sequentially
    elif workers.startswith("dask"):
        from lab.train.cluster import connected, scatter_once  # noqa: PLC0415 - an optional extra

        with connected(address_of(workers)) as client, joblib.parallel_config("dask", client=client):
            share = scatter_once(client)
            yield lambda function, calls: _run(function, [tuple(map(share, call)) for call in calls])
    else:
        backend = LOCAL if workers == "local" else workers
        options = {"initializer": end_with_parent} if backend == "loky" else {}
        with joblib.parallel_config(backend, n_jobs=joblib.cpu_count(), **options), _ended(backend):
            yield _run


def address_of(workers: Workers) -> str:
    """Return the scheduler's address: the given one, or that of the environment for `dask`."""
    if workers.startswith(PREFIX):
        return f"tcp://{workers.removeprefix(PREFIX)}"
    if found := os.environ.get(ADDRESS):
        return found
    raise ParamsError(
        f"{SETTING} is dask, and the environment has no {ADDRESS}, expected the scheduler's address. "
        f"Cure: export {ADDRESS}=tcp://HOST:PORT, or set dask://HOST:PORT."
    )


def run_sequentially(function: Callable[..., Any], calls: Sequence[Call]) -> Iterator[Any]:
    """Call a function with each argument tuple in this process."""
    yield from (function(*call) for call in calls)


def _run(function: Callable[..., Any], calls: Sequence[Call]) -> Iterator[Any]:
    results = joblib.Parallel(return_as="generator")(joblib.delayed(function)(*call) for call in calls)
    try:
        for result in results:  # noqa: UP028 - `yield from` would close joblib's generator before `finally` is reached
            yield result
    finally:
        _close(results)


def _close(results: Iterator[Any]) -> None:
    """Cancel pending calls; joblib would warn about the early end, which is intended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results.close()  # type: ignore[attr-defined]  # joblib gives a generator


@contextmanager
def _ended(backend: str) -> Iterator[None]:
    """Stop all processes at the end; loky would keep its own."""
    try:
        yield
    finally:
        if backend == "loky":
            from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415 - rarely used

            get_reusable_executor().shutdown(wait=True, kill_workers=True)

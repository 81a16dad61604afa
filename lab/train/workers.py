"""Run calls side by side: in this process, in others, or on a Dask cluster that must compute the same bytes."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import joblib
from pydantic import AfterValidator

from lab.core.errors import ParamsError

SETTING = "train.workers"
ADDRESS = "DASK_SCHEDULER_ADDRESS"
PREFIX = "dask://"
LOCAL = "threading"  # docs/decisions/0014: threads cost nothing to start, and rows need no copy
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
def running(workers: Workers) -> Iterator[Run]:
    """Yield what runs a function with each of many arguments, and yields what it returns in that order, as it comes.

    Function and arguments must be picklable unless workers are threads. A large argument that is the same object in
    many calls travels to a cluster once. When the block ends, well or not, no process is left here, and nothing waits
    there.
    """
    if workers == "sequential":
        yield in_turn
    elif workers.startswith("dask"):
        from lab.train.cluster import connected, sharing  # noqa: PLC0415 - an extra that most never install

        with connected(address_of(workers)) as client, joblib.parallel_config("dask", client=client):
            share = sharing(client)
            yield lambda function, calls: _run(function, [tuple(map(share, call)) for call in calls])
    else:
        backend = LOCAL if workers == "local" else workers
        with joblib.parallel_config(backend, n_jobs=joblib.cpu_count()), _ended(backend):
            yield _run


def address_of(workers: Workers) -> str:
    """Return the scheduler's address: the one that is named, or that of the environment for `dask` alone."""
    if workers.startswith(PREFIX):
        return f"tcp://{workers.removeprefix(PREFIX)}"
    if found := os.environ.get(ADDRESS):
        return found
    raise ParamsError(
        f"{SETTING} is dask, and the environment has no {ADDRESS}, expected the scheduler's address there. "
        f"Cure: export {ADDRESS}=tcp://HOST:PORT, or name it: dask://HOST:PORT."
    )


def in_turn(function: Callable[..., Any], calls: Sequence[Call]) -> Iterator[Any]:
    """Call a function with each of the arguments in turn, here."""
    yield from (function(*call) for call in calls)


def _run(function: Callable[..., Any], calls: Sequence[Call]) -> Iterator[Any]:
    results = joblib.Parallel(return_as="generator")(joblib.delayed(function)(*call) for call in calls)
    try:
        for result in results:  # noqa: UP028 - `yield from` would close joblib's generator before `finally` is reached
            yield result
    finally:
        _close(results)


def _close(results: Iterator[Any]) -> None:
    """Take back what waits; joblib would warn that its generator ends early, which is what is meant here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results.close()  # type: ignore[attr-defined]  # joblib gives a generator


@contextmanager
def _ended(backend: str) -> Iterator[None]:
    """Leave no process behind; loky would keep its own for a next time."""
    try:
        yield
    finally:
        if backend == "loky":
            from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415 - most take threads

            get_reusable_executor().shutdown(wait=True, kill_workers=True)

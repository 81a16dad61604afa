"""Connect to a Dask cluster whose workers compute the same bytes as this process."""

import hashlib
import os
import pickle
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab.core.cpu_kernels import PINNED
from lab.core.errors import ParamsError
from lab.train.workers import SETTING

TIMEOUT_SECONDS = 5  # for a scheduler to answer, and for a first worker
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "joblib", "threadpoolctl")
LARGE = 100_000  # bytes
Facts = Mapping[str, str]


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of the scheduler, after all workers are checked."""
    client = _client(address)
    try:
        check_workers(client, address)
        yield client
    finally:
        client.close()


def scatter_once(client: Any) -> Callable[[Any], Any]:
    """Return a function that replaces large arguments by futures on the cluster; each is sent once."""
    kept: dict[int, tuple[Any, Any]] = {}  # keeps the argument, so that its id is not reused

    def share(argument: Any) -> Any:
        if id(argument) not in kept:
            large = len(pickle.dumps(argument, protocol=pickle.HIGHEST_PROTOCOL)) > LARGE
            sent = client.scatter(argument, broadcast=True, hash=False) if large else argument
            kept[id(argument)] = (argument, sent)
        return kept[id(argument)][1]

    return share


def check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or with other code, packages or kernels."""
    try:
        client.wait_for_workers(1, timeout=TIMEOUT_SECONDS)
    except TimeoutError:
        raise ParamsError(
            f"the Dask scheduler at {address} has no worker, expected at least one. {_cure(address)}"
        ) from None
    try:
        found: Mapping[str, Facts] = client.run(facts)
    except ImportError as error:
        raise ParamsError(f"a Dask worker cannot run this code: {error}. {_cure(address)}") from error
    here = facts()
    mistakes = [
        f"Dask worker {worker}: {name} is {found_there.get(name, 'unknown')}, expected {here[name]} as here."
        for worker, found_there in sorted(found.items())
        for name in here
        if found_there.get(name) != here[name]
    ]
    if mistakes:
        raise ParamsError("\n".join([*mistakes, _cure(address)]))


def facts() -> Facts:
    """Return what the bytes of a fit depend on besides the rows: versions, kernels, code."""
    import scipy.linalg  # noqa: F401, PLC0415 - loads BLAS
    from numpy.lib.introspect import opt_func_info  # noqa: PLC0415
    from threadpoolctl import threadpool_info  # noqa: PLC0415

    libraries = [part for part in threadpool_info() if part["user_api"] == "blas"]
    blas = {f"{part['version']} {part['architecture']}, {part['num_threads']} thread(s)" for part in libraries}
    kernels = {kind["current"] for kinds in opt_func_info().values() for kind in kinds.values()}
    return {
        "Python": platform.python_version(),
        "the processor's kind": platform.machine(),
        **{package: version(package) for package in PACKAGES},
        "BLAS": "; ".join(sorted(blas)),
        "numpy's kernels": ", ".join(sorted(kernels)),
        "the code in lab": code_fingerprint(Path(__file__).parent.parent),
    }


def code_fingerprint(folder: Path) -> str:
    """Return the first digits of a fingerprint of all Python code in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _client(address: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ParamsError(
            f"{SETTING} needs Dask, which is not installed. Cure: pip install dask distributed (the extra "
            f"`cluster` in pyproject.toml), or set {SETTING} to local."
        ) from error
    try:
        return Client(address, timeout=TIMEOUT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]  # as it is
    except (OSError, ValueError) as error:
        raise ParamsError(
            f"found no Dask scheduler at {address} ({str(error).splitlines()[0]}), expected an answer within "
            f"{TIMEOUT_SECONDS} seconds. Cure: start it there (python -m dask scheduler), correct the address, or set "
            f"{SETTING} to local."
        ) from error


def _cure(address: str) -> str:
    """Return the command that starts a worker like this process."""
    pinned = " ".join(f"{name}={os.environ[name]!r}" for name in PINNED if name in os.environ)
    return (
        "Cure: start each worker in a copy of this repository in its current state, in an environment from the "
        f"same requirements, as: {pinned} python -m dask worker {address} --nthreads 1"
    )

"""Connect to a Dask cluster, and refuse one whose workers would not compute the same bytes."""

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

PATIENCE = 5  # seconds for a scheduler to answer, and for a first worker to come
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "joblib", "threadpoolctl")
LARGE = 100_000  # bytes
Facts = Mapping[str, str]


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of the scheduler at an address, all of whose workers are like this process."""
    client = _client(address)
    try:
        check_workers(client, address)
        yield client
    finally:
        client.close()


def sharing(client: Any) -> Callable[[Any], Any]:
    """Return what gives for an argument what stands for it on the cluster: a large one is sent there once."""
    kept: dict[int, tuple[Any, Any]] = {}  # the argument is kept too, so that nothing else gets its id

    def share(argument: Any) -> Any:
        if id(argument) not in kept:
            large = len(pickle.dumps(argument, protocol=pickle.HIGHEST_PROTOCOL)) > LARGE
            sent = client.scatter(argument, broadcast=True, hash=False) if large else argument
            kept[id(argument)] = (argument, sent)
        return kept[id(argument)][1]

    return share


def check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or with one that has another code, other packages or other kernels."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ParamsError(
            f"the Dask scheduler at {address} has no worker, expected one or more. {_cure(address)}"
        ) from None
    try:
        found: Mapping[str, Facts] = client.run(facts)
    except ImportError as error:
        raise ParamsError(f"a Dask worker cannot run this code: {error}. {_cure(address)}") from error
    here = facts()
    mistakes = [
        f"Dask worker {worker}: {name} is {there.get(name, 'unknown')}, expected {here[name]} as here."
        for worker, there in sorted(found.items())
        for name in here
        if there.get(name) != here[name]
    ]
    if mistakes:
        raise ParamsError("\n".join([*mistakes, _cure(address)]))


def facts() -> Facts:
    """Return what the bytes of a fit depend on in this process, besides the rows."""
    import scipy.linalg  # noqa: F401, PLC0415 - loads the BLAS that is asked about
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
        "the code in lab": code_of(Path(__file__).parent.parent),
    }


def code_of(folder: Path) -> str:
    """Return the first digits of a fingerprint of all Python code below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _client(address: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ParamsError(
            f"{SETTING} asks for Dask, which is not installed. Cure: pip install dask distributed (the extra "
            f"`cluster` in pyproject.toml), or set {SETTING} to local."
        ) from error
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]  # as it is
    except (OSError, ValueError) as error:
        raise ParamsError(
            f"found no Dask scheduler at {address} ({str(error).splitlines()[0]}), expected one that answers within "
            f"{PATIENCE} seconds. Cure: start it there (python -m dask scheduler), correct the address, or set "
            f"{SETTING} to local."
        ) from error


def _cure(address: str) -> str:
    """Return how to start a worker that computes what this process would."""
    pinned = " ".join(f"{name}={os.environ[name]!r}" for name in PINNED if name in os.environ)
    return (
        "Cure: start each worker in a copy of this repository as it stands here, in an environment installed from the "
        f"same requirements, as: {pinned} python -m dask worker {address} --nthreads 1"
    )

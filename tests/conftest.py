"""Pin the kernels, mark slow tests, and start the shared project early."""

import lab.core.determinism  # noqa: F401 - before numpy

import os
import signal
import threading
from functools import cache
from types import ModuleType

import pytest

from tests.history import history_of
from tests.project import copy_project

# Tests that use these run a DAG, DVC many times, or a server.
SLOW_HELPERS = (
    "tests.history",
    "tests.ops.four_stages",
    "tests.ops.packable",
    "tests.ops.revised",
    "tests.ops.toy",
    "tests.ops.trivial",
    "tests.remotes",
    "tests.runner",
    "tests.serving.server",
)
MANY = 400
WEEKLY = pytest.mark.skipif("LAB_WEEKLY" not in os.environ, reason="runs weekly: make weekly")
# A background job of a shell ignores SIGINT, and child processes inherit that; tests need SIGINT.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A person's clone is tested: where CI is set, some verbs refuse what only a person may do.
os.environ.pop("CI", None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return a worker for each processor, and one more for slow tests: these often wait for a server or a timer."""
    more = 0 if config.option.markexpr == "not slow" else 1
    return (os.cpu_count() or 1) + more


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as slow by what they use; run slow tests first, so that all workers end at about the same time."""
    for item in items:
        if isinstance(item, pytest.Function) and _uses_slow_helpers(item.module):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("weekly"):
            item.add_marker(WEEKLY)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start to make the project with a history, in parallel to the first slow tests; all workers need it later."""
    slow = sum(item.get_closest_marker("slow") is not None for item in session.items)
    if slow > MANY and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # a fixture would come too late
        threading.Thread(target=history_of, args=(factory,), daemon=True).start()


@cache
def _uses_slow_helpers(module: ModuleType) -> bool:
    return any(
        value is copy_project or str(getattr(value, "__module__", "")).startswith(SLOW_HELPERS)
        for value in vars(module).values()
    )

"""Pin the kernels as the stages do, and start the shared project early."""

import lab.core.determinism  # noqa: F401 - before numpy

import os
import signal
import threading

import pytest

from tests.history import history_of

A_WHOLE_SUITE = 2000
# A background job of a shell ignores SIGINT, and child processes inherit that; tests need SIGINT.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start to make the project with a history, in parallel to the first tests; both workers need it later."""
    if len(session.items) > A_WHOLE_SUITE and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # a fixture would come too late
        threading.Thread(target=history_of, args=(factory,), daemon=True).start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that both workers end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)

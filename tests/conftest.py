"""Set up for every test: the same pinned kernels as the stages, and in time what many tests will ask for."""

import lab.core.determinism  # noqa: F401 - before numpy

import os
import signal
import threading

import pytest

from tests.history import history_of

A_WHOLE_SUITE = 2000
# A shell's background job ignores Ctrl-C, and what it starts inherits that; what a test starts must hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the project with a past at once, beside the first tests: both workers would come to need it, and wait."""
    if len(session.items) > A_WHOLE_SUITE and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # a fixture would come too late
        threading.Thread(target=history_of, args=(factory,), daemon=True).start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long ones first, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)

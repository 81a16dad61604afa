"""Tests of one group run in one worker, so that what they share is set up once."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_workers_see_the_groups(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there are no workers: -n0")
    assert request.node.nodeid.endswith("@together")

"""Fewer trees for tests that do not measure the domain classifier."""

import pytest


@pytest.fixture(autouse=True)
def fewer_trees(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.module.__name__.endswith("test_domain_classifier"):
        monkeypatch.setattr("lab.drift.domain_classifier.TREES", 20)

"""Fewer trees for tests that do not measure the importance of settings."""

from functools import partial

import pytest
from optuna.importance import FanovaImportanceEvaluator


@pytest.fixture(autouse=True)
def fewer_trees(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.module.__name__.endswith("test_importance"):
        monkeypatch.setattr(
            "optuna.importance.FanovaImportanceEvaluator", partial(FanovaImportanceEvaluator, n_trees=4)
        )

"""Each request that OpenAPI allows is answered with a documented status."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.core.result import Err

from tests.serving.served import explained_folder
from tests.serving.server import served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    champion = explained_folder(folder / "champion", "histogram_gradient_boosting")
    with served(
        folder, champion=str(champion), log=str(folder / "log"), most_rows="5", seconds_to_keep_alive="60"
    ) as opened:
        yield opened


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.name.lower())
def test_every_status_is_documented(address: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations: list[Any] = [found.ok() for found in schema.get_all_operations() if not isinstance(found, Err)]
    assert {operation.path for operation in operations} >= {
        "/predict",
        "/predict/batch",
        "/explain",
        "/feedback",
        "/model",
    }
    for operation in operations:
        if mode is GenerationMode.POSITIVE or operation.body:
            ask(operation, mode)


def ask(operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    def asked(case: Any) -> None:
        case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])

    asked()

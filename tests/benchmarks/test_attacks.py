"""Small forms of the attacks leave the server small, and other clients are answered."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.attacks import COMMAND, attacked, attacks
from tests.serving.served import ROWS, model_folder

pytestmark = pytest.mark.slow
FEWER = {"1,000 unfinished small bodies", "1,100 silent connections", "5,000 silent connections", "300 half-sent heads"}
MEGABYTES = 128


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("attacked") / "champion")


@pytest.mark.parametrize("name", sorted(set(attacks()) - FEWER))
def test_an_attack_leaves_the_server_small_and_others_answered(champion: Path, name: str) -> None:
    attack = attacks(scale=0.25)[name]
    outcome = asyncio.run(attacked(name, attack, champion=champion, row=ROWS[0], seconds=0.5, command=COMMAND))
    assert outcome.megabytes_at_peak < MEGABYTES
    assert outcome.failed == 0
    assert outcome.answered > 0

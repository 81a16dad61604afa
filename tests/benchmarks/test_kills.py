"""A seeded sample of the kills of `python -m benchmarks.kills`."""

import random
import subprocess
from pathlib import Path

import pytest

from benchmarks import kills
from benchmarks.kills import CASES, MARK, measured, until_nothing_runs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dvc repro", "ops repro --jobs 2", "ops promote"])
def test_after_a_kill_nothing_runs_and_the_same_call_or_its_cure_gives_the_same_bytes(
    tmp_path: Path, name: str
) -> None:
    (kill,) = measured(CASES[name], tmp_path / "case", count=1, rng=random.Random(f"1 {name}"))  # noqa: S311
    assert (kill.survivors, kill.differing) == (0, ()), kill


def test_a_process_that_goes_on_is_found_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "MOST_SECONDS", 0.0)
    with subprocess.Popen(["sleep", "600"], env={MARK: str(tmp_path)}) as process:
        assert until_nothing_runs(str(tmp_path))[1] == 1
    assert process.returncode == -9

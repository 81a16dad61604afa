"""A server follows promotions and rollbacks with no downtime."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.core.errors import ParamsError
from ops.pack.command import pack
from tests.ops.packable import assign, packable
from tests.project import QUIET, run
from tests.serving.asking import wait_until
from tests.serving.going_on import constant_requests, version_at
from tests.serving.server import served

pytestmark = pytest.mark.xdist_group("packable")  # made once for all tests of the group


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packable(tmp_path_factory.mktemp("watch") / "origin")


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    """Return a clone with the cache of the other, as one that shares a remote has."""
    run(["git", "clone", "--quiet", "--no-local", str(origin), str(tmp_path / "clone")], cwd=origin)
    run(["dvc", "cache", "dir", "--local", str(origin / ".dvc/cache")], cwd=tmp_path / "clone")
    return tmp_path / "clone"


@contextmanager
def followed(clone: Path, *options: str) -> Iterator[Path]:
    """Yield the file that tells what a watcher of the clone says."""
    said = clone.with_name("watch.txt")
    command = [sys.executable, "-m", "ops", "pack", *options, "--watch", "0.2"]
    environment = {**QUIET, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    with said.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_a_promotion_and_a_rollback_are_taken_over_and_no_request_is_lost(
    origin: Path, clone: Path, tmp_path: Path
) -> None:
    champion = clone / "served/champion"
    with followed(clone, "--stage", "production") as said:
        wait_until(champion.exists, said.read_text)
        with (
            served(tmp_path / "server", champion=str(champion), seconds_between_looks="0.1") as address,
            constant_requests(address) as answers,
        ):
            assert version_at(address) == "v1.0.0"
            for version in (2, 1):
                assign(origin, "production", version=version)
                wait_until(lambda: version_at(address) == f"v{version}.0.0", said.read_text)  # noqa: B023 - called here
                before = answers.total()
                wait_until(lambda: answers.total() > before + 20, said.read_text)  # noqa: B023 - called here
    assert set(answers) == {200}
    packed = [line for line in said.read_text().splitlines() if line.startswith("served/")]
    assert [line.rsplit(",", 1)[0] for line in packed] == [
        f"served/champion: churn {version}" for version in ("v1.0.0", "v2.0.0", "v1.0.0")
    ]


def test_what_goes_wrong_is_told_once_and_packed_when_it_can_be(origin: Path, clone: Path) -> None:
    away = origin.with_name("away")
    with followed(clone, "--stage", "staging") as said:
        wait_until(lambda: "No version of churn is in the stage staging" in said.read_text(), said.read_text)
        origin.rename(away)
        try:
            wait_until(lambda: "git ls-remote with the remote origin failed" in said.read_text(), said.read_text)
        finally:
            away.rename(origin)
        assign(origin, "staging", version=2)
        wait_until(lambda: "churn v2.0.0" in said.read_text(), said.read_text)
    assert said.read_text().count("No version of churn") == 1
    assert (clone / "served/champion/manifest.json").exists()


def test_a_version_that_never_becomes_another_is_not_watched(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clone)
    with pytest.raises(ParamsError, match="Cure: --stage or --revision"):
        pack.main(["--version", "1", "--watch", "1"], standalone_mode=False)

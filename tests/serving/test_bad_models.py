"""A bad model folder is refused and shown, and the last good model answers."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import serving.app
from lab.compiled.files import parse_arrays
from lab.core.errors import ModelError
from serving.app import create_application
from serving.models import load_model
from serving.settings import Settings
from tests.serving.asking import numbers_in, wait_until
from tests.serving.bad_models import (
    BAD,
    LINEAR,
    TREES,
    bad_folder,
    compressed_zeros,
    declared,
    good_folders,
    pipe_in_place_of,
)
from tests.serving.served import ROWS, model_folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return good_folders(tmp_path_factory.mktemp("good"))


def point(link: Path, folder: Path) -> None:
    new = link.with_name("new")
    new.symlink_to(folder.resolve())
    new.replace(link)


@contextmanager
def serving_from(link: Path, folder: Path, **settings: Any) -> Iterator[TestClient]:
    point(link, folder)
    served = Settings(champion=link, seconds_between_looks=0.02, **settings)
    with TestClient(create_application(served), raise_server_exceptions=False) as client:
        yield client


def answers(client: TestClient) -> tuple[float, str]:
    answer = client.post("/predict", json={"features": ROWS[0]})
    assert answer.status_code == 200, answer.text
    return answer.json()["score"], answer.json()["fingerprint"]


def refused(client: TestClient) -> dict[str, str]:
    found: dict[str, str] = client.get("/ready").json()["refused_models"]
    return found


def load_and_request(folder: Path, **settings: Any) -> None:
    with TestClient(create_application(Settings(champion=folder, **settings))):
        pass


@pytest.mark.parametrize("name", BAD)
def test_the_last_good_model_answers_and_the_next_good_one_is_taken(
    name: str, good: dict[str, Path], tmp_path: Path
) -> None:
    variant, damage = BAD[name]
    bad, champion = bad_folder(tmp_path / "bad", good[variant], damage), tmp_path / "champion"
    with pytest.raises(ModelError):
        load_and_request(bad)
    with serving_from(champion, good["naive_bayes"]) as client:
        before = answers(client)
        point(champion, bad)
        wait_until(lambda: list(refused(client)) == ["champion"], lambda: client.get("/ready").text)
        assert client.get("/ready").status_code == 200
        assert str(tmp_path) not in refused(client)["champion"]
        assert answers(client) == before
        assert numbers_in(client.get("/metrics").text)["lab_model_refused{arm=champion}"] == 1
        point(champion, good[TREES])
        wait_until(lambda: not refused(client), lambda: client.get("/ready").text)
        assert answers(client)[1] == load_model(good[TREES]).fingerprint
        assert numbers_in(client.get("/metrics").text)["lab_model_refused{arm=champion}"] == 0
        assert client.get("/model").status_code == client.get("/openapi.json").status_code == 200


def test_a_pipe_in_place_of_a_file_is_refused(good: dict[str, Path], tmp_path: Path) -> None:
    bad = bad_folder(tmp_path / "bad", good[LINEAR], lambda _parts: None)
    load_model(bad)
    pipe_in_place_of(bad / "about.json")
    with pytest.raises(ModelError, match="not a regular file"):
        load_model(bad)


def test_a_model_is_refused_above_the_limit_of_its_files(good: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected at most 1000"):
        load_model(good[LINEAR], most_bytes=1000)


@pytest.mark.parametrize(
    "content",
    [compressed_zeros(200), declared((25_000_000,)), declared((0, 10**15, 10**9))],
    ids=["compressed", "declared", "empty"],
)
def test_declared_and_unpacked_sizes_take_no_memory(content: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="no plain arrays"):
            parse_arrays(content, Path("compiled.npz"))
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content) + 1_000_000
    finally:
        tracemalloc.stop()


def test_arms_whose_features_differ_in_kind_are_refused(good: dict[str, Path], tmp_path: Path) -> None:
    def of_another_kind(parts: Any) -> None:
        parts.manifest["inputs"]["features"]["empty"] = {"kind": "category"}

    other = bad_folder(tmp_path / "other", good[LINEAR], of_another_kind)
    load_and_request(other)
    with pytest.raises(ModelError, match=r"differ in the kind of \['empty'\]"):
        load_and_request(good[LINEAR], challenger=other, shadow=True)


def test_a_bad_challenger_leaves_the_champion_free_to_change(good: dict[str, Path], tmp_path: Path) -> None:
    champion, challenger = tmp_path / "champion", tmp_path / "challenger"
    point(challenger, good[LINEAR])
    bad = bad_folder(tmp_path / "bad", good[LINEAR], BAD["coefficients are NaN"][1])
    with serving_from(champion, good["naive_bayes"], challenger=challenger, challenger_share=0.5) as client:
        point(challenger, bad)
        wait_until(lambda: list(refused(client)) == ["challenger"], lambda: client.get("/ready").text)
        point(champion, good[TREES])
        wanted = load_model(good[TREES]).fingerprint
        wait_until(lambda: answers(client)[1] == wanted, lambda: client.get("/ready").text)
        assert list(refused(client)) == ["challenger"]
        assert client.get("/model").json()["challenger"]["fingerprint"] == load_model(good[LINEAR]).fingerprint


def test_a_refused_folder_is_read_again_only_after_a_change(
    good: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = model_folder(tmp_path / "champion")
    path = folder.resolve() / "compiled.npz"
    whole = path.read_bytes()
    with TestClient(create_application(Settings(champion=folder, seconds_between_looks=0.01))) as client:
        path.write_bytes(whole[:-1] + b"\1")
        wait_until(lambda: list(refused(client)) == ["champion"], lambda: client.get("/ready").text)
        for _ in range(20):
            client.get("/ready")
        assert caplog.text.count("keeping the current one") == 1
        path.write_bytes(whole)
        wait_until(lambda: not refused(client), lambda: client.get("/ready").text)


def test_an_error_that_nobody_foresaw_does_not_end_the_watch(
    good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    champion = tmp_path / "champion"
    with serving_from(champion, good[LINEAR]) as client:
        with monkeypatch.context() as patched:
            patched.setattr(serving.app, "reload_arms", lambda _served: 1 / 0)
            wait_until(lambda: "cannot check the model folders" in caplog.text, lambda: caplog.text)
        point(champion, good[TREES])
        wanted = load_model(good[TREES]).fingerprint
        wait_until(lambda: answers(client)[1] == wanted, lambda: client.get("/ready").text)


def test_good_folders_are_what_the_bad_ones_are_made_of(good: dict[str, Path], tmp_path: Path) -> None:
    for variant in (LINEAR, TREES):
        folder = bad_folder(tmp_path / variant, good[variant], lambda _parts: None)
        load_and_request(folder)
        assert json.loads((folder / "about.json").read_text())["reasons"]

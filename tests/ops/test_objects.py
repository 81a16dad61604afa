"""Outputs are read as dvc.lock records them, from any place, or not at all."""

import json
from hashlib import md5
from pathlib import Path

import pytest

from ops.revisions.lock import parse_lock
from ops.revisions.objects import Objects, UnavailableError
from tests.cures import hold_to_cure
from tests.project import run

pytestmark = pytest.mark.slow

MODEL = b"a model"
ROWS = {"train.parquet": b"rows to train on", "deep/test.parquet": b"rows to test on"}
CONFIG = "[core]\n    remote = storage\n    analytics = false\n['remote \"storage\"']\n    url = storage\n"


def name_of(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


LIST = json.dumps([{"md5": name_of(rows), "relpath": path} for path, rows in sorted(ROWS.items())]).encode()
TABLE = f"{name_of(LIST)}.dir"
CONTENTS = {name_of(MODEL): MODEL, TABLE: LIST, **{name_of(rows): rows for rows in ROWS.values()}}
LOCK = parse_lock(
    f"""schema: '2.0'
stages:
  train:
    cmd: python -m stages.train
    outs:
    - path: models/best
      md5: {name_of(MODEL)}
    - path: data/features
      md5: {TABLE}
    - path: data/features_of_old
      md5: {name_of(MODEL)}
""".encode()
)


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "machine"))


def repository(tmp_path: Path, *places: str) -> Path:
    """Return a repository of DVC's with every object in these places: cache, storage."""
    root = tmp_path / "repository"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text(CONFIG)
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n/storage\n")
    run(["git", "init", "--quiet"], cwd=root)
    for place in places:
        for name, content in CONTENTS.items():
            put(root, place, name, content)
    return root


def put(root: Path, place: str, name: str, content: bytes) -> None:
    path = root / ".dvc" / place / "files/md5" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize("place", ["cache", "storage"])
def test_an_output_is_read_from_the_cache_or_else_from_the_remote(tmp_path: Path, place: str) -> None:
    objects = Objects(repository(tmp_path, place))
    assert objects.output(LOCK, "models/best") == MODEL
    assert objects.output(LOCK, "data/features/deep/test.parquet") == ROWS["deep/test.parquet"]


def test_a_folder_is_not_taken_for_another_whose_name_begins_alike(tmp_path: Path) -> None:
    assert Objects(repository(tmp_path, "cache")).output(LOCK, "data/features_of_old") == MODEL


@pytest.mark.parametrize(
    "content", [b"", MODEL[:-1], b"A model", MODEL + b"\n"], ids=["empty", "cut", "flipped", "more"]
)
def test_what_is_damaged_in_the_cache_comes_from_the_remote(tmp_path: Path, content: bytes) -> None:
    root = repository(tmp_path, "cache", "storage")
    put(root, "cache", name_of(MODEL), content)
    assert Objects(root).output(LOCK, "models/best") == MODEL


@pytest.mark.parametrize(
    ("damaged", "found", "cure"),
    [
        (["cache"], "damaged in the cache", "dvc push"),
        (["storage"], "damaged in the remote", "mend the storage"),
        (["cache", "storage"], "damaged in the cache and in the remote", "mend the storage"),
        ([], "neither in the cache nor on the remote", "dvc push"),
    ],
    ids=["cache", "remote", "both", "nowhere"],
)
def test_what_cannot_be_had_whole_is_refused_with_its_place_and_a_cure(
    tmp_path: Path, damaged: list[str], found: str, cure: str
) -> None:
    root = repository(tmp_path)
    for place in damaged:
        put(root, place, name_of(MODEL), b"damaged")
    with pytest.raises(UnavailableError, match=rf"models/best \({name_of(MODEL)}\) is {found}, expected .*{cure}"):
        Objects(root).output(LOCK, "models/best")


def test_a_damaged_list_of_a_folder_is_refused_before_it_is_believed(tmp_path: Path) -> None:
    root = repository(tmp_path, "cache")
    put(root, "cache", TABLE, LIST.replace(b"train", b"trial"))
    with pytest.raises(UnavailableError, match=r"data/features .* is damaged in the cache"):
        Objects(root).output(LOCK, "data/features/trial.parquet")


def test_a_file_that_a_folder_lacks_is_refused_with_those_it_has(tmp_path: Path) -> None:
    objects = Objects(repository(tmp_path, "cache"))
    with pytest.raises(UnavailableError, match=r"has no file old.csv; it has \['deep/test.parquet', 'train.parquet'\]"):
        objects.output(LOCK, "data/features/old.csv")
    hold_to_cure(
        "ops/revisions/objects.py: correct the name.",
        lambda: objects.output(LOCK, "data/features/old.csv"),
        lambda: objects.output(LOCK, "data/features/train.parquet"),
    )


def test_what_no_stage_writes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"data/raw/sales.parquet is no output in dvc.lock"):
        Objects(repository(tmp_path)).output(LOCK, "data/raw/sales.parquet")


def test_a_repository_without_a_remote_says_so(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / ".dvc/config").write_text("")
    with pytest.raises(UnavailableError, match=r"could not be asked: .*no remote specified"):
        Objects(root).output(LOCK, "models/best")


def test_reading_leaves_the_repository_as_it_was(tmp_path: Path) -> None:
    root = repository(tmp_path, "storage")
    before = {path for path in root.rglob("*") if ".dvc/tmp" not in str(path)}
    Objects(root).output(LOCK, "models/best")
    assert {path for path in root.rglob("*") if ".dvc/tmp" not in str(path)} == before

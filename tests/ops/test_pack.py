"""A model packed for serving is the registry's own, whole or not there at all."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.compiled.files import read_compiled
from lab.core.schema import SCHEMA, load_schema
from lab.model_files.manifest import read_manifest
from lab.models.frames import frame_of
from tests.history import copy_of_history
from tests.project import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("history")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("pack") / "project")


def pack(project: Path, *arguments: str, code: int = 0) -> str:
    done = run(["python", "-m", "ops", "pack", *arguments], cwd=project, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_a_packed_model_gives_the_scores_that_the_pipeline_gave(project: Path) -> None:
    pack(project, "--revision", "first", "--model", "challenger", "--output", "served/challenger")
    served = project / "served/challenger"
    rows = pq.read_table(project / "data/features/test.parquet")
    frame = frame_of(rows, read_manifest(project / "models/challenger").inputs.features)
    scores = read_compiled(served).scores({str(name): frame[name].to_numpy() for name in frame})
    recorded = pq.read_table(project / "data/predictions/test.parquet")["challenger_score"].to_pylist()
    assert scores.tolist() == recorded


def test_it_says_what_it_is_with_intervals_and_words(project: Path) -> None:
    pack(project)
    about = json.loads((project / "served/champion/about.json").read_text())
    assert (about["task"], about["version"], about["model"]) == ("churn", None, "champion")
    assert about["commit"] == run(["git", "rev-parse", "HEAD"], cwd=project).stdout.strip()
    low, high = about["metrics"]["roc_auc"]["interval_95"]
    assert low < about["metrics"]["roc_auc"]["value"] < high
    assert about["words"]
    columns = pq.read_schema(project / "data/features/test.parquet")
    integers = {column.name for column in columns if pa.types.is_integer(column.type)}
    features = set(load_schema(project / SCHEMA).features)
    assert features & set(about["whole_numbers"]) == features & integers != set()


def test_the_version_in_a_stage_is_found_by_its_tag(project: Path) -> None:
    run(["git", "tag", "-a", "churn@v1.0.0", "-m", "one", "first"], cwd=project)
    run(["git", "tag", "-a", "churn#production#1", "-m", "one", "first"], cwd=project)
    assert "churn v1.0.0" in pack(project, "--stage", "production")
    assert json.loads((project / "served/champion/about.json").read_text())["version"] == "v1.0.0"
    assert "No version of churn is in the stage staging" in pack(project, "--stage", "staging", code=2)
    assert "expected one of [1]" in pack(project, "--version", "7", code=2)


def test_packing_again_exchanges_the_folder_and_leaves_no_other(project: Path) -> None:
    for _ in range(2):
        pack(project, "--output", "again/champion")
    assert sorted(path.name for path in (project / "again").iterdir() if not path.name.startswith(".")) == ["champion"]
    assert len(list((project / "again").iterdir())) == 2  # the link, and the one folder that it points to


def test_a_folder_of_somebody_else_is_not_touched(project: Path) -> None:
    mine = project / "mine"
    mine.mkdir()
    (mine / "note.txt").write_text("mine")
    assert "expected a link made by `pack`" in pack(project, "--output", "mine", code=2)
    assert (mine / "note.txt").read_text() == "mine"


def test_a_damaged_object_is_never_served(project: Path) -> None:
    for folder in (".dvc/cache/files/md5", ".dvc/storage/files/md5"):
        for path in (project / folder).rglob("*"):
            if path.is_file() and b'"kind"' in (content := path.read_bytes())[:200] and b"trees" in content:
                path.chmod(0o644)
                path.write_bytes(content[:-1] + b" ")
    assert "damaged" in pack(project, "--model", "challenger", "--revision", "HEAD", "--output", "x/y", code=2)
    assert not (project / "x/y").exists()

"""GTO makes the tags that the registry reads."""

from pathlib import Path

import pytest

from lab.core.errors import LabError
from ops.dvc.tags import tag_stage, tag_version
from tests.ops.trivial import trivial
from tests.project import QUIET, run

ARTIFACT = "artifacts:\n  churn: {path: model.txt, type: model}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return trivial(tmp_path / "toy", ARTIFACT, files={"model.txt": "a model\n"})


def test_a_version_and_its_stage_are_annotated_tags(folder: Path) -> None:
    version = tag_version(folder, name="churn", commit="HEAD", version="v1.0.0", message="Register it")
    stage = tag_stage(folder, name="churn", version="v1.0.0", stage="production", message="Put it there")
    assert (version, stage) == ("churn@v1.0.0", "churn#production#1")
    shown = run(["git", "for-each-ref", "--format=%(refname:short) %(subject)", "refs/tags"], cwd=folder).stdout
    assert shown.splitlines() == ["churn#production#1 Put it there", "churn@v1.0.0 Register it"]
    again = tag_stage(folder, name="churn", version="v1.0.0", stage="production", message="Once more")
    assert again == "churn#production#2"


def test_what_gto_refuses_is_an_error_with_a_cure(folder: Path) -> None:
    with pytest.raises(LabError, match=r"GTO refused: .*Look at what it has with `gto show`"):
        tag_stage(folder, name="churn", version="v9.0.0", stage="production", message="There is none")

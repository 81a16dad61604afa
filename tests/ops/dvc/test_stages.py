"""DVC's stages without their lock, and with an entry of any lock."""

import shutil
from pathlib import Path

import pytest

from lab.core.errors import ParamsError
from ops.dvc.stages import Pipeline, data_file, files_in, files_read, fingerprint_of, is_setting, path_of
from ops.revisions.lock import entries_of
from tests.cures import apply_cure, hold_to_cure
from tests.ops.four_stages import make_four_stages, write
from tests.project import run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_four_stages(tmp_path_factory.mktemp("stages") / "made")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "toy", symlinks=True))


def test_a_foreach_stage_is_one_for_each_key_and_producers_come_first(made: Path) -> None:
    pipeline = Pipeline(made)
    assert pipeline.names == ("make", "fit@low", "fit@mid", "fit@high", "choose", "tell")
    assert pipeline.producers("choose") == ["fit@low", "fit@mid", "fit@high"]
    assert pipeline.writers["models/low"] == "fit@low"


def test_a_stage_has_the_fingerprints_of_the_entry_and_none_without(made: Path) -> None:
    entry = entries_of((made / "dvc.lock").read_bytes())["tell"]
    stage = Pipeline(made).stage("tell", entry)
    assert {path_of(each): fingerprint_of(each) for each in files_read(stage)} == {
        each["path"]: each["md5"] for each in entry["deps"]
    }
    assert {fingerprint_of(each) for each in files_read(Pipeline(made).stage("tell"))} == {""}
    assert not stage.cmd_changed
    assert Pipeline(made).stage("tell", {**entry, "cmd": "another"}).cmd_changed


def test_settings_are_told_from_files_and_read_from_params(made: Path) -> None:
    stage = Pipeline(made).stage("make", entries_of((made / "dvc.lock").read_bytes())["make"])
    (setting,) = [each for each in stage.deps if is_setting(each)]
    assert (setting.def_path, setting.params, setting.read_params()) == ("params.yaml", ["seed"], {"seed": 3})
    assert setting.workspace_status() == {}


def test_outputs_of_git_and_of_dvc_are_told_apart(made: Path) -> None:
    outs = {path_of(out): out.use_cache for out in Pipeline(made).stages["choose"].outs}
    assert outs == {"chosen.txt": True, "plots/choose": False}


def test_a_folder_is_read_as_dvc_reads_it(folder: Path) -> None:
    write(folder / ".dvcignore", "*.swp\n")
    write(folder / "data/source/.rows.swp", "")
    pipeline = Pipeline(folder)
    (source,) = [each for each in files_read(pipeline.stages["make"]) if path_of(each) == "data/source"]
    assert list(files_in(source)) == ["rows.txt"]
    assert pipeline.reads("data/source/rows.txt")
    assert not pipeline.reads("data/source/.rows.swp")


def test_data_that_dvc_was_given_is_a_stage_of_its_file(folder: Path) -> None:
    write(folder / "given/data.csv", "x")
    run(["dvc", "add", "--quiet", "given/data.csv"], cwd=folder)
    run(["git", "add", "given"], cwd=folder)
    (stage,) = Pipeline(folder).data_files
    assert data_file(stage, folder) == "given/data.csv.dvc"
    assert [path_of(out) for out in stage.outs] == ["given/data.csv"]


def test_what_dvc_cannot_read_is_refused_with_a_cure(folder: Path, tmp_path: Path) -> None:
    write(folder / "params.yaml", "seed: 3\n")
    with pytest.raises(ParamsError, match="cannot be resolved: ") as error:
        _ = Pipeline(folder).stages
    shown = "ops/dvc/stages.py: `git diff dvc.yaml params.yaml` shows what has changed"
    assert "+seed: 3" in apply_cure(str(error.value), "git diff dvc.yaml params.yaml", of=shown, cwd=folder).stdout
    run(["git", "checkout", "params.yaml"], cwd=folder)
    assert Pipeline(folder).stages
    key = "ops/dvc/stages.py: run from the root of the repository."
    hold_to_cure(key, lambda: Pipeline(tmp_path).names, lambda: Pipeline(folder).names)

"""No name of a candidate runs a shell command, under plain DVC too."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.project import OWN, ROOT, run

pytestmark = pytest.mark.slow
HOSTILE = (
    "a; touch pwned",
    "a$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "' ; touch pwned; '",
    '" ; touch pwned; "',
    "a && touch pwned #",
    "--help",
)


def repository(folder: Path, names: tuple[str, ...]) -> Path:
    """Return a repository whose dvc.yaml has the real command of stage train, without what it reads and writes."""
    train = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["train"]
    content = YAML(typ="safe").load(OWN / "params.yaml")
    content["train"]["candidates"] = {name: {"estimator": "dummy"} for name in names}
    pipeline = {"stages": {"train": {"foreach": train["foreach"], "do": {"cmd": train["do"]["cmd"]}}}}
    for name, written in {"params.yaml": content, "dvc.yaml": pipeline}.items():
        with (folder / name).open("w") as stream:
            YAML(typ="safe").dump(written, stream)
    run(["git", "init", "--quiet"], cwd=folder)
    run(["dvc", "init", "--quiet"], cwd=folder)
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_refused_by_the_stage_and_never_reaches_a_shell(name: str, tmp_path: Path) -> None:
    folder = repository(tmp_path, (name,))
    done = run(["dvc", "repro"], cwd=folder, check=False, environment={"PYTHONPATH": str(ROOT)})
    assert done.returncode != 0
    assert "expected lower-case letters, digits and underscores" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "pwned").exists()


def test_a_good_name_reaches_the_stage_from_any_folder(tmp_path: Path) -> None:
    folder = repository(tmp_path, ("plain",))
    (folder / "below").mkdir()
    for command, place in ((["dvc", "repro"], folder), (["dvc", "repro", "../dvc.yaml"], folder / "below")):
        done = run(command, cwd=place, check=False, environment={"PYTHONPATH": str(ROOT)})
        assert "data/task/money.json is missing, expected an output of stage task" in done.stderr

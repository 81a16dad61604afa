"""An entry of dvc.lock is replaced with the bytes of DVC."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.dvcfile import Lockfile

from ops.dvc.lock_entries import replaced_entries
from ops.dvc.reproduction import locked_repository, plan_of, reproduce_stage
from tests.ops.trivial import trivial
from tests.project import run

# DVC asks pygtrie in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
NAMES = ("one", "two", "three")
STAGES = "stages:\n" + "".join(
    f"  {name}:\n    cmd: cp source.txt out/{name}\n    deps: [source.txt]\n"
    f"    params: [{name}]\n    outs: [out/{name}]\n"
    for name in NAMES
)
FILES = {"source.txt": "a\n", "params.yaml": "one: 1\ntwo: 'no'\nthree: {list: [1, 2.50], text: 'a: b'}\n"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = trivial(tmp_path / "toy", STAGES, files=FILES)
    monkeypatch.chdir(folder)
    return folder


def reproduce(folder: Path, *, between: Callable[[], object] = lambda: None) -> None:
    with locked_repository(folder) as repository:
        for name, stage in plan_of(repository, []).stages.items():
            reproduce_stage(stage, upstream=(), force=False)
            if name == "two":
                between()


def test_new_and_changed_entries_are_those_of_dvc(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    own = Lockfile.dump_stages

    def dump_stages(*given: Any, **options: Any) -> None:
        calls.append("own")
        own(*given, **options)

    monkeypatch.setattr(Lockfile, "dump_stages", dump_stages)
    shutil.copytree(folder, folder.parent / "plain")
    for content in ("a\n", "b\n"):
        for each in (folder, folder.parent / "plain"):
            (each / "source.txt").write_text(content)
        calls.clear()
        reproduce(folder)
        assert calls == ["own"]  # for the first stage
        run(["dvc", "repro", "--quiet"], cwd=folder.parent / "plain")
        assert (folder / "dvc.lock").read_bytes() == (folder.parent / "plain/dvc.lock").read_bytes()


def test_what_another_process_writes_is_kept(folder: Path) -> None:
    other = "  other:\n    cmd: 'true'\n"

    def write() -> None:
        with (folder / "dvc.lock").open("a") as lock:
            lock.write(other)

    reproduce(folder, between=write)
    lock = (folder / "dvc.lock").read_text()
    assert lock.index("  two:\n") < lock.index(other) < lock.index("  three:\n")


def test_settings_with_an_alias_are_written_by_dvc(folder: Path) -> None:
    (folder / "params.yaml").write_text("one: 1\ntwo: &x [1, 2]\nthree: {a: *x, b: *x}\n")
    shutil.copytree(folder, folder.parent / "plain")
    reproduce(folder)
    run(["dvc", "repro", "--quiet"], cwd=folder.parent / "plain")
    assert (folder / "dvc.lock").read_bytes() == (folder.parent / "plain/dvc.lock").read_bytes()
    assert "*id001" in (folder / "dvc.lock").read_text()


def test_dvc_writes_by_itself_after_the_block() -> None:
    own = Lockfile.dump_stages
    with replaced_entries():
        assert Lockfile.dump_stages is not own
    assert Lockfile.dump_stages is own

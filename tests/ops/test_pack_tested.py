"""`pack` tests a model before it replaces the served one."""

from pathlib import Path
from typing import Any

import pytest

import ops.pack.pack
from lab.core.errors import ModelError
from ops.pack.pack import pack
from tests.serving.bad_models import BAD, LINEAR, bad_folder
from tests.serving.served import explained_folder

SOURCE: Any = None  # the files are given below


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.resolve().iterdir()}


@pytest.mark.parametrize("damage", ["coefficients are NaN", "a level less", "compressed arrays"])
def test_a_bad_model_is_not_packed_and_the_served_one_stays(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, output = explained_folder(tmp_path / "good"), tmp_path / "served/champion"
    bad = bad_folder(tmp_path / "bad", explained_folder(tmp_path / LINEAR), BAD[damage][1])
    found = {"files": files_of(good)}
    monkeypatch.setattr(ops.pack.pack, "_files", lambda *_source, **_root: found["files"])
    pack(SOURCE, output, root=tmp_path)
    found["files"] = files_of(bad)
    with pytest.raises(ModelError):
        pack(SOURCE, output, root=tmp_path)
    assert files_of(output) == files_of(good)
    assert len(list(output.parent.iterdir())) == 2

"""`ops why` says where a number of a result comes from."""

import json
import shutil
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab.core.errors import SourceError
from ops.__main__ import application
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from ops.why.origin import Origin, origin_of
from tests.cures import apply_cure, cure_in
from tests.ops.four_stages import commit, write
from tests.project import run

FILE = "metrics/evaluate.json"
CARD = "reports/card.md"
SCORE = f"{FILE}:test.roc_auc"
LOCK = """\
schema: '2.0'
stages:
  split:
    cmd: python -m stages.split
    outs:
    - {path: data/features, md5: 11111111aa.dir}
  train@low:
    cmd: python -m stages.train
    deps:
    - {path: data/features/train.parquet, md5: 22222222aa}
    outs:
    - {path: models/low, md5: 33333333aa.dir}
    - {path: plots/train, md5: 77777777aa.dir}
  unrelated:
    cmd: python -m stages.unrelated
    outs:
    - {path: data/other, md5: 11111111bb.dir}
  evaluate:
    cmd: python -m stages.evaluate
    deps:
    - {path: lab/core, md5: 44444444aa.dir}
    - {path: models, md5: 33333333bb.dir}
    - {path: requirements.txt, md5: 55555555aa}
    - {path: stages/evaluate.py, md5: 66666666aa}
    params:
      params.yaml: {evaluate: {resamples: 20, levels: [1, 2]}}
    outs:
    - {path: metrics/evaluate.json, md5: MD5}
    - {path: reports, md5: 88888888aa.dir}
"""


def document(score: float, recall: float) -> dict[str, Any]:
    return {"test": {"roc_auc": score}, "gates": [{"gate": "f1", "value": 1}, {"gate": "re.call", "value": recall}]}


def record(folder: Path, content: object, subject: str) -> None:
    """Commit a result, and the lock that records it."""
    text = json.dumps(content)
    write(folder / FILE, text)
    score = next(iter(content.values()))["roc_auc"] if isinstance(content, dict) else None
    write(folder / CARD, f"# Card\n| F1 | 0.7 |\n| F1 of men | 0.6 |\n| ROC AUC | {score} |\n")
    write(folder / "dvc.lock", LOCK.replace("MD5", md5(text.encode(), usedforsecurity=False).hexdigest()))
    commit(folder, subject)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose result first was a plain document; its score moved in the second commit of three."""
    folder = tmp_path_factory.mktemp("why")
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    write(folder / "plots/train/curve.json", json.dumps([1.5]))
    record(folder, document(0.75, 0.5), "start")
    record(folder, {"test": {"roc_auc": 0.8}, "document": [document(0.8, 0.5)]}, "Grow the trees")
    record(folder, {"test": {"roc_auc": 0.8}, "document": [document(0.8, 0.6)]}, "Move the recall")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def why(folder: Path, result: str = SCORE) -> Origin:
    return origin_of(result, snapshot_of(WORKSPACE, root=folder))


def test_the_origin_is_what_the_lock_records_of_the_stage(made: Path) -> None:
    found = why(made)
    assert (found.value, found.stage, found.command) == (0.8, "evaluate", "python -m stages.evaluate")
    assert (found.scripts, found.rooms) == ({"stages/evaluate.py": "6666666"}, {"lab/core": "4444444"})
    assert (found.data, found.pins) == ({"models": "3333333"}, {"requirements.txt": "5555555"})
    assert found.params == {"evaluate.resamples": 20, "evaluate.levels": [1, 2]}
    assert found.before == ("split", "train@low")
    assert found.notes == ()


def test_the_commit_that_moved_this_number_is_named_not_the_last_of_its_file(made: Path) -> None:
    moved = why(made).moved
    assert moved is not None
    assert (moved.subject, moved.old, moved.new, moved.change) == ("Grow the trees", 0.75, 0.8, 0.05)
    other = why(made, f"{FILE}:gates.re.call.value").moved
    assert other is not None
    assert (other.subject, other.old, other.new) == ("Move the recall", 0.5, 0.6)


def test_a_number_that_never_moved_came_with_its_first_commit(made: Path) -> None:
    moved = why(made, f"{FILE}:gates.f1.value").moved
    assert moved is not None
    assert (moved.subject, moved.old, moved.new, moved.change) == ("start", None, 1, None)


def test_a_file_in_an_output_folder_and_an_item_by_its_index_are_found(made: Path) -> None:
    found = why(made, "plots/train/curve.json:0")
    assert (found.value, found.stage) == (1.5, "train@low")
    assert why(made, f"./{FILE}:gates.1.value").value == 0.6


@pytest.mark.parametrize("key", ["ROC AUC", "| ROC AUC | 0.8", "4"])
def test_a_line_of_a_card_has_an_origin(made: Path, key: str) -> None:
    found = why(made, f"{CARD}:{key}")
    assert (found.result, found.value, found.stage) == (f"{CARD}:4", "| ROC AUC | 0.8 |", "evaluate")
    assert found.moved is not None
    assert found.moved.subject == "Grow the trees"
    assert found.moved.old == ("| ROC AUC | 0.75 |" if key == "ROC AUC" else None)


def test_an_edited_result_is_noted(folder: Path) -> None:
    write(folder / FILE, json.dumps(document(0.9, 0.6)))
    found = why(folder)
    assert (found.value, found.moved) == (0.9, None)
    assert found.notes == (
        "the value is not committed: 0.8 at HEAD",
        f"{FILE} is not what dvc.lock records: `dvc status` says what changed",
    )


def test_a_shallow_clone_does_not_take_its_first_commit_for_the_move(made: Path, tmp_path: Path) -> None:
    run(["git", "clone", "--quiet", "--depth=1", f"file://{made}", str(tmp_path / "clone")], cwd=tmp_path)
    found = why(tmp_path / "clone")
    assert found.moved is None
    assert found.notes == ("this clone is shallow: git fetch --unshallow brings the commits before",)


def test_the_text_has_short_lines_and_json_has_everything(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    text = CliRunner().invoke(application, ["why", SCORE], catch_exceptions=False).output
    assert text.startswith(f"{SCORE} = 0.8\n\nstage     evaluate\ncommand   python -m stages.evaluate\n")
    assert "params    evaluate.resamples = 20\n          evaluate.levels = [1, 2]\n" in text
    assert "\nmoved     0.75 → 0.8 (+0.05) in " in text
    assert max(map(len, text.splitlines())) <= 100
    found = json.loads(CliRunner().invoke(application, ["why", SCORE, "--json"], catch_exceptions=False).output)
    assert found["moved"]["subject"] == "Grow the trees"
    assert found["before"] == ["split", "train@low"]


def test_an_unknown_key_is_refused_with_the_nearest(made: Path) -> None:
    with pytest.raises(SourceError, match=r"has no key tset\.roc_auc") as refused:
        why(made, f"{FILE}:tset.roc_auc")
    cure = cure_in(str(refused.value), of="ops/why/origin.py: python -m ops why {}")
    assert cure == f"python -m ops why {SCORE}"
    assert why(made, cure.split()[-1]).value == 0.8


def test_a_missing_result_is_refused_with_what_brings_it_back(folder: Path) -> None:
    (folder / FILE).unlink()
    with pytest.raises(SourceError, match="expected as an output of stage evaluate, is not here") as refused:
        why(folder)
    key = "ops/why/origin.py: git checkout -- {}, or dvc repro {}"
    apply_cure(str(refused.value), f"git checkout -- {FILE}", of=key, cwd=folder)
    assert why(folder).value == 0.8


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (f"{FILE}:gates", f"{FILE}:gates holds several values, expected one. Add one of its keys: f1, re.call"),
        (FILE, "Add one of its keys: test, gates"),
        ("metrics/evaluat.json:x", f"not the output of a stage in dvc.lock, expected one, such as {FILE}"),
        (f"{CARD}:F1", f"Add a line's number or its words.\n  {CARD}:2  | F1 | 0.7 |\n  {CARD}:3  | F1 of"),
        (f"{CARD}:9", "has 0 lines with '9'"),
        (CARD, "has 0 lines with ''"),
    ],
)
def test_what_is_no_value_of_a_result_is_refused(made: Path, result: str, message: str) -> None:
    with pytest.raises(SourceError) as refused:
        why(made, result)
    assert message in str(refused.value)


def test_a_lock_with_conflict_marks_is_refused(folder: Path) -> None:
    write(folder / "dvc.lock", "<<<<<<< HEAD\n" + LOCK)
    with pytest.raises(SourceError, match=r"dvc\.lock at workspace is no lock file of DVC's"):
        why(folder)

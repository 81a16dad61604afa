"""Looks at a test window are counted by model and window, and are not forgotten."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ops.revisions.git import commit_of
from ops.revisions.looks import REF, Looks, count_looks, in_words
from tests.history import commit_all
from tests.ops.test_objects import name_of, put, repository
from tests.project import run


def evaluate(root: Path, model: str, labels: list[int], score: float, *, stored: bool = True) -> str:
    """Commit a lock of an evaluation, and return the commit."""
    rows = {"id": [1, 2], "label": labels, "champion_score": [0.5, 0.5], "challenger_score": [score, score]}
    pq.write_table(pa.table(rows), root / "rows")
    table = (root / "rows").read_bytes()
    (root / "rows").unlink()
    listing = json.dumps([{"md5": name_of(table), "relpath": "test.parquet"}]).encode()
    predictions = f"{name_of(listing)}.dir"
    if stored:
        put(root, "cache", name_of(table), table)
        put(root, "cache", predictions, listing)
    (root / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  evaluate:\n    cmd: python -m stages.evaluate\n"
        f"    deps:\n    - path: models/challenger\n      md5: {model}\n"
        f"    outs:\n    - path: data/predictions\n      md5: {predictions}\n"
    )
    commit_all(root, model)
    return commit_of("HEAD", root=root)


def test_models_of_one_window_count_once_each_also_after_they_are_removed(tmp_path: Path) -> None:
    root = repository(tmp_path)
    start = evaluate(root, "a", [0, 1], 0.1)
    evaluate(root, "b", [0, 1], 0.2)
    evaluate(root, "b", [0, 1], 0.3)  # the same model, evaluated by other code
    other = evaluate(root, "a", [1, 1], 0.1)  # another window
    assert (count_looks(start, root=root), count_looks(other, root=root)) == (Looks(2, 0), Looks(1, 0))
    tip = commit_of(REF, root=root)
    run(["git", "reset", "--quiet", "--hard", start], cwd=root)
    assert count_looks(start, root=root) == Looks(2, 0)
    evaluate(root, "c", [0, 1], 0.4)
    assert count_looks(start, root=root) == Looks(3, 0)
    assert commit_of(f"{REF}^", root=root) == tip


def test_a_model_whose_rows_are_gone_is_named_as_not_counted(tmp_path: Path) -> None:
    root = repository(tmp_path)
    start = evaluate(root, "a", [0, 1], 0.1)
    evaluate(root, "b", [0, 1], 0.2, stored=False)
    looks = count_looks(start, root=root)
    assert looks == Looks(1, 1)
    assert in_words(looks) == [
        "Look 1 on this test window: no correction.",
        "Evaluated models whose test rows are in no store, not counted: 1.",
    ]

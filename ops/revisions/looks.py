"""Count the models that were evaluated on a test window."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from lab.core.errors import LabError
from lab.predictions.predictions import FOLDER, MODELS, score_column
from ops.revisions.git import content_at, git, lines_of
from ops.revisions.lock import LOCK, LockedStage, parse_lock
from ops.revisions.objects import Objects

REF = "refs/lab/looks"
RECORD = "looks.json"
PREDICTIONS = FOLDER / "test.parquet"
CHALLENGER = "models/challenger"
LEVEL = 0.05  # of one look: promotion asks for a 95 % interval above 0
AUTHOR = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "ops looks"), ("EMAIL", "looks@localhost"))
}


@dataclass(frozen=True)
class Looks:
    """Distinct challengers evaluated on one window; `unknown` are those whose rows no store has, on any window."""

    count: int
    unknown: int


def count_looks(base: str, *, root: Path) -> Looks:
    """Return the looks at the test window of a commit, after all that git reaches are added to the record.

    A look is a challenger that was evaluated on the window; the same bytes again are the same look. Experiments count,
    and those that were removed count once they are in the record.
    """
    objects, windows, unknown = Objects(root), _record(root), set()
    for commit in _commits(root):
        with suppress(LabError):  # a lock that cannot be read names no model
            stages = _stages(commit, root)
            key = _evaluation(stages)
            if key is None or key in windows:
                continue
            try:
                windows[key] = window_of(objects.output(stages, str(PREDICTIONS)))
            except LabError:
                unknown.add(_model(key))
    _write(windows, root=root)
    window = windows.get(_evaluation(_stages(base, root)) or "")
    seen = {_model(key) for key, each in windows.items() if each == window}
    return Looks(len(seen), len(unknown - set(map(_model, windows))))


def window_of(predictions: bytes) -> str:
    """Return a digest of the keys and labels of a table of predictions, whatever the models' scores are."""
    table = pq.read_table(pa.BufferReader(predictions))
    rows = table.drop_columns([name for name in map(score_column, MODELS) if name in table.column_names])
    text = pa.BufferOutputStream()
    pyarrow.csv.write_csv(rows.select(sorted(rows.column_names)), text)
    return hashlib.md5(text.getvalue().to_pybytes(), usedforsecurity=False).hexdigest()


def in_words(looks: Looks) -> list[str]:
    """Return what the number of looks means for a claim on the test window.

    >>> in_words(Looks(4, 0))
    ['Look 4 on this test window: the best of 4 models is better at p < 0.0125 (0.05 / 4, Bonferroni).']
    """
    known = (
        f"Look {looks.count} on this test window: the best of {looks.count} models is better at "
        f"p < {LEVEL / looks.count:.3g} ({LEVEL:g} / {looks.count}, Bonferroni)."
        if looks.count > 1
        else "Look 1 on this test window: no correction."
        if looks.count
        else "Looks on this test window: not known, its rows are in no store."
    )
    more = f"Evaluated models whose test rows are in no store, not counted: {looks.unknown}."
    return [known, *([more] if looks.unknown else [])]


def _stages(commit: str, root: Path) -> dict[str, LockedStage]:
    return parse_lock(content_at(commit, LOCK, root=root) or b"", where=f"{LOCK} at {commit}")


def _evaluation(stages: Mapping[str, LockedStage]) -> str | None:
    """Return the fingerprints of the challenger and of its predictions; None where it was not evaluated."""
    if "evaluate" not in stages:
        return None
    model = stages["evaluate"].dependencies.get(CHALLENGER)
    predictions = stages["evaluate"].outputs.get(str(FOLDER))
    return None if model is None or predictions is None else f"{model.md5} {predictions.md5}"


def _model(key: str) -> str:
    return key.split(maxsplit=1)[0]


def _commits(root: Path) -> list[str]:
    """Return one commit for each lock that a branch, a tag or an experiment reaches."""
    commits = lines_of("log", "--all", "--full-history", "-m", "--format=%H", "--", LOCK, root=root)
    return list(dict.fromkeys(commits))


def _record(root: Path) -> dict[str, str]:
    tip = git("rev-parse", "--verify", "--quiet", REF, root=root, check=False).stdout.decode().strip()
    content = content_at(tip, RECORD, root=root) if tip else None
    return {} if content is None else {str(key): str(window) for key, window in json.loads(content).items()}


def _write(windows: Mapping[str, str], *, root: Path) -> None:
    """Add the looks to the record, a chain of commits; nothing is written where all are known."""
    if windows == _record(root):
        return
    text = json.dumps(windows, indent=1, sort_keys=True).encode()
    blob = git("hash-object", "-w", "--stdin", root=root, given=text).stdout.decode().strip()
    tree = git("mktree", root=root, given=f"100644 blob {blob}\t{RECORD}\n".encode()).stdout.decode().strip()
    old = git("rev-parse", "--verify", "--quiet", REF, root=root, check=False).stdout.decode().strip()
    parent = ["-p", old] if old else []
    made = git("commit-tree", tree, *parent, "-m", "Count looks", root=root, environment={**os.environ, **AUTHOR})
    git("update-ref", REF, made.stdout.decode().strip(), old or "0" * 40, root=root)

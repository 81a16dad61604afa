"""Compare each run's challenger with the base's challenger, corrected over all runs."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.stats.core.corrections import holm
from ops.compare.compare import compare_stores
from ops.compare.differences import Judged
from ops.compare.predicted import Store
from ops.compare.settings import settings_of
from ops.revisions.objects import Objects
from ops.revisions.snapshot import Snapshot
from ops.sweep.clone import reference_of
from ops.sweep.settings import Run

METRIC = "roc_auc"


@dataclass(frozen=True)
class Row:
    """A run, or the base: its challenger, two scores, and the difference of the second to the base's.

    `out_of_fold` chose the challenger, on training rows; `score` is ROC AUC on the test window. The word is corrected
    by Holm over all runs; the 95 % interval is not corrected.
    """

    name: str
    settings: Mapping[str, str]
    challenger: str = ""
    out_of_fold: float | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    margin: float | None = None
    word: str = ""
    failed_gates: tuple[str, ...] = ()
    failed: str = ""


@dataclass(frozen=True)
class Table:
    """The base and the runs, best first, failed ones last."""

    commit: str
    base: Row
    rows: tuple[Row, ...] = field(default_factory=tuple)

    @property
    def complete(self) -> bool:
        return not any(row.failed for row in self.rows)


def judged(runs: Sequence[Run], failed: Mapping[str, str], *, base: str, root: Path) -> Table:
    """Return the table of the runs."""
    objects = Objects(root)
    start = Store(Snapshot("the base", base, root), objects)
    rows = [_row(run, failed.get(run.name, ""), start, objects) for run in runs]
    tested = [row.p_value for row in rows if row.p_value is not None]
    adjusted = iter(holm(tested))
    level = settings_of(start.snapshot).significance if tested else 0.0
    ready = [row if row.p_value is None else _corrected(row, next(adjusted), level) for row in rows]
    ready.sort(key=lambda row: (bool(row.failed), -(row.score or 0), row.name))
    return Table(base, _scores(Row("base", {}), start.snapshot), tuple(ready))


def document_of(table: Table) -> dict[str, Any]:
    """Return the table as JSON values."""
    return {
        "base": {"commit": table.commit, **_as_record(table.base)},
        "complete": table.complete,
        "metric": METRIC,
        "runs": [_as_record(row) for row in table.rows],
    }


def _row(run: Run, failed: str, start: Store, objects: Objects) -> Row:
    row = Row(run.name, dict(run.settings), failed=failed)
    if failed:
        return row
    snapshot = Snapshot(run.name, reference_of(run.name, base=start.snapshot.commit or ""), start.snapshot.root)
    row = _scores(row, snapshot)
    try:
        compared = compare_stores(start, Store(snapshot, objects), say=lambda _: None)
    except LabError as error:
        return replace(row, word=f"untested: {error}")
    seen = compared.metrics.challenger.of(METRIC)
    return _compared(row, seen, compared.metrics.untested)


def _compared(row: Row, seen: Judged, untested: str) -> Row:
    return replace(
        row,
        difference=seen.difference,
        difference_low=seen.low,
        difference_high=seen.high,
        p_value=seen.p_value,
        margin=seen.margin,
        word=f"untested: {untested or seen.reason}" if seen.word == "untested" else seen.word,
    )


def _scores(row: Row, snapshot: Snapshot) -> Row:
    evaluated = (snapshot.result("metrics/evaluate.json") or {}).get("challenger", {}).get("test", {})
    selected = snapshot.result("metrics/select.json") or {}
    low, high = evaluated.get(f"{METRIC}_95") or (None, None)
    return replace(
        row,
        challenger=str(selected.get("challenger", "")),
        out_of_fold=selected.get("score"),
        failed_gates=tuple((snapshot.result("metrics/validate.json") or {}).get("failed", ())),
        score=evaluated.get(METRIC),
        low=low,
        high=high,
    )


def _corrected(row: Row, p_adjusted: float, level: float) -> Row:
    """Return the row with the corrected word; "equivalent" stays, because it claims no difference."""
    row = replace(row, p_adjusted=p_adjusted)
    if row.word not in {"better", "worse", "not distinguishable"}:
        return row
    if p_adjusted >= level:
        return replace(row, word="not distinguishable")
    return replace(row, word="better" if (row.difference or 0) > 0 else "worse")


def _as_record(row: Row) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in ((name, getattr(row, name)) for name in row.__dataclass_fields__)
    }

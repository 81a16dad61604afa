"""Domain classifier: test whether a classifier can separate the batch from the reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.units import units_of
from lab.reference.encoding import by_rank
from lab.reference.reference import Reference
from lab.stats.core.areas import area_under_curve
from lab.stats.core.probabilities import normal_p_value

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

TREES = 100
SMALLEST_LEAF = 5
FEWEST = 40  # rows of each side; fewer are too few to train on half of them
SHOWN = 5


def run_domain_classifier(reference: Reference, batch: pa.Table, *, rng: np.random.Generator) -> dict[str, Any]:
    """Return the ROC AUC of a classifier on held-out rows, with a one-sided Mann–Whitney test and the top columns.

    One split by unit, with one row per unit and side, so that no unit is in both halves; pooling two folds would
    inflate z.
    """
    schema = reference.facts.inputs
    sides = [_one_row_per_unit(table, reference) for table in (reference.rows, batch)]
    sides = [_sampled(side, reference.rows.num_rows, rng) for side in sides]
    if min(side.num_rows for side in sides) < FEWEST:
        return _untested(
            f"fewer than {FEWEST} rows in {'the batch' if sides[0].num_rows >= FEWEST else 'the reference'}"
        )
    kept = [*sorted(schema.features), *(name for name in schema.unit if name in batch.column_names)]
    table = pa.concat_tables([side.select(kept).cast(sides[0].select(kept).schema) for side in sides])
    is_batch = np.repeat([False, True], [side.num_rows for side in sides])
    held_out = _held_out(table, reference, rng)
    features = sorted(schema.features)
    rows = by_rank(table, reference.levels, features)
    score = _fit(rows[~held_out], is_batch[~held_out], seed=int(rng.integers(2**31)))
    return _described(rows[held_out], is_batch[held_out], score, features, rng)


def _one_row_per_unit(table: pa.Table, reference: Reference) -> pa.Table:
    """Return the last row of each unit; the rows are in time order."""
    units = units_of(table, reference.facts.inputs)
    if units is None:
        return table
    _, indices = np.unique(units[::-1], return_index=True)
    return table.take(pa.array(np.sort(len(units) - 1 - indices)))


def _sampled(table: pa.Table, rows: int, rng: np.random.Generator) -> pa.Table:
    if table.num_rows <= rows:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, rows, replace=False))))


def _held_out(table: pa.Table, reference: Reference, rng: np.random.Generator) -> Flags:
    units = units_of(table, reference.facts.inputs)
    codes = np.arange(table.num_rows) if units is None else np.unique(units, return_inverse=True)[1]
    count = int(codes.max()) + 1
    chosen = np.zeros(count, dtype=bool)
    chosen[rng.permutation(count)[: count // 2]] = True
    return chosen[codes]


def _fit(rows: Numbers, is_batch: Flags, *, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415 - slow to import

    return ExtraTreesClassifier(TREES, min_samples_leaf=SMALLEST_LEAF, max_features=None, random_state=seed).fit(
        rows, is_batch
    )


def _area(model: Any, rows: Numbers, is_batch: Flags) -> float:
    return area_under_curve(is_batch, model.predict_proba(rows)[:, 1].round(6)).value


def _described(
    rows: Numbers, is_batch: Flags, model: Any, features: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    area, (old, new) = _area(model, rows, is_batch), (int(np.sum(~is_batch)), int(np.sum(is_batch)))
    z = (area - 0.5) / np.sqrt((old + new + 1) / (12 * old * new))
    p_value = normal_p_value(z) / 2 if z > 0 else 1 - normal_p_value(z) / 2
    losses = {}
    for column, name in enumerate(features):
        shuffled = rows.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        losses[name] = area - _area(model, shuffled, is_batch)
    top = sorted(losses, key=lambda name: (-losses[name], name))[:SHOWN]
    return {
        "roc_auc": area,
        "z": float(z),
        "p_value": float(p_value),
        "rows": {"reference": old, "batch": new},
        "reason": "",
        "columns": [{"column": name, "roc_auc_lost_without": losses[name]} for name in top],
    }


def _untested(reason: str) -> dict[str, Any]:
    return {"roc_auc": None, "z": None, "p_value": None, "rows": None, "reason": reason, "columns": []}

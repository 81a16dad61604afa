"""Outputs of stage explain: metrics, and a table of rows with reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.compiled.wording import Reason
from lab.core.schema import Feature
from lab.explain.points import loss_fields
from lab.explain.study import ExplainedRows, Study


def document_of(
    studies: Mapping[str, Study], *, groups: Sequence[tuple[str, ...]], unknown: Sequence[str], notes: Sequence[str]
) -> dict[str, Any]:
    """Return metrics/explain.json; long collections are lists, which DVC does not show as metrics."""
    return {
        **{name: _about(study) for name, study in studies.items()},
        "correlated": [list(group) for group in groups],
        "unknown_words": list(unknown),
        "notes": list(notes),
    }


def table_of(
    rows: pa.Table,
    explained: ExplainedRows,
    scores: NDArray[np.float64],
    reasons: Sequence[Sequence[Reason]],
    *,
    keys: Sequence[str],
    threshold: float,
    most: int,
) -> pa.Table:
    """Return the explained rows: keys, score, decision, reasons as text, and every contribution.

    A row with fewer than `most` reasons has nulls in the last columns. Base and contributions add up to the output.
    """
    own, found = scores[explained.places], explained.contributions
    texts = {
        f"reason_{place + 1}": pa.array([_text(row, place) for row in reasons], pa.string()) for place in range(most)
    }
    columns = {
        "score": pa.array(own),
        "decided_positive": pa.array(own >= threshold),
        **texts,
        "base": pa.array(np.full(len(own), found.base)),
        "output": pa.array(found.outputs),
        "contributions": pa.StructArray.from_arrays([pa.array(column) for column in found.values.T], found.features),
    }
    table = rows.select(list(keys)).take(pa.array(explained.places))
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def notes_of(frame: pd.DataFrame, features: Mapping[str, Feature], labels: NDArray[np.bool_]) -> list[str]:
    """Return notes on the test rows: features without information there, and undefined losses."""
    if frame.empty:
        return ["test has no rows: it is not explained, and no loss is measured"]
    classes = [] if labels.any() and not labels.all() else ["test has one class only: the loss of ROC AUC is undefined"]
    empty = [name for name in sorted(features) if frame[name].isna().all()]
    constant = [name for name in sorted(features) if name not in empty and len(frame[name].unique()) == 1]
    return [
        *classes,
        *([f"missing in all test rows, so shuffling has no effect: {', '.join(empty)}"] if empty else []),
        *([f"constant in all test rows, so shuffling has no effect: {', '.join(constant)}"] if constant else []),
    ]


def _about(study: Study) -> dict[str, Any]:
    sample = study.explained["test"]
    return {
        "method": study.explainer.method,
        "unit": study.explainer.unit,
        "sample": {"window": "test", "rows": len(sample.places), "of": sample.rows},
        "importance": [
            {"feature": name, "mean_absolute_contribution": value} for name, value in study.importance.items()
        ],
        # Of the features with the largest contributions; explain.shuffles.features is their number.
        "permutation": [{"feature": one.features[0], **loss_fields(one)} for one in study.shuffled],
        "permutation_of_groups": [
            {"features": list(one.features), **loss_fields(one)} for one in study.shuffled_groups
        ],
    }


def _text(reasons: Sequence[Reason], place: int) -> str | None:
    return reasons[place].text if place < len(reasons) else None

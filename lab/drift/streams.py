"""Detect changes of each model's error rate in time order."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.reference.facts import ModelFacts
from lab.reference.rows import labels_of
from lab.reference.settings import Streams
from lab.stats.shift.streams import Alarm, adwin, page_hinkley, page_hinkley_rule

DETECTORS = ("page_hinkley", "adwin")
NO_ORDER = "the rows have no moment, so no time order"


def detect_error_changes(
    batch: pa.Table | None, model: str, facts: ModelFacts, settings: Streams
) -> list[dict[str, Any]]:
    """Return the result of each detector on a model's errors; the rows are in time order, None without moments.

    Page–Hinkley detects a rise above the reference's error rate, ADWIN any change within the batch.
    """
    if batch is None:
        return [_record(model, name, 0, None, reason=NO_ORDER) for name in DETECTORS]
    labels = labels_of(batch)
    known = ~np.isnan(labels)
    decided = numbers_of(batch[score_column(model)])[known] >= facts.threshold
    errors = (decided != (labels[known] == 1)).astype(np.float64)
    if len(errors) == 0:
        return [_record(model, name, 0, None, reason="no label") for name in DETECTORS]
    window = adwin(errors, confidence=settings.confidence)
    return [
        _page_hinkley(errors, model, facts, settings),
        _record(model, "adwin", len(errors), window[0] if window else None, alarms=len(window)),
    ]


def _page_hinkley(errors: NDArray[np.float64], model: str, facts: ModelFacts, settings: Streams) -> dict[str, Any]:
    if facts.error_rate is None:
        return _record(model, "page_hinkley", len(errors), None, reason="the reference rows have no label")
    rate = (facts.error_rate * facts.labelled + 1) / (facts.labelled + 2)  # never 0 or 1, whose standard deviation is 0
    rule = page_hinkley_rule(slack=settings.slack, rows_per_false_alarm=settings.rows_per_false_alarm, rate=rate)
    deviation = float(np.sqrt(rate * (1 - rate)))
    alarm = page_hinkley(errors.tolist(), mean=rate, deviation=deviation, known_from=facts.labelled, rule=rule)
    return _record(model, "page_hinkley", len(errors), alarm, alarms=int(alarm is not None))


def _record(
    model: str, detector: str, rows: int, alarm: Alarm | None, *, alarms: int = 0, reason: str = ""
) -> dict[str, Any]:
    return {
        "model": model,
        "detector": detector,
        "rows": rows,
        "alarms": alarms,
        "seen_after": alarm.seen_after if alarm else None,
        "began_after": alarm.began_after if alarm else None,
        "before": alarm.before if alarm else None,
        "since": alarm.since if alarm else None,
        "reason": reason,
    }

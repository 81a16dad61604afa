"""Watch each model's errors in the order of time, row by row, as labels come."""

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
NO_ORDER = "the rows have no moment, and so no order"


def watch_errors(batch: pa.Table | None, model: str, facts: ModelFacts, settings: Streams) -> list[dict[str, Any]]:
    """Return what each detector saw in a model's errors; the rows are in the order of time, None where there is none.

    Page–Hinkley looks for a rise above the reference's error rate, ADWIN for any change within the batch.
    """
    if batch is None:
        return [_seen(model, name, 0, None, reason=NO_ORDER) for name in DETECTORS]
    labels = labels_of(batch)
    known = ~np.isnan(labels)
    decided = numbers_of(batch[score_column(model)])[known] >= facts.threshold
    errors = (decided != (labels[known] == 1)).astype(np.float64)
    if len(errors) == 0:
        return [_seen(model, name, 0, None, reason="no label") for name in DETECTORS]
    window = adwin(errors, confidence=settings.confidence)
    return [
        _of_sums(errors, model, facts, settings),
        _seen(model, "adwin", len(errors), window[0] if window else None, alarms=len(window)),
    ]


def _of_sums(errors: NDArray[np.float64], model: str, facts: ModelFacts, settings: Streams) -> dict[str, Any]:
    if facts.error_rate is None:
        return _seen(model, "page_hinkley", len(errors), None, reason="the reference rows hold no label")
    rate = (facts.error_rate * facts.labelled + 1) / (facts.labelled + 2)  # never 0 or 1, which have no deviation
    rule = page_hinkley_rule(slack=settings.slack, rows_per_false_alarm=settings.rows_per_false_alarm, rate=rate)
    deviation = float(np.sqrt(rate * (1 - rate)))
    alarm = page_hinkley(errors.tolist(), mean=rate, deviation=deviation, known_from=facts.labelled, rule=rule)
    return _seen(model, "page_hinkley", len(errors), alarm, alarms=int(alarm is not None))


def _seen(
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

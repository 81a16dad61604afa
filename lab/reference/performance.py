"""Performance of a model on a batch: estimated without labels, realised with labels."""

from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.reference.facts import AreaFacts, ModelFacts
from lab.stats.core.areas import (
    Area,
    AreaComparison,
    area_under_curve,
    area_variance,
    area_variance_by_unit,
    compare_independent_areas,
)
from lab.stats.shift.calibration_tests import calibration_in_the_large, expected_calibration_error, spiegelhalter_test
from lab.stats.shift.estimated_performance import estimate_performance
from lab.stats.shift.isotonic import IsotonicCurve, fit_isotonic

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Word = Literal["worse", "better", "equivalent", "not distinguishable", "undefined"]

NO_CONCEPT_DRIFT = "an estimate without labels: it cannot detect concept drift"


def area_facts(labels: Numbers, scores: Numbers, units: Codes | None) -> AreaFacts | None:
    """Return the area with its variance, by unit when units repeat; None when a class is missing."""
    if len(np.unique(labels)) < 2:
        return None
    area = area_under_curve(labels, scores)
    return AreaFacts(
        value=area.value,
        variance=variance_of(area, labels, units),
        of_positives=float(np.var(area.positive_placements)),
        of_negatives=float(np.var(area.negative_placements)),
    )


def variance_of(area: Area, labels: Numbers, units: Codes | None) -> float | None:
    """Return DeLong's variance of an area, or the clustered one when a unit has several rows."""
    if units is None or len(np.unique(units)) == len(units):
        return area_variance(area)
    return area_variance_by_unit(area, labels, units)


def realised_metrics(labels: Numbers, scores: Numbers, *, threshold: float) -> dict[str, float | None]:
    """Return the metrics of labelled scores."""
    return asdict(estimate_performance(scores, scores >= threshold, labels))


def calibration_of(
    labels: Numbers, scores: Numbers, held_out: NDArray[np.bool_]
) -> tuple[float, float, IsotonicCurve | None]:
    """Return the held-out calibration error without and with an isotonic curve, and the curve if it lowers the error.

    The curve is evaluated on held-out rows and then fitted on all rows.
    """
    fitted = fit_isotonic(scores[~held_out], labels[~held_out])
    before = expected_calibration_error(labels[held_out], scores[held_out])
    after = expected_calibration_error(labels[held_out], fitted.at(scores[held_out]))
    return before, after, fit_isotonic(scores, labels) if after < before else None


def probabilities_of(facts: ModelFacts, scores: Numbers) -> Numbers:
    """Return the scores calibrated by the reference's isotonic curve, if it has one."""
    if not facts.curve_x:
        return scores
    return IsotonicCurve(np.array(facts.curve_x), np.array(facts.curve_y)).at(scores)


def estimated_performance(facts: ModelFacts, scores: Numbers, *, margin: float) -> dict[str, Any]:
    """Return the estimated metrics with a verdict, assuming that calibration is as on the reference."""
    probabilities = probabilities_of(facts, scores)
    found = asdict(estimate_performance(scores, scores >= facts.threshold, probabilities))
    calibration = "isotonic" if facts.curve_x else "none: a curve does not lower the calibration error"
    described = {
        "calibration": calibration,
        "metrics": found,
        "reference_metrics": facts.metrics,
        "note": NO_CONCEPT_DRIFT,
    }
    if facts.area is None or found["roc_auc"] is None:
        return {**_undefined(_why(facts, scores)), **described}
    expected = float(probabilities.sum())
    variance = facts.area.of_positives / expected + facts.area.of_negatives / (len(scores) - expected)
    areas = compare_independent_areas((facts.area.value, facts.area.variance), (found["roc_auc"], variance))
    return {**_described(areas, margin=margin), **described}


def realised_performance(
    facts: ModelFacts, labels: Numbers, scores: Numbers, units: Codes | None, *, margin: float
) -> dict[str, Any]:
    """Return the ROC AUC of labelled rows, that of the reference, and a verdict.

    `worse` means that the whole interval of the difference is below minus the margin, which includes the uncertainty
    of the reference.
    """
    found = area_facts(labels, scores, units)
    if facts.area is None or found is None:
        reason = f"the {'reference' if facts.area is None else 'current'} rows have "
        empty = facts.labelled == 0 if facts.area is None else len(labels) == 0
        return _undefined(reason + ("no label" if empty else "one class only"))
    areas = compare_independent_areas((facts.area.value, facts.area.variance), (found.value, found.variance))
    return _described(areas, margin=margin)


def realised_calibration(facts: ModelFacts, labels: Numbers, scores: Numbers) -> dict[str, Any]:
    """Return the calibration of scores: Spiegelhalter's test, calibration in the large, and calibration error."""
    if len(labels) == 0:
        return {"reason": "no label"}
    row_by_row, large = spiegelhalter_test(labels, scores), calibration_in_the_large(labels, scores)
    return {
        "observed": large.observed,
        "expected": large.expected,
        "z_in_the_large": large.test.z,
        "p_in_the_large": large.test.p_value,
        "spiegelhalter_z": row_by_row.z,
        "spiegelhalter_p": row_by_row.p_value,
        "calibration_error": expected_calibration_error(labels, scores),
        "reference_calibration_error": facts.calibration_error,
        "reason": row_by_row.reason,
    }


def _why(facts: ModelFacts, scores: Numbers) -> str:
    if facts.area is None:
        return "the reference rows have no label" if facts.labelled == 0 else "the reference rows have one class only"
    return "all probabilities are 0 or 1" if len(scores) else "no row"


def _undefined(reason: str) -> dict[str, Any]:
    return {"verdict": "undefined", "reason": reason, "difference": None, "low": None, "high": None}


def _described(areas: AreaComparison, *, margin: float) -> dict[str, Any]:
    return {
        "verdict": area_verdict(areas, margin=margin),
        "reason": areas.reason,
        "reference": areas.first,
        "current": areas.second,
        "difference": areas.difference,
        "low": areas.low,
        "high": areas.high,
        "p_value": areas.p_value,
    }


def area_verdict(areas: AreaComparison, *, margin: float) -> Word:
    """Return the verdict on a difference of areas; differences within the margin are immaterial."""
    if areas.low is None or areas.high is None:
        return "undefined"
    if areas.high < -margin:
        return "worse"
    if areas.low > margin:
        return "better"
    return "equivalent" if -margin <= areas.low and areas.high <= margin else "not distinguishable"

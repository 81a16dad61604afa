"""A comparison as one document for machines; equal revisions give equal bytes."""

from dataclasses import asdict
from typing import Any

from ops.compare.changes import in_one_line
from ops.compare.comparison import Comparison
from ops.compare.facts import advice_of


def document_of(comparison: Comparison) -> dict[str, Any]:
    """Return all that was found, with what to do on top; a value of a type that JSON lacks is a text."""
    advice = advice_of(comparison)
    found: dict[str, Any] = plain(asdict(comparison))
    rows = comparison.metrics.rows
    if rows is not None:
        found["metrics"]["rows"] |= {"only_in_base": rows.only_in_base, "only_in_head": rows.only_in_head}
    data = comparison.inputs.data
    for table, change in zip(found["inputs"]["data"]["raw"], data.raw, strict=True):
        table |= {"share": change.share, "verdict": data.gate.verdict(change)}
    return {
        "advice": {"do": advice.do, "reasons": [reason.to_text() for reason in advice.reasons]},
        "worse": comparison.worse,
        "primary": plain(asdict(comparison.metrics.primary(comparison.settings))),
        **found,
        "settings": comparison.settings.model_dump(),
    }


def plain(value: Any) -> Any:
    """Return a value of types that JSON has; dates and the like become text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return in_one_line(value).strip('"')

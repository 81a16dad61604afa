"""One line of the prediction log for each answered row, one of the feedback log for each label that came later."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from pydantic_core import to_json

from serving.answers import Rows, Scored
from serving.arms import Lineup


def new_identifier() -> str:
    """Return a name for a request that nobody can guess."""
    return secrets.token_hex(16)


def identifiers_of(request: str, rows: int) -> list[str]:
    """Return a name for each row of a batch."""
    return [f"{request}-{place}" for place in range(rows)]


def now() -> str:
    """Return the moment, in UTC, to the microsecond."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def line_of(content: Mapping[str, Any]) -> bytes:
    """Return a line; a newline inside a text is escaped by JSON, so that a line is one line.

    Pydantic's own writer: json.dumps takes four times as long, which was a third of what a batch with a log costs.
    """
    return to_json(content) + b"\n"


def prediction_lines(identifiers: Sequence[str], *, rows: Rows, found: Scored, lineup: Lineup) -> Iterator[bytes]:
    """Yield a line for each answered row: what was asked, who answered, and what; redacted features are left out."""
    received, redacted = now(), lineup.settings.redact
    names = [name for name in rows.columns if name not in redacted]
    values = zip(*(rows.columns[name] for name in names), strict=True) if names else repeat(())
    fingerprints = {arm: lineup.of(arm).fingerprint for arm in set(found.arms)}
    others = {f"{arm}_score": scores for arm, scores in found.by_arm.items()}
    for place, (identifier, arm, row) in enumerate(zip(identifiers, found.arms, values, strict=False)):
        yield line_of(
            {
                "id": identifier,
                "received": received,
                "moment": rows.moments[place] or received,
                "unit": rows.units[place],
                "arm": arm,
                "fingerprint": fingerprints[arm],
                "score": found.scores[place],
                **{name: scores[place] for name, scores in others.items()},
                "features": dict(zip(names, row, strict=True)),
            }
        )


def feedback_line(identifier: str, label: bool) -> bytes:  # noqa: FBT001 - a label is a value here, not a switch
    """Return the line of a label that came later."""
    return line_of({"id": identifier, "received": now(), "label": int(label)})

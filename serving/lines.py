"""One line of the prediction log for each answered row, one of the feedback log for each label that came later."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serving.answers import Rows, Scored
from serving.lineup import Lineup


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
    """Return a line; a newline inside a text is escaped by JSON, so that a line is one line."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def prediction_lines(identifiers: Sequence[str], *, rows: Rows, found: Scored, lineup: Lineup) -> Iterator[bytes]:
    """Yield a line for each answered row: what was asked, who answered, and what; redacted features are left out."""
    received, redacted = now(), lineup.settings.redact
    features = {name: values for name, values in rows.columns.items() if name not in redacted}
    for place, (identifier, arm) in enumerate(zip(identifiers, found.arms, strict=True)):
        yield line_of(
            {
                "id": identifier,
                "received": received,
                "moment": rows.moments[place] or received,
                "unit": rows.units[place],
                "arm": arm,
                "fingerprint": lineup.of(arm).fingerprint,
                "score": found.scores[place],
                **{f"{other}_score": scores[place] for other, scores in found.by_arm.items()},
                "features": {name: values[place] for name, values in features.items()},
            }
        )


def feedback_line(identifier: str, label: bool) -> bytes:  # noqa: FBT001 - a label is a value here, not a switch
    """Return the line of a label that came later."""
    return line_of({"id": identifier, "received": now(), "label": int(label)})

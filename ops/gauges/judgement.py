"""Read a judgement of drift from a file."""

import json
from pathlib import Path
from typing import Any

from lab.core.errors import SourceError

HOW = "python -m ops drift --current ROWS --json > FILE"


def read_judgement(path: Path) -> dict[str, Any]:
    """Return a judgement of drift, as metrics/drift.json or `python -m ops drift --json` has it."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as a judgement of drift: {error}. Cure: {HOW}") from error
    if not isinstance(content, dict) or "retrain" not in content:
        raise SourceError(f"{path} is no judgement of drift: it says nothing of a retraining. Cure: {HOW}")
    return content

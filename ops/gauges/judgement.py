"""Read a drift document from a file."""

from pathlib import Path
from typing import Any

from lab.core.errors import SourceError
from lab.core.result_files import read_result

HOW = "python -m ops drift --current ROWS --json > FILE"


def read_judgement(path: Path) -> dict[str, Any]:
    """Return a drift document in the form of metrics/drift.json."""
    try:
        content = read_result(path)
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as a drift document: {error}. Cure: {HOW}") from error
    if not isinstance(content, dict) or "retrain" not in content:
        raise SourceError(f"{path} is not a drift document: it has no key 'retrain'. Cure: {HOW}")
    return content

"""Write a dvc.lock as DVC writes it."""

from collections.abc import Mapping
from typing import Any


def lock_text(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a dvc.lock with these entries, in their order."""
    from dvc.utils.serialize import dumps_yaml  # noqa: PLC0415 - DVC takes a quarter of a second to import

    return str(dumps_yaml({"schema": "2.0", "stages": dict(entries)}))

"""Find the settings that a search replaced: params.yaml holds where the search starts."""

import re

from ops.compare.changes import Change, in_one_line
from ops.compare.training import Candidate, Training

SETTING = re.compile(r"train\.candidates\.([^.]+)\.settings\.([^.]+)")


def found_by_search(change: Change, training: Training) -> tuple[str, str] | None:
    """Return what the search of each revision found for a changed setting; None where no search replaced it."""
    named = SETTING.fullmatch(change.name)
    candidate = next((each for each in training.candidates if named and each.name == named[1]), None)
    if named is None or candidate is None:
        return None
    old, new = (_found(candidate, named[2], side) for side in ("base", "head"))
    replaced = [
        found is not None and found != in_one_line(started) for found, started in ((old, change.old), (new, change.new))
    ]
    return (old or "nothing", new or "nothing") if any(replaced) else None


def _found(candidate: Candidate, setting: str, side: str) -> str | None:
    settings = candidate.base_settings if side == "base" else candidate.head_settings
    found = dict(text.split(": ", 1) for text in settings if ": " in text)
    return found.get(setting)

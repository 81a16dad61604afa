"""How the candidates' training results differ between two revisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.revisions.snapshot import Snapshot


@dataclass(frozen=True)
class Candidate:
    """A candidate in both revisions: its place on the leaderboard and its mean over folds, None where it is not."""

    name: str
    base_place: int | None
    head_place: int | None
    base_score: float | None
    head_score: float | None
    base_settings: tuple[str, ...]
    head_settings: tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """The leaderboards by the head's score, the challengers that were named, and what select says of it."""

    by: str
    base_challenger: str
    head_challenger: str
    candidates: tuple[Candidate, ...]
    in_words: tuple[str, ...]


def training_of(base: Snapshot, head: Snapshot) -> Training:
    """Return the candidates in the head's order, then those that it no longer has."""
    old, new = (snapshot.result("metrics/select.json") or {} for snapshot in (base, head))
    by = str(new.get("by") or old.get("by") or "")
    before, after = _ranked(old), _ranked(new)
    names = [*after, *(name for name in before if name not in after)]
    return Training(
        by=by,
        base_challenger=str(old.get("challenger", "")),
        head_challenger=str(new.get("challenger", "")),
        candidates=tuple(_candidate(name, base, head, by, places=(before, after)) for name in names),
        in_words=tuple(map(str, new.get("in_words", []))),
    )


def _ranked(select: Mapping[str, Any]) -> dict[str, int]:
    scores = {str(name): float(score or 0) for name, score in select.get("scores", {}).items()}
    sign = -1 if select.get("by") not in {"brier", "log_loss"} else 1
    ordered = sorted(scores, key=lambda name: (sign * scores[name], name))
    return {name: place for place, name in enumerate(ordered, start=1)}


def _candidate(
    name: str, base: Snapshot, head: Snapshot, by: str, *, places: tuple[Mapping[str, int], Mapping[str, int]]
) -> Candidate:
    old, new = (
        (snapshot.result(f"metrics/train/{name}.json") or {}) if name in ranked else {}
        for snapshot, ranked in zip((base, head), places, strict=True)
    )
    return Candidate(
        name=name,
        base_place=places[0].get(name),
        head_place=places[1].get(name),
        base_score=old.get("fold_mean", {}).get(by),
        head_score=new.get("fold_mean", {}).get(by),
        base_settings=tuple(map(str, old.get("settings", []))),
        head_settings=tuple(map(str, new.get("settings", []))),
    )

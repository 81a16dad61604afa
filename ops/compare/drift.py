"""How the drift results differ between two revisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Found = Mapping[str, Any]


@dataclass(frozen=True)
class DriftState:
    """What one revision's metrics/drift.json says."""

    retrain: bool
    faults: tuple[str, ...]
    reasons: tuple[str, ...]
    drifted: tuple[str, ...]
    columns: int
    performance: Mapping[str, str]
    whole_table: str


@dataclass(frozen=True)
class DriftChange:
    """Both revisions' drift, the columns that drifted in one of them only, and whether a person must newly act."""

    base: DriftState | None
    head: DriftState | None
    newly_drifted: tuple[str, ...]
    no_longer_drifted: tuple[str, ...]
    newly_suggests_retraining: bool


def drift_change(base: Found | None, head: Found | None) -> DriftChange:
    """Return how drift differs; a revision without metrics/drift.json has no state."""
    old, new = (state_of(found) for found in (base, head))
    before, after = (state.drifted if state else () for state in (old, new))
    return DriftChange(
        base=old,
        head=new,
        newly_drifted=tuple(name for name in after if name not in before),
        no_longer_drifted=tuple(name for name in before if name not in after),
        newly_suggests_retraining=_acts(new) and not _acts(old),
    )


def _acts(state: DriftState | None) -> bool:
    """Return whether a person must act: retrain, or mend the data."""
    return state is not None and (state.retrain or bool(state.faults))


def state_of(found: Found | None) -> DriftState | None:
    """Return what a metrics/drift.json says, in short."""
    if not found:
        return None
    retrain, verdicts = found.get("retrain", {}), found.get("verdicts", [])
    return DriftState(
        retrain=bool(retrain.get("suggested")),
        faults=tuple(f"{each['column'] or 'the batch'}: {each['kind']}" for each in found.get("faults", [])),
        reasons=tuple(map(str, retrain.get("reasons", []))),
        drifted=tuple(sorted(str(each["column"]) for each in verdicts if each.get("verdict") == "drifted")),
        columns=len(verdicts),
        performance={str(model): str(word) for model, word in sorted(found.get("performance", {}).items())},
        whole_table=str(found.get("whole_table", {}).get("verdict", "")),
    )

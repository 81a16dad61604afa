"""The settings of a comparison: those of the head's stage abtest."""

from lab.abtest.comparison_settings import ComparisonParams
from lab.core.params import parse
from ops.revisions.snapshot import Snapshot

FILE = "params.yaml"


def settings_of(snapshot: Snapshot) -> ComparisonParams:
    """Return the settings of a revision; the comparison uses those of the head."""
    content = snapshot.yaml(FILE) or {}
    return parse(
        content.get("abtest", {}),
        kind=ComparisonParams,
        where=f"{FILE} at {snapshot.name}: abtest",
        cure="Cure: compare with a revision whose params.yaml has the section `abtest`, or bring it back.",
    )


def seed_of(snapshot: Snapshot) -> int:
    """Return the seed of a revision; 0 where it names none."""
    seed = (snapshot.yaml(FILE) or {}).get("seed", 0)
    return seed if isinstance(seed, int) else 0

"""How sure to be when two revisions are compared: the head's own settings of the stage abtest."""

from typing import Self

from pydantic import Field, model_validator

from lab.comparison import METRICS
from lab.params import Params, parse
from ops.revisions.snapshot import Snapshot

FILE = "params.yaml"


class Settings(Params):
    """Which metric answers, how sure to be, and which differences are too small to matter."""

    significance: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=1000, le=1_000_000)
    primary: str
    margins: dict[str, float]

    @model_validator(mode="after")
    def metrics_are_known(self) -> Self:
        if self.primary not in METRICS:
            raise ValueError(f"primary is {self.primary!r}, expected one of {list(METRICS)}")
        if set(self.margins) != set(METRICS) or min(self.margins.values()) < 0:
            raise ValueError(f"margins needs a number of 0 or more for each of {list(METRICS)}")
        return self


def settings_of(snapshot: Snapshot) -> Settings:
    """Return the settings of a revision; they are asked of the head, whose tables the result stands beside."""
    content = snapshot.yaml(FILE) or {}
    return parse(
        content.get("abtest", {}),
        kind=Settings,
        where=f"{FILE} at {snapshot.name}: abtest",
        cure="Cure: compare with a revision whose params.yaml has the section `abtest`, or bring it back.",
    )


def seed_of(snapshot: Snapshot) -> int:
    """Return the seed of a revision; 0 where it names none."""
    seed = (snapshot.yaml(FILE) or {}).get("seed", 0)
    return seed if isinstance(seed, int) else 0

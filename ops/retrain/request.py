"""What a retraining is asked for: from which commit, with which data and settings; and the name that follows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

NAME_LENGTH = 12


@dataclass(frozen=True)
class Request:
    """The same base, settings and files always have the same name, wherever and whenever they are asked for.

    `arrivals` are the files to put below data/source/TASK, by their place there. `drawn` is the fingerprint of the raw
    tables where only the source itself knows whether there is something new (a database), and empty before it is asked.
    """

    root: Path
    base: str
    task: str
    asks_source: bool
    settings: tuple[str, ...] = ()
    arrivals: Mapping[str, Path] = field(default_factory=dict)
    drawn: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """A short name of everything that decides what comes out."""
        asked = {
            "base": self.base,
            "task": self.task,
            "settings": sorted(self.settings),
            "arrivals": {place: _fingerprint(path) for place, path in sorted(self.arrivals.items())},
            "drawn": self.drawn,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:NAME_LENGTH]

    @property
    def is_known(self) -> bool:
        """Whether the name is final: a database must have been asked first."""
        return bool(self.drawn) or not self.asks_source

    @property
    def branch(self) -> str:
        """The branch on which a proposal stands."""
        return f"retrain/{self.task}-{self.fingerprint}"

    @property
    def experiment(self) -> str:
        """The DVC experiment that keeps what the training gave, a rejected candidate too."""
        return f"retrain-{self.task}-{self.fingerprint}"


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

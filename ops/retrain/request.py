"""Describe a retraining: base commit, data, settings, options, and the name that follows from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

NAME_LENGTH = 12


@dataclass(frozen=True)
class Request:
    """What a retraining starts from. The same base, settings and files always give the same name.

    `arrivals` are the new files by their path below data/source/TASK. `drawn` is the fingerprint of the raw tables if
    the source is a database, and empty until the database is read.
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
        """A short hash of everything that decides the result."""
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
        """Whether the name is final: a database must be read first."""
        return bool(self.drawn) or not self.asks_source

    @property
    def branch(self) -> str:
        """The branch of the proposal."""
        return f"retrain/{self.task}-{self.fingerprint}"

    @property
    def experiment(self) -> str:
        """The DVC experiment that keeps the trained candidate, even a rejected one."""
        return f"retrain-{self.task}-{self.fingerprint}"


@dataclass(frozen=True)
class Options:
    """How far a retraining goes; none of these changes its result."""

    even_so: bool = False
    despite_faults: bool = False
    every_days: int | None = None
    dry_run: bool = False
    push: bool = False
    remote: str = "origin"
    into: str = "main"


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Decide which stages may run now: after those that they read from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass
class Schedule:
    """The state of one run. `order` is that of a plain run; `upstream` names what each stage reads from.

    Of the stages that may run, the one that most others wait for comes first; among equals the plain order decides.
    """

    order: tuple[str, ...]
    upstream: Mapping[str, frozenset[str]]
    running: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def start(self, most: int) -> list[str]:
        """Return the stages to start now, so that no more than `most` run at once; they count as running."""
        ready = sorted(self._ready(), key=lambda name: -self._waiting[name])
        started = ready[: max(0, most - len(self.running))]
        self.running.update(started)
        return started

    def end(self, name: str, *, well: bool) -> None:
        """Take note that a stage that was started has ended."""
        self.running.remove(name)
        (self.done if well else self.failed).add(name)

    @property
    def skipped(self) -> list[str]:
        """The stages that cannot run because one that they wait for failed, in the plain order."""
        return [name for name in self.order if self._needs[name] & self.failed]

    @cached_property
    def _needs(self) -> dict[str, frozenset[str]]:
        """All that a stage waits for, directly or not, among the stages of this run."""
        needs: dict[str, frozenset[str]] = {}
        for name in self.order:  # upstream first
            direct = self.upstream[name] & needs.keys()
            needs[name] = direct.union(*(needs[other] for other in direct))
        return needs

    @cached_property
    def _waiting(self) -> Counter[str]:
        """How many stages wait for each."""
        return Counter(other for needed in self._needs.values() for other in needed)

    def _ready(self) -> list[str]:
        settled = self.running | self.done | self.failed
        return [name for name in self.order if name not in settled and self._needs[name] <= self.done]

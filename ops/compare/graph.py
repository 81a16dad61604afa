"""The stages, what each feeds, and those whose outputs differ between two revisions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.revisions.lock import LockedStage

Stages = Mapping[str, LockedStage]


@dataclass(frozen=True)
class Graph:
    """The stages of the head in their order, what feeds what, and those whose outputs differ from the base's.

    The stages of one foreach, such as the candidates, are one.
    """

    stages: tuple[str, ...]
    arrows: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]


def graph_of(base: Stages, head: Stages) -> Graph:
    """Return the graph of the head; a stage that the base lacks has changed."""
    changed = {_group(name) for name, stage in head.items() if _fingerprints(stage) != _fingerprints(base.get(name))}
    names = tuple(dict.fromkeys(map(_group, head)))
    return Graph(names, tuple(dict.fromkeys(_arrows(head))), tuple(name for name in names if name in changed))


def _arrows(stages: Stages) -> Iterator[tuple[str, str]]:
    for target, stage in stages.items():
        for source, before in stages.items():
            feeds = any(_overlap(made, read) for made in before.outputs for read in stage.dependencies)
            if feeds and _group(source) != _group(target):
                yield _group(source), _group(target)


def _overlap(made: str, read: str) -> bool:
    return made == read or made.startswith(f"{read}/") or read.startswith(f"{made}/")


def _fingerprints(stage: LockedStage | None) -> dict[str, str] | None:
    return None if stage is None else {path: item.md5 for path, item in stage.outputs.items()}


def _group(name: str) -> str:
    return name.split("@", maxsplit=1)[0]

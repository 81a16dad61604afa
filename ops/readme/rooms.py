"""The rooms of lab and the imports between them, read from the code."""

from collections.abc import Mapping
from pathlib import Path

from ops.dvc.import_closure import LIBRARY, imported_modules

Arrows = dict[str, set[str]]


def room_of(path: Path | str) -> str:
    """Return the room of a file of lab, without `lab/`.

    >>> room_of("lab/stats/core/areas.py")
    'stats/core'
    """
    return str(Path(path).parent.relative_to(LIBRARY))


def room_imports(root: Path) -> Arrows:
    """Return for each room of lab the other rooms that its files import."""
    arrows: Arrows = {}
    for path in sorted(file for file in (root / LIBRARY).rglob("*.py") if file.name != "__init__.py"):
        room = room_of(path.relative_to(root))
        imported = (name.split(".") for name in imported_modules(path, root=root))
        arrows.setdefault(room, set()).update("/".join(parts[1:-1]) for parts in imported if parts[0] == "lab")
        arrows[room].discard(room)
    return arrows


def reachable(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    """Return every node that arrows lead to from one node; the node itself only where there is a circle."""
    found: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += arrows.get(node, ())
    return found


def without_detours(arrows: Mapping[str, set[str]]) -> Arrows:
    """Return the arrows that no chain of other arrows implies: the transitive reduction of a graph without circles."""
    return {
        node: {end for end in ends if not any(end in reachable(other, arrows) for other in ends - {end})}
        for node, ends in arrows.items()
    }

"""Draw the architecture: the stages and their data, the rooms and their imports."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ops.readme.rooms import Arrows, without_detours

STAGE, SHARED, LINE, PLAIN, BAND = "#1f5fbf", "#6b7280", "#9aa3ae", "#30363d", "#f3f5f8"
USERS = ("stages", "ops", "serving", "deploy", "benchmarks")
Place = tuple[float, float]
Places = dict[str, Place]


def draw_house(*, stages: Arrows, rooms: Arrows, floors: Mapping[str, int]) -> bytes:
    """Return the picture as SVG; the same code gives the same bytes.

    Arrows of stages follow the data. Lines of rooms lead from a room down to what it imports. What a chain of other
    arrows implies is left out.
    """
    with mpl.rc_context({"svg.hashsalt": "house", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(13, 12), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=[4, 8])
        _draw_stages(above, without_detours(stages))
        _draw_rooms(below, without_detours(rooms), floors=floors, stages=set(stages))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _draw_stages(axes: Axes, arrows: Arrows) -> None:
    depth = _depths(arrows)
    layers = [sorted(node for node in depth if depth[node] == level) for level in range(max(depth.values()) + 1)]
    places = _places(layers, arrows, width=max(map(len, layers)))
    boxes = {name: _box(axes, place, name, colour=STAGE, size=(0.8, 0.46)) for name, place in places.items()}
    _connect(axes, arrows, boxes, far={(a, b) for a in arrows for b in arrows[a] if depth[b] - depth[a] > 1})
    _frame(axes, "Stages: data flows from left to right", places.values())


def _draw_rooms(axes: Axes, arrows: Arrows, *, floors: Mapping[str, int], stages: set[str]) -> None:
    top = max(floors.values())
    rows = [sorted(room for room in floors if floors[room] == floor) for floor in range(top, 0, -1)]
    width = 1.25 * max(map(len, rows))
    sideways = _places(rows, arrows, width=width)
    places = {room: (across, 1.5 * (floors[room] - 1)) for room, (_, across) in sideways.items()}
    users = {user: (2.5 * place, 1.5 * top) for user, place in zip(USERS, _spread(len(USERS)), strict=True)}
    for floor in range(1, top + 2):
        label = f"floor {floor}" if floor <= top else "users of lab"
        axes.axhspan(1.5 * floor - 1.95, 1.5 * floor - 1.05, color=BAND, zorder=0)
        axes.annotate(label, (-width / 2 - 1.1, 1.5 * (floor - 1)), va="center", color=SHARED)
    boxes = {
        room: _box(axes, place, room.replace("/", "/\n"), colour=STAGE if room in stages else SHARED, size=(1.14, 0.62))
        for room, place in places.items()
    }
    for user, place in users.items():
        _box(axes, place, f"{user}/", colour=PLAIN, size=(1.6, 0.5))
    _connect(axes, arrows, boxes, far=set())
    _frame(axes, "Rooms of lab/: an import goes down (blue: the room of a stage)", [*places.values(), *users.values()])
    axes.set_xlim(-width / 2 - 1.2, width / 2)


def _depths(arrows: Arrows) -> dict[str, int]:
    """Return for each node the length of the longest way that leads to it."""
    before: Arrows = {node: set() for node in chain(arrows, *arrows.values())}
    for start, ends in arrows.items():
        for end in ends:
            before[end].add(start)
    depth: dict[str, int] = {}
    while len(depth) < len(before):
        ready = [node for node in before if node not in depth and before[node] <= depth.keys()]
        depth |= {node: 1 + max((depth[other] for other in before[node]), default=-1) for node in ready}
    return depth


def _places(layers: Sequence[list[str]], arrows: Arrows, *, width: float) -> Places:
    """Return a place for each node, layer by layer, near the nodes that it is connected with."""
    neighbours: Arrows = {node: set(arrows.get(node, ())) for layer in layers for node in layer}
    for start, ends in arrows.items():
        for end in ends:
            neighbours[end].add(start)
    gaps = {len(layer): min(width / len(layer), 2.4) for layer in layers}
    across = {node: place for layer in layers for node, place in zip(layer, _spread(len(layer)), strict=True)}
    for layer in [*layers, *reversed(layers)] * 4:
        wanted = {node: fmean([across[other] for other in neighbours[node]] or [across[node]]) for node in layer}
        ordered = sorted(layer, key=lambda node: (wanted[node], node))
        across |= {n: gaps[len(layer)] * place for n, place in zip(ordered, _spread(len(layer)), strict=True)}
    return {node: (float(level), across[node]) for level, layer in enumerate(layers) for node in layer}


def _spread(count: int) -> list[float]:
    return [place - (count - 1) / 2 for place in range(count)]


def _box(axes: Axes, place: Place, text: str, *, colour: str, size: Place) -> FancyBboxPatch:
    corner = (place[0] - size[0] / 2, place[1] - size[1] / 2)
    shape = "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch(corner, *size, boxstyle=shape, color=colour, zorder=2)
    axes.add_patch(box)
    axes.annotate(text, place, ha="center", va="center", color="white", fontweight="bold", fontsize=9, zorder=3)
    return box


def _connect(axes: Axes, arrows: Arrows, boxes: Mapping[str, FancyBboxPatch], *, far: set[tuple[str, str]]) -> None:
    """Draw arrows from box to box, below them; those that pass a box on their way are curved."""
    for start, end in sorted((start, end) for start, ends in arrows.items() for end in ends):
        axes.add_patch(
            FancyArrowPatch(
                _middle(boxes[start]),
                _middle(boxes[end]),
                patchA=boxes[start],
                patchB=boxes[end],
                connectionstyle=f"arc3,rad={_bend(start, end, boxes) if (start, end) in far else 0}",
                arrowstyle="-|>",
                mutation_scale=10,
                color=LINE,
                zorder=1,
            )
        )


def _bend(start: str, end: str, boxes: Mapping[str, FancyBboxPatch]) -> float:
    """Return the curvature whose middle is farthest from other boxes; the smaller one of equals."""
    (x1, y1), (x2, y2) = _middle(boxes[start]), _middle(boxes[end])
    others = [_middle(box) for name, box in boxes.items() if name not in {start, end}]

    def clearance(bend: float) -> float:
        middle = ((x1 + x2 + bend * (y2 - y1)) / 2, (y1 + y2 - bend * (x2 - x1)) / 2)
        return min(1.0, *(math.dist(middle, other) for other in others))

    return max((0.3, -0.3, 0.5, -0.5), key=clearance)


def _middle(box: FancyBboxPatch) -> Place:
    return (box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2)


def _frame(axes: Axes, title: str, places: Iterable[Place]) -> None:
    x, y = zip(*places, strict=True)
    axes.set(xlim=(min(x) - 0.6, max(x) + 0.6), ylim=(min(y) - 0.6, max(y) + 0.6))
    axes.set_title(title, loc="left", fontsize=12)
    axes.axis("off")

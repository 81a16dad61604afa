"""Draw base and head over each other for the report, deterministically."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.pages.escape import one_line
from lab.pages.markdown import readable_name
from lab.pages.pictures import LEADER, OTHER, PALE, PLAIN, STYLE
from ops.compare.comparison import Comparison
from ops.compare.differences import Judged, oriented
from ops.revisions.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

DOTS_PER_INCH = 110
WIDTH = 9.6
GOOD = "#2b8a3e"
# Each curve: file, axes, title and axis labels.
CURVES = (
    ("roc", "false_positive_rate", "true_positive_rate", "ROC", "false alarms", "hits"),
    ("gain", "share_acted_on", "share_found", "Gain", "share acted on", "share found"),
    ("calibration", "score", "share_positive", "Calibration", "mean score", "share positive"),
)
COLOURS = {"base": OTHER, "head": LEADER}


def draw(comparison: Comparison, base: Snapshot, head: Snapshot) -> dict[str, bytes]:
    """Return the pictures as PNG by file name; leave out what neither revision has."""
    import matplotlib as mpl  # noqa: PLC0415 - half a second that a report without pictures can do without

    with mpl.rc_context(STYLE):
        points = {name: [_points(side, name) for side in (base, head)] for name, *_ in CURVES}
        drawn = {}
        if any(rows for sides in points.values() for rows in sides):
            drawn["curves.png"] = _png(_curves(comparison, points))
        if shown := [seen for seen in comparison.metrics.challenger.tested if oriented(seen) and seen.margin]:
            drawn["differences.png"] = _png(_differences(shown))
    return drawn


def shows(name: str) -> str:
    """Return the alternative text of a picture."""
    return {
        "curves.png": "ROC, gain and calibration of base and head over each other",
        "differences.png": "The difference of every metric with its 95 % interval",
    }[name]


def _points(snapshot: Snapshot, name: str) -> list[Row]:
    rows = snapshot.json(f"plots/evaluate/{name}.json") or []
    return [row for row in rows if row.get("model") == "challenger" and row.get("window") == "test"]


def _curves(comparison: Comparison, points: Mapping[str, Sequence[Sequence[Row]]]) -> "Figure":
    figure = _figure(height=3.5)
    names = {side: one_line(revision.name, longest=24) for side, revision in _sides(comparison)}
    for place, (name, x, y, title, x_label, y_label) in enumerate(CURVES):
        axes = figure.add_axes((0.06 + place * 0.325, 0.16, 0.26, 0.7))
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
        for side, rows in zip(COLOURS, points[name], strict=True):
            mark = "o" if name == "calibration" else ""
            label = f"{side}: {names[side]}".replace("$", r"\$")
            lines = [row[x] for row in rows], [row[y] for row in rows]
            axes.plot(*lines, color=COLOURS[side], linewidth=1.6, marker=mark, markersize=3.5, label=label)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _plain(axes)
    figure.axes[0].legend(frameon=False, loc="lower right", fontsize=8)
    return figure


def _differences(shown: Sequence[Judged]) -> "Figure":
    figure = _figure(height=0.9 + 0.34 * len(shown))
    height = figure.get_figheight()
    axes = figure.add_axes((0.14, 0.55 / height, 0.83, 1 - 0.75 / height))
    axes.axvspan(-1, 1, color="#f1f5f9")
    axes.axvline(0, color=PLAIN, linewidth=0.8)
    for place, (seen, (difference, low, high)) in enumerate(zip(shown, _in_margins(shown), strict=True)):
        colour = {"better": GOOD, "worse": LEADER}.get(seen.word, OTHER)
        axes.plot([low, high], [-place] * 2, color=colour, linewidth=1.8)
        axes.plot([difference], [-place], "o", markersize=6, color=colour)
    axes.set_yticks([-place for place in range(len(shown))], [readable_name(seen.metric) for seen in shown])
    axes.set_ylim(-len(shown) + 0.4, 0.6)
    axes.set_xlabel("worse  ←  in margins (grey: too small to matter)  →  better")
    _plain(axes)
    return figure


def _in_margins(shown: Sequence[Judged]) -> Iterator[tuple[float, float, float]]:
    for seen in shown:
        ends, margin = oriented(seen), seen.margin
        if ends is not None and margin:
            yield ends[0] / margin, ends[1] / margin, ends[2] / margin


def _sides(comparison: Comparison) -> Iterator[tuple[str, Any]]:
    yield "base", comparison.base
    yield "head", comparison.head


def _figure(*, height: float) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    return Figure(figsize=(WIDTH, height), facecolor="white")


def _plain(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2)
    axes.set_axisbelow(True)


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()

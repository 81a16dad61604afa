"""Draw the candidates as deterministic SVG pictures."""

import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from lab.pages.markdown import number, readable_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
Points = Mapping[str, Sequence[Row]]

LEADER, OTHER, PLAIN, PALE = "#d9480f", "#64748b", "#334155", "#cbd5e1"
WIDTH = 9.0
PER_LINE = 3
PER_LETTER = 0.0085  # width of a letter, to make room for the longest name
BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}  # keeps labels readable on lines
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "candidates",
    "svg.fonttype": "none",  # smaller files with searchable text
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": PALE,
    "axes.labelcolor": PLAIN,
    "xtick.color": PLAIN,
    "ytick.color": PLAIN,
    "text.color": PLAIN,
}


def draw_candidates(points: Points) -> dict[str, bytes]:
    """Return the pictures of select's plots by file name; without a search there is no picture of it."""
    import matplotlib as mpl  # noqa: PLC0415 - takes 0.5 s, only the report needs it

    drawn = {}
    with mpl.rc_context(STYLE):
        drawn["leaderboard.svg"] = _svg(_leaderboard(points["leaderboard"]))
        if searched := _searched(points["search"]):
            drawn["search.svg"] = _svg(_searches(points["search"], searched))
        if points["learning_curve"]:
            drawn["learning_curves.svg"] = _svg(_learning_curves(points["learning_curve"]))
    return drawn


def _leaderboard(rows: Sequence[Row]) -> "Figure":
    figure = _figure(height=0.9 + 0.36 * len(rows))
    left = 0.03 + PER_LETTER * max(len(row["candidate"]) for row in rows)
    axes = figure.add_axes((left, 0.62 / figure.get_figheight(), 0.9 - left, 1 - 0.9 / figure.get_figheight()))
    for row in rows:
        colour = LEADER if row["place"] == 1 else OTHER
        height = -row["place"]
        if row["fold_mean_low"] is not None:
            axes.plot([row["fold_mean_low"], row["fold_mean_high"]], [height] * 2, color=colour, linewidth=1.6)
        folds = [float(score) for score in row["fold_scores"].split()]
        axes.plot(folds, [height] * len(folds), "o", markersize=4, markerfacecolor="white", markeredgecolor=colour)
        axes.plot([row["fold_mean"]], [height], "o", markersize=7, color=colour)
        axes.plot([row["score"]], [height], "|", markersize=15, markeredgewidth=1.6, color=PLAIN)
        label = number(row["fold_mean"])
        axes.annotate(label, (1.02, height), xycoords=("axes fraction", "data"), va="center", color=colour)
    axes.set_yticks([-row["place"] for row in rows], [row["candidate"] for row in rows])
    axes.set_ylim(-len(rows) - 0.6, -0.4)
    axes.set_xlabel(
        f"{readable_name(rows[0]['by'])}: folds (rings), their mean with its 95 % interval (dot, line, number), "
        "all rows together (tick)"
    )
    _plain(axes, grid="x")
    return figure


def _searched(rows: Sequence[Row]) -> list[str]:
    """Return the candidates with a search of more than one trial; one trial has no path."""
    trials = Counter(row["candidate"] for row in rows if row["method"] != "none")
    return [name for name, count in trials.items() if count > 1]


def _searches(rows: Sequence[Row], names: Sequence[str]) -> "Figure":
    figure, panels = _panels(len(names))
    for name, axes in zip(names, panels, strict=True):
        trials = [row for row in rows if row["candidate"] == name and row["score"] is not None]
        for complete, face in (("no", "white"), ("yes", OTHER)):
            shown = [row for row in trials if row["complete"] == complete]
            axes.plot(
                *([row[field] for row in shown] for field in ("trial", "score")),
                "o",
                markersize=4,
                color=OTHER,
                markerfacecolor=face,
            )
        best = [(row["trial"], row["best"]) for row in rows if row["candidate"] == name and row["best"] is not None]
        if best:
            axes.step(*zip(*best, strict=True), where="post", color=LEADER, linewidth=1.5)
            _label(axes, number(best[-1][1]), best[-1], colour=LEADER, up=6)
        axes.set_title(f"{name} ({trials[0]['method'] if trials else 'nothing fitted'})", loc="left", fontsize=9)
        axes.set_xlabel("trial" if all(row["complete"] == "yes" for row in trials) else "trial (ring: fewer folds)")
        axes.locator_params(axis="x", integer=True)
        axes.margins(y=0.2)
        _plain(axes, grid="y")
    panels[0].set_ylabel(readable_name(rows[0]["by"]))
    return figure


def _learning_curves(rows: Sequence[Row]) -> "Figure":
    names = list(dict.fromkeys(row["candidate"] for row in rows))
    figure, panels = _panels(len(names), sharey=True)
    for name, axes in zip(names, panels, strict=True):
        shown = [row for row in rows if row["candidate"] == name]
        train = [(row["rows"], row["train_score"]) for row in shown if row["train_score"] is not None]
        band = [(row["rows"], row["low"], row["high"]) for row in shown if row["low"] is not None]
        score = [(row["rows"], row["score"]) for row in shown if row["score"] is not None]
        if train:
            axes.plot(*zip(*train, strict=True), color=OTHER, linewidth=1.2, linestyle="--")
            _label(axes, "the rows fitted on", train[-1], colour=OTHER, up=8)
        if band:
            rows_fitted, low, high = zip(*band, strict=True)
            axes.fill_between(rows_fitted, low, high, color=LEADER, alpha=0.15, linewidth=0)
        if score:
            axes.plot(*zip(*score, strict=True), color=LEADER, linewidth=1.6, marker="o", markersize=3)
            _label(axes, "other rows", score[-1], colour=LEADER, up=-12)
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_xlabel("training rows")
        axes.set_xlim(left=0)
        _plain(axes, grid="y")
    panels[0].set_ylabel(readable_name(rows[0]["by"]))
    return figure


def _label(axes: "Axes", text: str, point: tuple[float, float], *, colour: str, up: int) -> None:
    """Write text that ends at a point, `up` points above it."""
    axes.annotate(text, point, xytext=(0, up), textcoords="offset points", color=colour, ha="right", bbox=BEHIND)


def _panels(count: int, *, sharey: bool = False) -> "tuple[Figure, list[Axes]]":
    columns = min(PER_LINE, count)
    lines = math.ceil(count / columns)
    height = 2.3 * lines
    figure = _figure(height=height)
    grid = figure.subplots(lines, columns, sharey=sharey, squeeze=False)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.5 / height, top=1 - 0.3 / height, wspace=0.3, hspace=0.75)
    panels = list(grid.ravel())
    for unused in panels[count:]:
        unused.set_axis_off()
    return figure, panels[:count]


def _figure(*, height: float) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    return Figure(figsize=(WIDTH, height), facecolor="white")


def _plain(axes: "Axes", *, grid: Literal["x", "y"]) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2)
    axes.grid(axis=grid, color="#f1f5f9")
    axes.set_axisbelow(True)


def _svg(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()

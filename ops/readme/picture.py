"""Draw the gain of both models, and their differences with intervals, as one picture."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.pages.markdown import readable_name
from lab.pages.pictures import LEADER, OTHER, PLAIN

COLOURS = {"champion": OTHER, "challenger": LEADER}
SHOWN = ("roc_auc", "accuracy", "precision", "recall", "f1")
WINDOW = "test"


def draw_answer(abtest: Mapping[str, Any], gain: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the picture as SVG; the same results are the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "answer", "svg.fonttype": "path", "font.size": 10}):
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_gain(left, [row for row in gain if row["window"] == WINDOW])
        _draw_differences(right, {seen["metric"]: seen for seen in abtest["offline"][WINDOW]})
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _draw_gain(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    axes.plot([0, 1], [0, 1], color="#c8ccd2", linewidth=1, linestyle=":")
    axes.annotate("by chance", (0.62, 0.56), color="#9aa0a8")
    for place, (model, colour) in enumerate(COLOURS.items()):
        points = sorted((row["share_acted_on"], row["share_found"]) for row in rows if row["model"] == model)
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=colour, linewidth=2)
        axes.annotate(model, (0.52, 0.30 - 0.08 * place), color=colour, fontweight="bold")
    axes.set(xlabel="share of rows acted on, best score first", ylabel="share of the positives found")
    axes.set_title("Positives found by acting on the best scores", loc="left", fontsize=11)
    _plain(axes)


def _draw_differences(axes: Axes, seen: Mapping[str, Mapping[str, Any]]) -> None:
    for place, metric in enumerate(reversed(SHOWN)):
        each = seen[metric]
        if each["low"] is not None and each["high"] is not None:
            axes.plot([each["low"], each["high"]], [place, place], color=LEADER, linewidth=3, alpha=0.45)
        axes.plot([each["difference"]], [place], "o", color=LEADER)
        axes.annotate(each["verdict"], (1.01, place), xycoords=("axes fraction", "data"), va="center", color=PLAIN)
    axes.axvline(0, color=PLAIN, linewidth=1)
    axes.set_yticks(range(len(SHOWN)), [readable_name(name) for name in reversed(SHOWN)])
    axes.set(xlabel="challenger less champion, 95 % interval", ylim=(-0.6, len(SHOWN) - 0.4))
    axes.locator_params(axis="x", nbins=5)  # more labels overlap
    axes.set_title("Is the challenger better on the same rows?", loc="left", fontsize=11)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(color=PLAIN, labelcolor=PLAIN)

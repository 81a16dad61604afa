"""Draw differences with their intervals as text, in units of the margin."""

from collections.abc import Sequence

from ops.compare.differences import Judged, oriented

HALF = 24  # characters on either side of no difference
MOST = 6.0  # margins on either side, at most


def picture(differences: Sequence[tuple[str, Judged]]) -> str:
    """Return one line a difference: right is better, between the dotted lines is within the margin.

    Differences without an interval or a margin are left out.

    >>> print(picture([("F1", Judged("f1", "better", 0.5, 0.55, 0.05, low=0.01, high=0.09, margin=0.02))]))
                    worse  ┊    │    ┊  better
    F1                     ┊    │ ├──┊──────●─────────┤
    """
    drawn = [(name, ends, seen.margin) for name, seen in differences if (ends := oriented(seen)) and seen.margin]
    if not drawn:
        return ""
    reach = min(MOST, max(1.5, *(max(map(abs, ends)) / margin * 1.1 for _, ends, margin in drawn)))
    width = max(len(name) for name, _, _ in drawn)
    inside = round(HALF / reach)
    head = f"{'worse  ┊'.rjust(width + 2 + HALF - inside + 1)}{'│'.rjust(inside)}{'┊  better'.rjust(inside + 8)}"
    return "\n".join([head, *(f"{name.ljust(width)}  {_line(ends, margin, reach)}" for name, ends, margin in drawn)])


def _line(ends: tuple[float, float, float], margin: float, reach: float) -> str:
    middle, low, high = (_place(end / margin, reach) for end in ends)
    cells = [" "] * (2 * HALF + 1)
    for place, mark in ((HALF, "│"), (_place(-1, reach), "┊"), (_place(1, reach), "┊")):
        cells[place] = mark
    for place in range(low, high + 1):
        cells[place] = cells[place] if cells[place] != " " else "─"
    beyond = (ends[1] / margin < -reach, ends[2] / margin > reach)
    cells[low], cells[high] = "◂" if beyond[0] else "├", "▸" if beyond[1] else "┤"
    if abs(ends[0] / margin) <= reach:
        cells[middle] = "●"
    return "".join(cells).rstrip()


def _place(margins: float, reach: float) -> int:
    return HALF + round(max(-1.0, min(1.0, margins / reach)) * HALF)

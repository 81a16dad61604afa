"""Charts of the drift page as SVG, coloured by its CSS."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

LABELS, WIDTH, STEP = 150, 560, 20
BINS_SHOWN = 14
PANEL, BIN_STEP, BIN_LABELS = 280, 18, 110
HEIGHT = 110
FEW = 6  # points; lines of at most so many are labelled with values


def bars(lines: Sequence[tuple[str, float, str]]) -> str:
    """Return one bar per (name, value, class), and a line at 1."""
    largest = max([1.2, *(value for _, value, _ in lines)])
    scale = (WIDTH - LABELS - 40) / largest
    parts = [_bar(place, line, scale) for place, line in enumerate(lines)]
    height, one = len(lines) * STEP + 4, LABELS + scale
    parts.append(f'<line class="rule" x1="{one:.1f}" x2="{one:.1f}" y1="0" y2="{height}"/>')
    return _svg(WIDTH, height, parts, "the change of each column in multiples of its threshold")


def _bar(place: int, line: tuple[str, float, str], scale: float) -> str:
    name, value, kind = line
    top, length = place * STEP + 3, max(value, 0) * scale
    return (
        f'<text x="{LABELS - 6}" y="{top + 11}" text-anchor="end">{_short(name, 22)}</text>'
        f'<rect class="{escape(kind)}" x="{LABELS}" y="{top}" width="{length:.1f}" height="14" rx="2">'
        f"<title>{escape(name)}: {value:.2f} times its threshold, {escape(kind)}</title></rect>"
        f'<text class="soft" x="{LABELS + length + 4:.1f}" y="{top + 11}">{value:.2f}</text>'
    )


def distribution(bins: Sequence[Mapping[str, Any]]) -> str:
    """Return the shares of the reference and of the batch in each bin, one above the other."""
    shown = _gathered(bins)
    largest = max([0.01, *(share for _, was, now in shown for share in (was, now))])
    scale = (PANEL - BIN_LABELS - 6) / largest
    parts = []
    for place, (name, was, now) in enumerate(shown):
        top = place * BIN_STEP + 2
        parts += [
            f'<text x="{BIN_LABELS - 5}" y="{top + 10}" text-anchor="end">{_short(name, 17)}</text>',
            f'<rect class="was" x="{BIN_LABELS}" y="{top}" width="{was * scale:.1f}" height="6"/>',
            _now(top + 7, now * scale, f"{name}: {100 * was:.1f} % in the reference, {100 * now:.1f} % in the batch"),
        ]
    return _svg(PANEL, len(shown) * BIN_STEP + 4, parts, "shares by bin, reference and batch")


def _now(top: float, width: float, title: str) -> str:
    rectangle = f'<rect class="now" x="{BIN_LABELS}" y="{top}" width="{width:.1f}" height="6">'
    return f"{rectangle}<title>{escape(title)}</title></rect>"


def _gathered(bins: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, float]]:
    """Return the bins with the most rows in their order, the others merged into one."""
    lines = [(str(part["bin"]), part["reference_share"] or 0.0, part["current_share"] or 0.0) for part in bins]
    ranked = sorted(range(len(lines)), key=lambda place: -(lines[place][1] + lines[place][2]))
    kept = set(ranked[:BINS_SHOWN])
    shown = [line for place, line in enumerate(lines) if place in kept]
    rest = [line for place, line in enumerate(lines) if place not in kept]
    if rest:
        shown.append((f"{len(rest)} others", sum(line[1] for line in rest), sum(line[2] for line in rest)))
    return shown


def timeline(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the line of a figure by chunk with its band; chunks without a value leave a gap."""
    ends = [line[name] for line in lines for name in ("value", "low", "high") if line[name] is not None]
    if not ends:
        return "<p>no value in any chunk</p>"
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    step = PANEL / len(lines)

    def y_of(value: float) -> float:
        return float(14 + (HEIGHT - 36) * (1 - (value - low) / span))

    parts = []
    for place, line in enumerate(lines):
        if line["low"] is not None:
            top, bottom = y_of(line["high"]), y_of(line["low"])
            parts.append(
                f'<rect class="band" x="{place * step:.1f}" y="{top:.1f}" width="{step:.1f}" '
                f'height="{max(bottom - top, 1):.1f}"/>'
            )
    known = [(place, line) for place, line in enumerate(lines) if line["value"] is not None]
    path = " ".join(f"{(place + 0.5) * step:.1f},{y_of(line['value']):.1f}" for place, line in known)
    parts.append(f'<polyline class="path" points="{path}"/>')
    parts += [_dot((place + 0.5) * step, y_of(line["value"]), line, few=len(lines) <= FEW) for place, line in known]
    parts.append(f'<text class="soft" x="2" y="{HEIGHT - 4}">{escape(str(lines[0]["first"]))}</text>')
    if len(lines) > 1:
        last = escape(str(lines[-1]["first"]))
        parts.append(f'<text class="soft" x="{PANEL - 2}" y="{HEIGHT - 4}" text-anchor="end">{last}</text>')
    return _svg(PANEL, HEIGHT, parts, "a figure over time with its limits")


def _dot(x: float, y: float, line: Mapping[str, Any], *, few: bool) -> str:
    kind = "dot alarm" if line["alarm"] else "dot"
    label = f'<text x="{x:.1f}" y="{y - 6:.1f}" text-anchor="middle">{line["value"]:.3f}</text>' if few else ""
    title = f"<title>{escape(str(line['first']))}: {line['value']:.4f}</title>"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>{label}'


def _short(name: str, most: int) -> str:
    return escape(name if len(name) <= most else f"{name[: most - 1]}…")


def _svg(width: float, height: float, parts: Sequence[str], label: str) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'

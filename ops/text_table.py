"""Align cells of text in columns."""

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, each column as wide as its widest cell.

    >>> print(aligned([("gate", "value"), ("roc_auc", "0.81")]))
    gate     value
    roc_auc  0.81
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)

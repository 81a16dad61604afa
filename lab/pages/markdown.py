"""Format numbers, sentences and tables for Markdown pages."""

import re
from collections.abc import Iterable, Sequence

DECIMAL = re.compile(r"(\d)_(\d)")
SPOKEN = {"roc_auc": "ROC AUC", "f1": "F1", "brier": "Brier score"}
NOTHING = "–"


def readable_name(name: str) -> str:
    """Return a name from a settings file in readable form.

    >>> readable_name("roc_auc"), readable_name("average_precision")
    ('ROC AUC', 'average precision')
    """
    return SPOKEN.get(name, name.replace("_", " "))


def gate_name(name: str) -> str:
    """Return the name of a gate in readable form.

    >>> gate_name("accuracy_loss_at_noise_0_05"), gate_name("roc_auc_against_champion")
    ('accuracy loss at noise 0.05', 'ROC AUC against champion')
    """
    return readable_name(DECIMAL.sub(r"\1.\2", name)).replace("roc auc", "ROC AUC")


def number(value: float | None, *, digits: int = 4) -> str:
    """Return a number with fixed decimals; a dash for None."""
    if value is None:
        return NOTHING
    return f"{value + 0.0:.{digits}f}".replace("-", "−") if round(value, digits) else f"{0:.{digits}f}"


def signed(value: float | None, *, digits: int = 4) -> str:
    """Return a difference with its sign.

    >>> signed(0.01234), signed(-0.5, digits=1), signed(-0.00001)
    ('+0.0123', '−0.5', '0.0000')
    """
    text = number(value, digits=digits)
    return f"+{text}" if value is not None and round(value, digits) > 0 else text


def interval(low: float | None, high: float | None, *, digits: int = 4) -> str:
    """Return the ends of an interval; a dash for None."""
    return NOTHING if low is None or high is None else f"{number(low, digits=digits)} to {number(high, digits=digits)}"


def p_value(p: float | None) -> str:
    """Return a p-value with two significant digits.

    >>> p_value(0.0314159), p_value(0.00001234), p_value(1.0)
    ('0.031', '< 0.0001', '1')
    """
    if p is None:
        return NOTHING
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def percent(share: float | None, *, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return NOTHING if share is None else f"{number(100 * share, digits=digits)} %"


def count(value: int | None) -> str:
    """Return an integer with thousands separators."""
    return NOTHING if value is None else f"{value:,}"


def counted(value: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    >>> counted(1, "row"), counted(4200, "row")
    ('1 row', '4,200 rows')
    """
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *before, last = list(words)
    return f"{', '.join(before)} and {last}" if before else last


def sentence(text: str) -> str:
    """Return text with a capital first letter and a final full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; a heading that ends with a colon makes its column right-aligned."""
    marks = ["---:" if name.endswith(":") else "---" for name in head]
    lines = [[name.removesuffix(":") for name in head], marks, *rows]
    return [f"| {' | '.join(cell if cell in marks else escaped(cell) for cell in line)} |" for line in lines]


def escaped(text: str) -> str:
    """Return text that is safe in a table cell."""
    return text.replace("\\|", "\\ |").replace("|", "\\|").replace("\n", " ")

"""Render gauges in Prometheus' text format."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Gauge:
    """One number with its name and labels."""

    name: str
    labels: Mapping[str, str]
    value: float


def text_of(gauges: Iterable[Gauge], help_texts: Mapping[str, str]) -> str:
    r"""Return the gauges sorted by name, each with its help text.

    >>> print(text_of([Gauge("lab_rows", {"window": 'the "test"'}, 3)], {"lab_rows": "Rows."}))
    # HELP lab_rows Rows.
    # TYPE lab_rows gauge
    lab_rows{window="the \"test\""} 3
    <BLANKLINE>
    """
    found = sorted(gauges, key=lambda gauge: (gauge.name, sorted(gauge.labels.items())))
    lines: list[str] = []
    for place, gauge in enumerate(found):
        if place == 0 or found[place - 1].name != gauge.name:
            lines += [f"# HELP {gauge.name} {help_texts[gauge.name]}", f"# TYPE {gauge.name} gauge"]
        lines.append(f"{gauge.name}{_labels(gauge.labels)} {_number(gauge.value)}")
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    written = ",".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels))
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"found {value}, expected a finite number: leave unknown values out")
    return f"{value:.10g}"

"""Draw the stages that changed, the gates and the candidates as Mermaid charts."""

import re
from collections import Counter

from lab.pages.markdown import readable_name
from ops.compare.comparison import Comparison
from ops.compare.graph import Graph
from ops.compare.training import Training
from ops.report.collapsible import Section

MOST_NAMES = 12
UNSAFE = re.compile(r"[^A-Za-z0-9_ -]")


def charts_section(comparison: Comparison) -> Section | None:
    """Return the charts that have content."""
    gates = Counter[str](each.course for each in comparison.gates if each.decides)
    charts = [_stages(comparison.graph), _gates(gates), _candidates(comparison.training)]
    drawn = [f"```mermaid\n{chart}\n```" for chart in charts if chart]
    return Section("Charts: stages, gates, candidates", ("\n\n".join(drawn),)) if drawn else None


def _stages(graph: Graph) -> str:
    """Return the graph; stages whose outputs differ are filled."""
    if not graph.stages:
        return ""
    number = {name: f"s{place}" for place, name in enumerate(graph.stages)}
    changed = ",".join(number[name] for name in graph.changed)
    style = ["  classDef changed fill:#fde68a,stroke:#b45309,color:#1f2937", f"  class {changed} changed"]
    return "\n".join(
        [
            "---",
            'title: "Stages (filled: other outputs than at the base)"',
            "---",
            "flowchart LR",
            *(f'  {number[name]}["{_safe(name)}"]' for name in graph.stages),
            *(f"  {number[source]} --> {number[target]}" for source, target in graph.arrows),
            *(style if changed else []),
        ]
    )


def _gates(courses: Counter[str]) -> str:
    lines = [f'  "{course}" : {courses[course]}' for course in sorted(courses)]
    return "\n".join(["pie showData", "  title Gates that decide", *lines]) if lines else ""


def _candidates(training: Training) -> str:
    """Return the scores of the candidates that both revisions have, on an axis around them."""
    found = [
        (_safe(each.name), each.base_score, each.head_score)
        for each in training.candidates[:MOST_NAMES]
        if each.base_score is not None and each.head_score is not None
    ]
    if not found:
        return ""
    names, old, new = zip(*found, strict=True)
    low, high = min(*old, *new), max(*old, *new)
    room = max((high - low) / 5, 0.005)
    name = _safe(readable_name(training.by))
    return "\n".join(
        [
            "xychart-beta",
            f'  title "{name}, mean over folds: base (bars), head (line)"',
            f"  x-axis [{', '.join(names)}]",
            f'  y-axis "{name}" {low - room:.4f} --> {high + room:.4f}',
            f"  bar [{', '.join(f'{value:.4f}' for value in old)}]",
            f"  line [{', '.join(f'{value:.4f}' for value in new)}]",
        ]
    )


def _safe(text: str) -> str:
    return UNSAFE.sub("_", text)[:40]

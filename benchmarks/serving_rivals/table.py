"""The figures as Markdown, for people and for benchmarks/README.md; the rest stays in the JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.serving_rivals.rounds import MANY, ONE, TOGETHER

HEAD = (
    "| contender | start, s (CPU s) | memory, MB (shared once) | one row: a second | p50, p99 ms | CPU ms "
    "| 16 connections: a second | 1,000 rows: a second |"
)
LINE = "|---|---|---|---:|---|---:|---:|---:|"


def rendered(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of two tables: what each contender did, and the ratios with their intervals."""
    yield from (HEAD, LINE)
    for name, own in found["each"].items():
        yield f"| {name} | {_own(own)} |"
    yield from ("", "| ours / theirs | ratio | 95 % | asked | |", "|---|---:|---|---|---|")
    for name, ratios in {**found["beside rivals"], **found["beside bare"]}.items():
        for figure, seen in ratios.items():
            interval = "–".join(f"{end:g}" for end in seen["interval"] or ())
            yield f"| {name}: {figure} | {seen['ratio']:g} | {interval} | {seen['asked']} | {_word(seen['met'])} |"


def _own(own: Mapping[str, Any]) -> str:
    one, several, many = own[ONE], own[TOGETHER], own[MANY]
    cells = (
        f"{own['start']['seconds']} ({own['start']['CPU seconds']})",
        f"{own['megabytes']['resident']} ({own['megabytes']['shared pages once']})",
        one["a second"],
        f"{one['p50 ms']}, {one['p99 ms']}",
        one["server CPU ms a request"],
        several["a second"],
        many["a second"],
    )
    return " | ".join(map(str, cells))


def _word(met: bool | None) -> str:  # noqa: FBT001 - a value here, not a switch
    return "" if met is None else "met" if met else "**missed**"

"""Write the page of a proposal: the commit message and the pull request's text."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.abtest.compare_models import LOWER_IS_BETTER
from lab.pages.escape import code, inert, plain_or_code
from lab.pages.gate_marks import limit_of, marked, verdicts_in_words
from lab.pages.markdown import (
    NOTHING,
    count,
    counted,
    gate_name,
    interval,
    number,
    readable_name,
    sentence,
    signed,
    table,
)
from ops.retrain.candidate import ABTEST, VALIDATE, Findings

INGEST, PREPARE, FEATURIZE, SELECT = (f"metrics/{name}.json" for name in ("ingest", "prepare", "featurize", "select"))
CHAMPION = "champion.yaml"
WINDOWS = ("train", "test", "current")
MOST_COLUMNS = 10


def page_of(findings: Findings) -> str:
    """Return the title, an empty line, and the page."""
    parts = [_first, _data, _drift, _comparison, gates_section, _merging]
    return "\n".join([title_of(findings), *(line for part in parts for line in ["", *part(findings)])])


def title_of(findings: Findings) -> str:
    """Return one line that names the task and the gain."""
    seen = findings.promotion
    gain = f"{readable_name(seen.metric)} {signed(seen.gain)} ({interval(seen.low, seen.high)})"
    return f"Retrain {findings.request.task}: {gain}"


def _first(findings: Findings) -> Iterator[str]:
    found, task = _read(findings.made, SELECT), findings.request.task
    word = "may replace" if findings.promotion.allowed else "may not replace"
    candidate = f"{code(found.get('challenger'))} ({code(found.get('estimator'))})"
    yield f"The candidate {candidate} {word} the champion of {code(task)}:"
    yield ""
    yield from (f"- {plain_or_code(reason)}" for reason in findings.promotion.reasons)


def _data(findings: Findings) -> Iterator[str]:
    yield "## New data"
    yield ""
    request = findings.request
    for setting in sorted(request.settings):
        yield f"- the setting {code(setting)}"
    for place in sorted(request.arrivals):
        yield f"- the file {code(f'data/source/{request.task}/{place}')}"
    if request.asks_source:
        yield "- the current content of the database"
    if not (request.settings or request.arrivals or request.asks_source):
        yield "- nothing: the same data is judged again"
    yield ""
    before, now = (_read(seen, INGEST).get("tables", {}) for seen in (findings.base, findings.made))
    rows = [_table_line(name, before.get(name, {}), now.get(name, {})) for name in sorted({*before, *now})]
    yield from table(("table", "rows before:", "rows now:", "newest before", "newest now"), rows)
    yield ""
    before, now = (_read(seen, FEATURIZE).get("rows", {}) for seen in (findings.base, findings.made))
    spans = [_read(seen, PREPARE).get("split", {}).get("windows", {}) for seen in (findings.base, findings.made)]
    rows = [
        [part, count(before.get(part)), count(now.get(part)), *(_span(span.get(part)) for span in spans)]
        for part in WINDOWS
    ]
    yield from table(("window", "rows before:", "rows now:", "period before", "period now"), rows)


def _drift(findings: Findings) -> Iterator[str]:
    drift = findings.need.drift
    columns, current = drift["columns"], drift["rows"]["current"]
    yield "## Why now"
    yield ""
    yield from (f"- {plain_or_code(reason)}" for reason in findings.need.reasons)
    yield ""
    yield (
        f"{counted(current, 'row')} of the newest window, scored by the champion, were compared with the reference: "
        f"{code(columns['columns']['drifted'])} of {counted(sum(columns['columns'].values()), 'column')} drifted."
    )
    yield ""
    rows = [
        [
            code(line["column"]),
            str(line["verdict"]),
            number(line["times_threshold"], digits=1),
            number(line["importance"]),
        ]
        for line in drift["moved"][:MOST_COLUMNS]
    ]
    if rows:
        yield from table(("column", "verdict", "times the threshold:", "share of importance:"), rows)
        yield ""
    rules = [_rule_line(rule) for rule in drift["policies"] if rule["counts"]]
    yield from table(("rule that counts", "value:", "limit:", "fired"), rules)


def _comparison(findings: Findings) -> Iterator[str]:
    yield "## Candidate against champion"
    yield ""
    yield "Both are fitted on the new training rows and scored on the same rows of the new test window."
    yield ""
    rows = [
        [
            readable_name(seen["metric"]) + (" (lower is better)" if seen["metric"] in LOWER_IS_BETTER else ""),
            number(seen["champion"]),
            number(seen["challenger"]),
            signed(seen["difference"]),
            interval(seen["low"], seen["high"]),
            str(seen["verdict"]),
        ]
        for seen in _read(findings.made, ABTEST)["offline"]["test"]
    ]
    yield from table(("metric", "champion:", "candidate:", "difference:", "95 % interval:", ""), rows)


def gates_section(findings: Findings) -> Iterator[str]:
    """Yield the lines on the gates: how many passed, then each with its mark."""
    verdict = inert(_read(findings.made, VALIDATE))
    yield "## Gates"
    yield ""
    yield sentence(verdicts_in_words(verdict))
    yield ""
    rows = [
        [gate_name(gate["gate"]), number(gate["value"]), limit_of(gate), marked(gate["verdict"])]
        for gate in verdict["gates"]
    ]
    yield from ("<details><summary>All of them</summary>", "")
    yield from table(("gate", "value:", "must be", ""), rows)
    yield from ("", "</details>")


def _merging(findings: Findings) -> Iterator[str]:
    yield "## What merging does"
    yield ""
    yield f"- {code(CHAMPION)} names the candidate as the champion of {code(findings.request.task)}; the data,"
    yield "  settings and results above become those of the branch that it is merged into."
    yield "- It deploys nothing and sets no tag; `python -m ops promote --register` sets the tag after the merge."
    yield "- Closing it leaves everything as it is."
    yield ""
    yield f"Made from commit {findings.request.base[:12]}; the same data gives the same proposal."


def _table_line(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [code(name), count(before.get("rows")), count(now.get("rows")), _newest(before), _newest(now)]


def _newest(found: Mapping[str, Any]) -> str:
    return max((str(period["last"]) for period in found.get("period", {}).values() if period["last"]), default=NOTHING)


def _span(window: Mapping[str, Any] | None) -> str:
    return NOTHING if window is None else f"{window['starts'][:10]} to {window['ends'][:10]}"


def _rule_line(rule: Mapping[str, Any]) -> list[str]:
    limit = NOTHING if rule["limit"] is None else f"{rule['limit']:g}"
    return [
        plain_or_code(readable_name(rule["policy"])),
        number(rule["value"]),
        limit,
        "yes" if rule["fired"] else plain_or_code(rule["reason"] or "no"),
    ]


def _read(seen: Any, path: str) -> dict[str, Any]:
    return seen.result(path) or {}

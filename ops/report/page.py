"""Render the report: advice on top, then metrics, then collapsible sections."""

from collections.abc import Sequence

from lab.pages.escape import UNBROKEN, code, plain_or_code
from lab.pages.markdown import interval, number, p_value, readable_name, signed, table
from ops.compare.comparison import Comparison, Revision
from ops.compare.differences import Judged
from ops.compare.facts import advice_of
from ops.compare.render import cure_of, metric_name, origin_in_words, rows_in_words
from ops.report.bars import picture
from ops.report.collapsible import LIMIT, page_of
from ops.report.details import sections_of

TITLE = "## Experiment report"  # identifies the comment
MARKS = {"merge": "✅", "look": "👀", "stop": "🛑"}
WORDS = {
    "better": "▲ better",
    "worse": "▼ worse",
    "equivalent": "≈ equivalent",
    "not distinguishable": "? not distinguishable",
}
MEANINGS = (
    "Difference is head less base. Interval and p are of a paired test on the same rows, by unit where units have "
    "several rows; p is corrected over the metrics (Holm), in brackets it is not. ≈ the whole interval lies within the "
    "margin: too small to matter. "
    "? not distinguishable: a difference below the number in brackets is mostly missed. In the picture, "
    "right is better, and the dotted lines mark the margin."
)


def report_of(
    comparison: Comparison,
    *,
    images: Sequence[tuple[str, str]] = (),
    run: str = "",
    plots: str = "",
    limit: int = LIMIT,
) -> str:
    """Return the report as Markdown within the limit; images are pairs of description and address.

    `run` is the address of the workflow's run, and `plots` the name of its artifact with the page of plots.
    """
    return page_of("\n\n".join(_top(comparison, images, _run(run, plots))), sections_of(comparison), limit=limit)


def _run(run: str, plots: str) -> str:
    more = f" and, as artifact `{plots}`, one page with the plots of both revisions" if plots else ""
    return f" [The run that wrote this report]({run}) has its log{more}." if run else ""


def first_line(comparison: Comparison) -> str:
    """Return the advice with its first reason."""
    advice = advice_of(comparison)
    return f"{MARKS[advice.do]} **{advice.do}**: {_full_stop(advice.reasons[0].to_text(_name))}"


def _top(comparison: Comparison, images: Sequence[tuple[str, str]], run: str) -> list[str]:
    more = [f"- {_full_stop(reason.to_text(_name))}" for reason in advice_of(comparison).reasons[1:]]
    return [
        TITLE,
        first_line(comparison),
        *([origin_in_words(comparison, write=code)] if comparison.branch_point else []),
        *(["Beside that:\n\n" + "\n".join(more)] if more else []),
        f"{_revision(comparison.base)} (base) → {_revision(comparison.head)} (head). {_rows(comparison)}",
        *_metrics(comparison),
        *_pictures(images),
        "Where a number comes from: `python -m ops why metrics/evaluate.json:challenger.test.roc_auc`." + run,
    ]


def _metrics(comparison: Comparison) -> list[str]:
    metrics = comparison.metrics
    if not metrics.challenger.tested:
        return _untested(comparison)
    if metrics.challenger.same_predictions and not metrics.untested:
        return _the_same(comparison)
    primary_first = sorted(metrics.challenger.tested, key=lambda seen: seen.metric != comparison.settings.primary)
    head = ("challenger", "verdict", "base:", "head:", "difference:", "95 % interval:", "p:")
    lines = [
        *(_line(seen, comparison, p=p_value(seen.p_adjusted)) for seen in primary_first),
        *(_line(seen, comparison, p=f"({p_value(seen.p_value)})") for seen in metrics.challenger.further),
    ]
    drawn = picture([(readable_name(seen.metric), seen) for seen in primary_first])
    return [
        "\n".join(table(head, lines)),
        *([f"```\n{drawn}\n```"] if drawn and not metrics.challenger.same_predictions else []),
        f"<sub>{MEANINGS}</sub>",
        *(_untested(comparison) if metrics.untested else []),
    ]


def _the_same(comparison: Comparison) -> list[str]:
    seen = (*comparison.metrics.challenger.tested, *comparison.metrics.challenger.further)
    lines = [(_metric(each, comparison), number(each.head)) for each in seen]
    return ["The challenger's predictions are the same:", "\n".join(table(("challenger", "in both:"), lines))]


def _line(seen: Judged, comparison: Comparison, *, p: str) -> tuple[str, ...]:
    return (
        _metric(seen, comparison),
        _verdict(seen),
        number(seen.base),
        number(seen.head),
        signed(seen.difference),
        interval(seen.low, seen.high).replace(" ", UNBROKEN),
        p.replace(" ", UNBROKEN),
    )


def _metric(seen: Judged, comparison: Comparison) -> str:
    name = metric_name(seen.metric, plain_or_code(comparison.metrics.currency) if comparison.metrics.currency else "")
    return f"**{name}**" if seen.metric == comparison.settings.primary else name


def _verdict(seen: Judged) -> str:
    if seen.word == "not distinguishable" and seen.detectable is not None:
        return f"{WORDS[seen.word]} ({number(seen.detectable)})"
    if seen.word == "undefined":
        return f"undefined: {plain_or_code(seen.reason)}" if seen.reason else "undefined"
    return WORDS.get(seen.word, seen.word)


def _untested(comparison: Comparison) -> list[str]:
    """Return the untested numbers of both complete test windows."""
    plain = [seen for seen in comparison.metrics.challenger.untested if (seen.base, seen.head) != (None, None)]
    if not plain or comparison.other_task:
        return []
    lines = [
        (readable_name(seen.metric), number(seen.base), number(seen.head), signed(seen.difference), "untested")
        for seen in plain
    ]
    return [
        "Each revision's own whole test window (plain differences, which may be chance or other rows):",
        "\n".join(table(("challenger", "base:", "head:", "difference:", ""), lines)),
    ]


def _rows(comparison: Comparison) -> str:
    rows = comparison.metrics.rows
    if rows is None:
        return f"Nothing was tested: {plain_or_code(comparison.metrics.untested)}.{cure_of(comparison, write=code)}"
    return rows_in_words(comparison) if not rows.note else plain_or_code(rows_in_words(comparison), longest=600)


def _pictures(images: Sequence[tuple[str, str]]) -> list[str]:
    return ["\n".join(f"![{shows}]({address})" for shows, address in images)] if images else []


def _revision(revision: Revision) -> str:
    if revision.commit is None:
        return "the working tree"
    short = code(revision.commit[:12])
    return short if revision.commit.startswith(revision.name) else f"{code(revision.name, longest=100)} ({short})"


def _name(name: str) -> str:
    return plain_or_code(name, longest=200)


def _full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."

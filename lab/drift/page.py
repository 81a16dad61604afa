"""One page on a judged batch that needs no network and no script, whose size does not depend on the rows."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lab.drift.assess import Assessment
from lab.drift.style import CSS
from lab.drift.svg import bars, distribution, timeline

COLUMNS_DRAWN = 8
COLUMNS_IN_BARS = 30
ALERTS_SHOWN = 15
WORDS = {
    "drifted": "more than noise, and large enough to matter",
    "slight": "more than noise, too small to matter",
    "unclear": "large enough to matter, but it may be noise",
    "stable": "neither",
    "untestable": "nothing to test",
}


def page_of(found: Assessment) -> str:
    """Return the page as HTML."""
    document = found.document
    sections = [
        _head(document),
        _alerts(found.alerts),
        _rules(document["policies"]),
        _columns(document, found.points),
        _whole(document["whole_table"]),
        _segments(document["segments"]),
        _models(document["models"]),
        _in_time(document["chunks"]),
        _streams(document["streams"]),
        _rows(document["anomalies"]),
        _notes(document),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Drift</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main>\n</body>\n</html>\n"
    )


def number(value: Any, *, digits: int = 3) -> str:
    """Return a number as people read it; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 10**-digits:
        return f"{value:.1e}".replace("e-0", "e-").replace("-", "−")
    return f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table; cells are HTML already, and those that start as numbers stand to the right."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in line)}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: str) -> str:
    kind = ' class="number"' if cell[:1] in "0123456789−–" else ""
    return f"<td{kind}>{cell}</td>"


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{''.join(parts)}</section>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _badge(word: str, kind: str) -> str:
    return f'<span class="badge {kind}">{escape(word)}</span>'


def _head(document: Mapping[str, Any]) -> str:
    retrain, columns = document["retrain"], document["columns"]
    rows, reference = document["rows"], document["reference"]
    verdict = _badge("retrain", "bad") if retrain["suggested"] else _badge("no reason to retrain", "good")
    reasons = "".join(f"<li>{escape(reason.replace('_', ' '))}</li>" for reason in retrain["reasons"])
    return (
        f"<header><h1>Drift</h1><p>{number(rows['current'])} rows, held against {number(rows[reference])} rows of the "
        f"{escape(reference)} window. {columns['drifted']} of {sum(columns.values())} columns drifted.</p>"
        f'<p class="verdict">{verdict}</p><ul>{reasons}</ul></header>'
    )


def _alerts(alerts: Sequence[Mapping[str, Any]]) -> str:
    kinds = {"critical": "bad", "warning": "fair", "notice": "plain"}
    lines = [
        (
            _badge(alert["severity"], kinds[alert["severity"]]),
            escape(alert["subject"].replace("_", " ")),
            escape(alert["rule"].replace("_", " ")),
            number(alert["value"]),
            number(alert["limit"]),
        )
        for alert in alerts
    ]
    if not lines:
        return _section("What calls for attention", _paragraph("Nothing."))
    return _section(
        "What calls for attention", table(["", "about", "rule", "value", "limit"], lines[:ALERTS_SHOWN]), _more(lines)
    )


def _more(lines: Sequence[Any]) -> str:
    hidden = len(lines) - ALERTS_SHOWN
    return _paragraph(f"and {hidden} more, in alerts.json") if hidden > 0 else ""


def _rules(policies: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (
            escape(rule["policy"].replace("_", " ")),
            _badge("fired", "bad" if rule["counts"] else "plain") if rule["fired"] else "quiet",
            "counts" if rule["counts"] else "watched",
            number(rule["value"]),
            number(rule["limit"]),
            _rate(rule),
            escape(rule["reason"] or rule["says"]),
        )
        for rule in policies
    ]
    told = (
        "A rule that counts suggests a retraining by itself. The false alarm rate says how often it fires where "
        "nothing has changed, as measured on simulated batches of about as many rows "
        "(lab/drifting/false_alarms.json holds the conditions)."
    )
    head = ["rule", "", "", "value", "limit", "false alarms", "fires when"]
    return _section("When to retrain", _paragraph(told), f'<div class="words">{table(head, lines)}</div>')


def _rate(rule: Mapping[str, Any]) -> str:
    if rule["false_alarm_rate"] is None:
        return "not measured"
    return _interval(rule["false_alarm_rate"], rule["false_alarm_low"], rule["false_alarm_high"])


def _interval(share: float | None, low: float | None, high: float | None) -> str:
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def _columns(document: Mapping[str, Any], points: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = [line for line in points["columns"] if line["times_threshold"] is not None]
    legend = ", ".join(
        f"{word}: {meaning}" for word, meaning in WORDS.items() if word in {line["verdict"] for line in lines}
    )
    weights = {line["column"]: line for line in document["moved"]}
    drawn = [line["column"] for line in document["moved"][:COLUMNS_DRAWN]]
    bins = {name: [part for part in points["bins"] if part["column"] == name] for name in drawn}
    rows = [
        (
            escape(name),
            escape(weights[name]["verdict"]),
            number(weights[name]["times_threshold"], digits=2),
            percent(weights[name]["importance"]),
        )
        for name in drawn
    ]
    parts = [
        _paragraph("The largest size of each column's change, in multiples of its threshold."),
        '<div class="bars">',
        bars([(line["column"], line["times_threshold"], line["verdict"]) for line in lines[:COLUMNS_IN_BARS]]),
        "</div>",
        f'<p class="small">{escape(legend)}.</p>',
    ]
    if rows:
        parts += [
            "<h3>By shift times importance</h3>",
            table(["column", "", "times threshold", "importance"], rows),
            '<div class="grid">',
            *(f"<figure><figcaption>{escape(name)}</figcaption>{distribution(bins[name])}</figure>" for name in drawn),
            '</div><p class="small">Share of the rows by bin: grey was, colour is.</p>',
        ]
    return _section("What moved", *parts)


def _whole(whole: Mapping[str, Any]) -> str:
    if whole["p_value"] is None:
        return _section("The table as a whole", _paragraph(f"Not judged: {whole['reason']}."))
    told = (
        f"A classifier tells rows of the batch from rows of the reference, on rows that it was not fitted on, with an "
        f"area of {number(whole['roc_auc'])} (½ is chance; p = {number(whole['p_value'])}): {whole['verdict']}. "
        "It does so by:"
    )
    lines = [(escape(line["column"]), number(line["roc_auc_lost_without"])) for line in whole["columns"]]
    return _section("The table as a whole", _paragraph(told), table(["column", "area lost without it"], lines))


def _segments(segments: Sequence[Mapping[str, Any]]) -> str:
    if not segments:
        return ""
    lines = [
        (
            escape(f"{line['group']} = {line['level']}"),
            escape(line["column"]),
            number(line["reference_rows"]),
            number(line["current_rows"]),
            f"{number(line['effect'])} {escape(line['measure'].replace('_', ' '))}",
        )
        for line in segments
    ]
    return _section("Where it moved", table(["group", "column", "rows then", "rows now", "change"], lines))


def _models(models: Sequence[Mapping[str, Any]]) -> str:
    if not models:
        return _section("How well the models do", _paragraph("The rows hold no scores."))
    lines = [
        (
            escape(model["model"]),
            kind,
            number(seen.get("reference")),
            number(seen.get("current")),
            f"{number(seen['difference'])} ({number(seen['low'])} to {number(seen['high'])})",
            escape(seen["verdict"] + (f": {seen['reason']}" if seen["reason"] else "")),
        )
        for model in models
        for kind, seen in (("by labels", model["performance"]), ("estimated", model["estimated"]))
    ]
    note = models[0]["estimated"].get("note", "")
    told = f"The area under the ROC curve, with 95 % intervals. The estimate needs no label: {note}."
    head = ["model", "", "then", "now", "difference", "verdict"]
    return _section("How well the models do", _paragraph(told), table(head, lines), _calibration(models))


def _calibration(models: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (
            escape(model["model"]),
            percent(seen["expected"]),
            percent(seen["observed"]),
            number(seen["p_in_the_large"]),
            number(seen["spiegelhalter_p"]),
            number(seen["calibration_error"]),
        )
        for model in models
        if (seen := model["calibration"]).get("observed") is not None
    ]
    if not lines:
        return ""
    head = ["model", "expected", "came true", "p", "p, row by row", "calibration error"]
    return "<h3>Whether scores come true</h3>" + table(head, lines)


def _in_time(chunks: Sequence[Mapping[str, Any]]) -> str:
    if not chunks:
        return _section("Through time", _paragraph("The rows have no moment."))
    names = [line["figure"] for line in chunks[0]["figures"]]
    figures = []
    for place, name in enumerate(names):
        lines = [{"first": chunk["first"], **chunk["figures"][place]} for chunk in chunks]
        figures.append(f"<figure><figcaption>{escape(name.replace('_', ' '))}</figcaption>{timeline(lines)}</figure>")
    counted = [
        (
            escape(chunk["first"]),
            number(chunk["rows"]),
            f"{len(chunk['columns']['drifted'])} of {chunk['columns']['judged']}",
            _interval(*(chunk["anomalies"][name] for name in ("share", "low", "high"))),
        )
        for chunk in chunks
    ]
    by = (
        "chunks of the reference's time"
        if chunks[0]["limits_by"] == "time"
        else ("groups of the reference drawn by chance: it is too short to know how much time alone changes")
    )
    head = ["from", "rows", "columns drifted", "anomalous rows"]
    told = f"The band is three deviations to either side, from {by}."
    return _section("Through time", table(head, counted), _paragraph(told), '<div class="grid">', *figures, "</div>")


def _streams(streams: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (
            escape(line["model"]),
            escape(line["detector"].replace("page_hinkley", "Page–Hinkley").replace("adwin", "ADWIN")),
            number(line["rows"]),
            _badge("changed", "fair") if line["alarms"] else escape(line["reason"] or "quiet"),
            f"{percent(line['before'])} to {percent(line['since'])}" if line["alarms"] else "–",
            number(line["seen_after"]),
        )
        for line in streams
    ]
    if not lines:
        return ""
    head = ["model", "detector", "labelled rows", "", "errors", "seen after row"]
    return _section("Errors in the order of time", table(head, lines))


def _rows(found: Mapping[str, Any]) -> str:
    if found["rows"] is None:
        return _section("Rows unlike the reference", _paragraph(f"Not judged: {found['reason']}."))
    told = (
        f"{number(found['rows'])} rows, {_interval(found['share'], found['low'], found['high'])}, are unlike "
        f"the reference, where {percent(found['promised'])} would be by chance "
        f"(p = {number(found['p_value'])}). What is out of the ordinary about the most unlike, by how often:"
    )
    named: dict[str, int] = {}
    for line in found["worst"]:
        for reason in line["reasons"]:
            name = reason.split(" is ")[0]
            named[name] = named.get(name, 0) + 1
    ranked = sorted(named, key=lambda name: (-named[name], name))
    lines = [(escape(name), number(named[name])) for name in ranked]
    return _section("Rows unlike the reference", _paragraph(told), table(["feature", "times"], lines))


def _notes(document: Mapping[str, Any]) -> str:
    inflated = document["inflated"]
    alike = (
        f"Rows that are alike (of one unit, or neighbours in time) count as fewer: the tests of {len(inflated)} "
        f"columns were corrected, by a factor of up to {number(max(line['factor'] for line in inflated), digits=2)}."
        if inflated
        else "No test had to be corrected for rows that are alike."
    )
    return _section("How this was judged", _paragraph(alike))

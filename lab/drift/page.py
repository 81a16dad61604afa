"""Render the drift report as one self-contained HTML page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lab.drift.assess import Assessment
from lab.drift.style import CSS
from lab.drift.svg import bars, distribution, timeline

COLUMNS_DRAWN = 8
COLUMNS_IN_BARS = 30
ALERTS_SHOWN = 15
MEANINGS = {
    "drifted": "significant and material",
    "slight": "significant, not material",
    "unclear": "material, not significant",
    "stable": "neither significant nor material",
    "untestable": "nothing to test",
}


def page_of(found: Assessment) -> str:
    document = found.document
    sections = [
        _head(document),
        _faults(document["faults"]),
        _alerts(found.alerts),
        _rules(document["policies"]),
        _columns(document, found.points),
        _domain_classifier(document["whole_table"]),
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
    """Return a number as text, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 10**-digits:
        return f"{value:.1e}".replace("e-0", "e-").replace("-", "−")
    return f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table; cells are HTML, and numbers are aligned to the right."""
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
    columns, verdict = document["columns"], document["verdict"]
    rows, reference = document["rows"], document["reference"]
    kind = "good" if verdict["word"] == "no reason to retrain" else "bad"
    text = verdict["text"].removeprefix(f"{verdict['word'].upper()}: ").replace("_", " ")
    return (
        f"<header><h1>Drift</h1><p>{number(rows['current'])} rows compared with {number(rows[reference])} rows of the "
        f"{escape(reference)} window. {columns['drifted']} of {sum(columns.values())} columns drifted.</p>"
        f'<p class="verdict">{_badge(verdict["word"], kind)}</p>{_paragraph(text)}</header>'
    )


def _faults(faults: Sequence[Mapping[str, Any]]) -> str:
    if not faults:
        return ""
    lines = [(escape(fault["column"] or "the batch"), escape(fault["kind"]), escape(fault["text"])) for fault in faults]
    text = "Damage that a retraining would learn: mend it upstream."
    return _section("Data faults", _paragraph(text), table(["column", "fault", "what was found"], lines))


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
        return _section("Alerts", _paragraph("None."))
    head = ["severity", "subject", "rule", "value", "limit"]
    return _section("Alerts", table(head, lines[:ALERTS_SHOWN]), _more(lines))


def _more(lines: Sequence[Any]) -> str:
    hidden = len(lines) - ALERTS_SHOWN
    return _paragraph(f"and {hidden} more, in alerts.json") if hidden > 0 else ""


def _rules(policies: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (
            escape(rule["policy"].replace("_", " ")),
            _badge("fired", "bad" if rule["counts"] else "plain")
            if rule["fired"]
            else "not fired"
            if rule["judged"]
            else f"not judged, because {escape(rule['reason'])}",
            "counts" if rule["counts"] else "informational",
            number(rule["value"]),
            number(rule["limit"]),
            _rate(rule),
            escape(rule["says"]),
        )
        for rule in policies
    ]
    text = (
        "Each rule that counts suggests a retraining when it fires. The false alarm rate is how often it fires without "
        "a change, measured on simulated batches of similar size (conditions: lab/drift/false_alarms.json)."
    )
    head = ["rule", "", "", "value", "limit", "false alarm rate", "fires when"]
    return _section("Retraining rules", _paragraph(text), f'<div class="words">{table(head, lines)}</div>')


def _rate(rule: Mapping[str, Any]) -> str:
    if rule["false_alarm_rate"] is None:
        return "not measured"
    return _interval(rule["false_alarm_rate"], rule["false_alarm_low"], rule["false_alarm_high"])


def _interval(share: float | None, low: float | None, high: float | None) -> str:
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def _columns(document: Mapping[str, Any], points: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = [line for line in points["columns"] if line["times_threshold"] is not None]
    legend = ", ".join(
        f"{word}: {meaning}" for word, meaning in MEANINGS.items() if word in {line["verdict"] for line in lines}
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
        _paragraph("The largest effect size of each column, in multiples of its threshold."),
        '<div class="bars">',
        bars([(line["column"], line["times_threshold"], line["verdict"]) for line in lines[:COLUMNS_IN_BARS]]),
        "</div>",
        f'<p class="small">{escape(legend)}.</p>',
    ]
    if rows:
        parts += [
            "<h3>Ranked by shift times importance</h3>",
            table(["column", "", "times threshold", "importance"], rows),
            '<div class="grid">',
            *(f"<figure><figcaption>{escape(name)}</figcaption>{distribution(bins[name])}</figure>" for name in drawn),
            '</div><p class="small">Share of the rows by bin: grey is the reference, colour is the batch.</p>',
        ]
    return _section("Columns", *parts)


def _domain_classifier(found: Mapping[str, Any]) -> str:
    if found["p_value"] is None:
        return _section("Domain classifier", _paragraph(f"Not run: {found['reason']}."))
    text = (
        "A classifier separates the batch from the reference on held-out rows with a ROC AUC of "
        f"{number(found['roc_auc'])} (chance: 0.5; p = {number(found['p_value'])}): {found['verdict']}. "
        "The most important columns:"
    )
    lines = [(escape(line["column"]), number(line["roc_auc_lost_without"])) for line in found["columns"]]
    return _section("Domain classifier", _paragraph(text), table(["column", "ROC AUC lost when shuffled"], lines))


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
    head = ["group", "column", "reference rows", "batch rows", "change"]
    return _section("Drift within segments", table(head, lines))


def _models(models: Sequence[Mapping[str, Any]]) -> str:
    if not models:
        return _section("Model performance", _paragraph("The rows have no scores."))
    lines = [
        (
            escape(model["model"]),
            kind,
            number(found.get("reference")),
            number(found.get("current")),
            f"{number(found['difference'])} ({number(found['low'])} to {number(found['high'])})",
            escape(found["verdict"] + (f": {found['reason']}" if found["reason"] else "")),
        )
        for model in models
        for kind, found in (("realised", model["performance"]), ("estimated", model["estimated"]))
    ]
    text = f"ROC AUC with 95 % intervals. Estimated means {models[0]['estimated'].get('note', '')}."
    head = ["model", "", "reference", "batch", "difference", "verdict"]
    return _section("Model performance", _paragraph(text), table(head, lines), _calibration(models))


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
    head = ["model", "mean score", "positive rate", "p (in the large)", "p (Spiegelhalter)", "calibration error"]
    return "<h3>Calibration</h3>" + table(head, lines)


def _in_time(chunks: Sequence[Mapping[str, Any]]) -> str:
    if not chunks:
        return _section("Over time", _paragraph("The rows have no moment."))
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
        "periods of the reference"
        if chunks[0]["limits_by"] == "time"
        else "random groups of reference rows, because the reference has too few periods"
    )
    head = ["from", "rows", "columns drifted", "anomalous rows"]
    text = f"The band is the mean ± three standard deviations, estimated from {by}."
    return _section("Over time", table(head, counted), _paragraph(text), '<div class="grid">', *figures, "</div>")


def _streams(streams: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (
            escape(line["model"]),
            escape(line["detector"].replace("page_hinkley", "Page–Hinkley").replace("adwin", "ADWIN")),
            number(line["rows"]),
            _badge("change", "fair") if line["alarms"] else escape(line["reason"] or "no change"),
            f"{percent(line['before'])} to {percent(line['since'])}" if line["alarms"] else "–",
            number(line["seen_after"]),
        )
        for line in streams
    ]
    if not lines:
        return ""
    head = ["model", "detector", "labelled rows", "", "error rate", "detected after row"]
    return _section("Error rate in time order", table(head, lines))


def _rows(found: Mapping[str, Any]) -> str:
    if found["rows"] is None:
        return _section("Anomalous rows", _paragraph(f"Not tested: {found['reason']}."))
    text = (
        f"{number(found['rows'])} rows, {_interval(found['share'], found['low'], found['high'])}, are anomalous; "
        f"{percent(found['promised'])} are expected by chance (p = {number(found['p_value'])}). "
        "Unusual features of the most anomalous rows:"
    )
    counts = Counter(reason.split(" is ")[0] for line in found["worst"] for reason in line["reasons"])
    lines = [(escape(name), number(counts[name])) for name in sorted(counts, key=lambda name: (-counts[name], name))]
    return _section("Anomalous rows", _paragraph(text), table(["feature", "rows"], lines))


def _notes(document: Mapping[str, Any]) -> str:
    inflated = document["inflated"]
    text = (
        f"The tests of {len(inflated)} columns are corrected for correlated rows (same unit, or consecutive in time), "
        f"by a factor of up to {number(max(line['factor'] for line in inflated), digits=2)}."
        if inflated
        else "No test needs a correction for correlated rows."
    )
    return _section("Method", _paragraph(text))

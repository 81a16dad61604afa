"""Render a comparison as text for a terminal."""

from collections.abc import Callable, Iterable, Sequence

from lab.pages.gate_marks import MARKS
from lab.pages.markdown import NOTHING, count, counted, gate_name, interval, number, p_value, readable_name, signed
from ops.compare.changes import Change, in_one_line
from ops.compare.comparison import Comparison, Revision
from ops.compare.differences import NET, Judged
from ops.compare.facts import advice_of
from ops.compare.rows import TestRows
from ops.compare.searched import found_by_search
from ops.compare.tables.row_gate import RowGate
from ops.compare.tables.table_change import TableChange
from ops.compare.tables.words import counts_in_words, examples_in_words, gate_in_words, notes_in_words
from ops.compare.training import Training
from ops.text_table import aligned

WIDEST = 60
LISTED = 40

Lines = list[str]


def to_text(comparison: Comparison) -> str:
    """Return the comparison in plain text; an empty part is left out."""
    advice = advice_of(comparison)
    head = [
        f"{_named(comparison.base)} → {_named(comparison.head)}",
        "",
        *([f"{origin_in_words(comparison)}\n"] if comparison.branch_point else []),
        f"{advice.do.upper()}: {advice.reasons[0].to_text()}",
        *(f"  also: {reason.to_text()}" for reason in advice.reasons[1:]),
    ]
    parts = [f"\n{title}\n{_indented(lines)}" for title, part in PARTS.items() if (lines := part(comparison))]
    return printable("\n".join([*head, *parts]))


def printable(text: str) -> str:
    r"""Return text without control characters.

    >>> printable("red\x1b[31m")
    'red�[31m'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)


def origin_in_words(comparison: Comparison, *, write: Callable[[str], str] = str) -> str:
    """Return which differences are the head's own, where the base went on since the branch point."""
    point = write((comparison.branch_point or "")[:12])
    return (
        f"Base and head both went on since {point}: settings, data and code are what the head changed since then; "
        "results are compared with the base."
    )


def searched_in_words(change: Change, training: Training) -> str:
    """Return what the search found, for a setting that is only the start of a search; nothing for others."""
    found = found_by_search(change, training)
    return f" is where the search starts; it found {found[0]} → {found[1]}" if found else ""


def rows_in_words(comparison: Comparison) -> str:
    """Return on which rows the models were compared, and how the two test windows relate."""
    rows = comparison.metrics.rows
    if rows is None:
        return f"Nothing was tested: {comparison.metrics.untested}.{cure_of(comparison)}"
    if rows.same:
        features = "" if rows.features == "the same" else f" (their features are {rows.features})"
        return f"Both on the same {rows_of_units(rows)} of the test window, matched by their keys{features}."
    features = "" if rows.features_differ is None else f" and features in {count(rows.features_differ)} more"
    note = f" Beware: {rows.note}." if rows.note else ""
    return (
        f"The test data changed: {counted(rows.in_both, 'row')} in both, {count(rows.only_in_base)} only in base, "
        f"{count(rows.only_in_head)} only in head. Of those in both, labels differ in {count(rows.labels_differ)}"
        f"{features}. Compared: the {rows_of_units(rows)} that are the same in both, and no other.{note}"
    )


def rows_of_units(rows: TestRows) -> str:
    """Return the number of compared rows, and of their units where these repeat."""
    units = f" of {counted(rows.units, 'unit')}" if rows.units < rows.compared else ""
    return f"{counted(rows.compared, 'row')}{units}"


def cure_of(comparison: Comparison, *, write: Callable[[str], str] = str) -> str:
    """Return the command that makes missing predictions again; nothing where they would not help."""
    if comparison.metrics.rows is not None or "the remote" not in comparison.metrics.untested:
        return ""
    lacking = [each.name for each in (comparison.base, comparison.head) if each.commit is not None]
    command = f"python -m ops derive {' '.join(lacking)} --output data/predictions --output data/features"
    return f" To have them derived again: {write(command)}"


def metric_name(metric: str, currency: str) -> str:
    """Return a metric's readable name; the money per row with its currency."""
    return f"net value per row{f', {currency}' if currency else ''}" if metric == NET else readable_name(metric)


def change_in_words(change: Change) -> tuple[str, str, str]:
    """Return a change as its name, the old and the new value, each in one line."""
    old = "(added)" if change.kind == "added" else in_one_line(change.old)
    new = "(removed)" if change.kind == "removed" else in_one_line(change.new)
    return change.name, old, new


def word_of(seen: Judged) -> str:
    """Return the word, with the smallest detectable difference or the reason where there is no answer."""
    if seen.word == "not distinguishable" and seen.detectable is not None:
        return f"not distinguishable (blind below {number(seen.detectable)})"
    return f"{seen.word}: {seen.reason}" if seen.word == "undefined" and seen.reason else seen.word


def _metrics(comparison: Comparison) -> Lines:
    metrics = comparison.metrics
    tested = _table_of(metrics.challenger.tested, metrics.challenger.further, comparison)
    parts = [rows_in_words(comparison), *(["", *tested] if tested else [])]
    if metrics.untested and metrics.challenger.untested:
        parts += [
            "",
            "Each revision's own whole test window (plain differences, which may be chance or other rows):",
            *_untested(comparison),
        ]
    if metrics.champion.tested and not metrics.champion.same_predictions:
        parts += ["", "The champion changed too:", *_table_of(metrics.champion.tested, (), comparison)]
    return parts


def _table_of(tested: Sequence[Judged], further: Sequence[Judged], comparison: Comparison) -> Lines:
    if not tested:
        return []
    head = ("", "metric", "base", "head", "difference", "95 % interval", "p (Holm)", "")
    mark = comparison.settings.primary
    lines = [
        (
            "*" if seen.metric == mark else "",
            metric_name(seen.metric, comparison.metrics.currency),
            number(seen.base),
            number(seen.head),
            signed(seen.difference),
            interval(seen.low, seen.high),
            p_value(seen.p_adjusted) if seen in tested else f"({p_value(seen.p_value)})",
            word_of(seen),
        )
        for seen in (*tested, *further)
    ]
    return aligned([head, *lines]).split("\n")


def _untested(comparison: Comparison) -> Lines:
    lines = [
        (readable_name(seen.metric), number(seen.base), number(seen.head), signed(seen.difference), "untested")
        for seen in comparison.metrics.challenger.untested
    ]
    return aligned([("metric", "base", "head", "difference", ""), *lines]).split("\n")


def _figures(comparison: Comparison) -> Lines:
    lines = []
    for seen in comparison.metrics.figures:
        scale = 100 if seen.metric.endswith("_cents_per_row") else 1
        name = metric_name(NET, comparison.metrics.currency) if scale == 100 else readable_name(seen.metric)
        ends = [
            interval(*(end / scale for end in each)) if each else NOTHING
            for each in (seen.base_interval, seen.head_interval)
        ]
        values = [number(None if each is None else each / scale) for each in (seen.base, seen.head)]
        lines.append((f"{name} ({seen.window})", values[0], ends[0], values[1], ends[1]))
    return aligned([("", "base", "95 % interval", "head", "95 % interval"), *lines]).split("\n") if lines else []


def _gates(comparison: Comparison) -> Lines:
    shown = [each for each in comparison.gates if each.course not in {"passes", "not judged"} or each.moved]
    lines = [
        (
            " ".join([*([MARKS.get(each.head.verdict, "")] if each.head else []), each.course])
            + (", limit or say changed" if each.moved and each.course != "removed" else ""),
            gate_name(each.gate) + ("" if each.decides else " (only reports)"),
            number(each.base.value if each.base else None),
            number(each.head.value if each.head else None),
            each.head.reason if each.head else "",
        )
        for each in shown
    ]
    if not lines:
        return [f"all {len(comparison.gates)} as before, none fails" if comparison.gates else "none were judged"]
    return aligned([("", "gate", "base", "head", "because"), *lines]).split("\n")


def _drift(comparison: Comparison) -> Lines:
    drift = comparison.drift
    if drift.head is None:
        return []
    suggests = "suggests retraining" if drift.head.retrain else "suggests no retraining"
    suggests = f"has data faults ({', '.join(drift.head.faults)})" if drift.head.faults else suggests
    newly = " (newly)" if drift.newly_suggests_retraining else ""
    return [
        f"{len(drift.head.drifted)} of {drift.head.columns} columns drifted; it {suggests}{newly}",
        *([f"newly drifted: {', '.join(drift.newly_drifted)}"] if drift.newly_drifted else []),
        *([f"no longer drifted: {', '.join(drift.no_longer_drifted)}"] if drift.no_longer_drifted else []),
        *(drift.head.reasons if drift.newly_suggests_retraining else []),
    ]


def _experiment(comparison: Comparison) -> Lines:
    sides = (("base", comparison.base_answer), ("head", comparison.head_answer))
    lines = [
        (
            side,
            f"challenger {answer.word} by {readable_name(answer.metric)}",
            f"{signed(answer.difference)} ({interval(answer.low, answer.high)})",
            f"traffic: {answer.action or 'none'}",
            answer.rule if answer.action else "",
        )
        for side, answer in sides
        if answer is not None
    ]
    return aligned(lines).split("\n") if lines else []


def _training(comparison: Comparison) -> Lines:
    training = comparison.training
    moved = [
        each for each in training.candidates if (each.base_place, each.base_score) != (each.head_place, each.head_score)
    ]
    lines = [
        (each.name, _place(each.base_place), number(each.base_score), _place(each.head_place), number(each.head_score))
        for each in moved[:LISTED]
    ]
    if not lines:
        return []
    return aligned([("candidate", "base", f"{readable_name(training.by)}, folds", "head", ""), *lines]).split("\n")


def _place(place: int | None) -> str:
    return NOTHING if place is None else f"no. {place}"


def _params(comparison: Comparison) -> Lines:
    inputs = comparison.inputs
    found = [
        *((f"{change.name}", change) for change in inputs.params),
        *((f"task: {change.name}", change) for change in inputs.task),
        *((f"champion.yaml: {change.name}", change) for change in inputs.champion),
    ]
    return _listed([f"{name}: {_short(change)}{searched_in_words(change, inputs.training)}" for name, change in found])


def _short(change: Change) -> str:
    _, old, new = change_in_words(change)
    if change.kind == "changed":
        return f"{_cut(old)} → {_cut(new)}"
    return f"added {_cut(new)}" if change.kind == "added" else f"removed {_cut(old)}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _data(comparison: Comparison) -> Lines:
    data = comparison.inputs.data
    if data.same:
        return ["the same data: every fingerprint is equal"]
    return [
        f"other bytes: {', '.join(each.path for each in data.fingerprints)}",
        *_listed([f"{each.path} {each.kind}" for each in data.tables]),
        *(line for each in data.raw for line in _raw_table(each, data.gate)),
        *(f"raw tables: {name}: which rows differ is unknown: {why}" for name, why in data.unknown.items()),
        *_listed([f"{change.name}: {_short(change)}" for change in (*data.facts, *data.schema)]),
        *data.notes,
    ]


def _raw_table(change: TableChange, gate: RowGate) -> Lines:
    return [
        f"data/raw/{change.table}: {counts_in_words(change)}; {gate_in_words(change, gate)}",
        *_listed(
            [
                f"  {each.name}: {counted(each.cells, 'cell')}: {_cut(examples_in_words(each))}"
                for each in change.columns
            ]
        ),
        *(f"  {note}" for note in notes_in_words(change, _cut)),
    ]


def _code(comparison: Comparison) -> Lines:
    code = comparison.inputs.code
    return [
        *([f"stages touched: {', '.join(code.touched)}"] if code.touched else []),
        *([f"stages added: {', '.join(code.added)}"] if code.added else []),
        *([f"stages removed: {', '.join(code.removed)}"] if code.removed else []),
        *_listed([f"{each.path} {each.kind}" for each in code.files]),
        *_listed([f"environment: {change.name}: {_short(change)}" for change in code.packages]),
        *([f"{counted(len(code.other), 'other file')} that no stage reads"] if code.other else []),
    ]


def _plots(comparison: Comparison) -> Lines:
    plots = comparison.plots
    return [f"{len(plots.changed)} of {len(plots.names)} changed: dvc plots diff shows them"] if plots.changed else []


def _promotion(comparison: Comparison) -> Lines:
    found = comparison.promotion
    if found is None:
        return [f"cannot be said: {comparison.no_promotion}"]
    may = "the head's challenger may take the champion's place" if found.allowed else "the champion stays"
    return [may, *(f"  {reason}" for reason in found.reasons)]


def _named(revision: Revision) -> str:
    return revision.name if revision.commit is None else f"{revision.name} ({revision.commit[:12]})"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _listed(lines: Sequence[str]) -> Lines:
    more = len(lines) - LISTED
    return [*lines[:LISTED], *([f"… and {more} more: --json has them all"] if more > 0 else [])]


PARTS: dict[str, Callable[[Comparison], Lines]] = {
    "Metrics of the challenger": _metrics,
    "Other figures, each by itself (untested)": _figures,
    "Gates": _gates,
    "May it be promoted?": _promotion,
    "Drift": _drift,
    "Champion against challenger": _experiment,
    "Training": _training,
    "Settings": _params,
    "Data": _data,
    "Code": _code,
    "Plots": _plots,
}

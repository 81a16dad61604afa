"""Render the collapsible sections of the report."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from lab.pages.escape import UNBROKEN, code, plain_or_code
from lab.pages.gate_marks import MARKS, RULES
from lab.pages.markdown import (
    NOTHING,
    count,
    counted,
    gate_name,
    interval,
    number,
    p_value,
    readable_name,
    sentence,
    signed,
    table,
)
from ops.compare.changes import Change, in_one_line
from ops.compare.comparison import Comparison
from ops.compare.differences import NET
from ops.compare.experiment import Answer
from ops.compare.gates import Gate, GateChange
from ops.compare.render import metric_name, searched_in_words, word_of
from ops.compare.tables.row_gate import RowGate
from ops.compare.tables.table_change import TableChange
from ops.compare.tables.words import counts_in_words, examples_in_words, gate_in_words, notes_in_words
from ops.compare.training import Candidate
from ops.report.charts import charts_section
from ops.report.collapsible import Section
from ops.revisions.files import ChangedFile

MOST_TABLES = 20
COURSES = ("newly fails", "still fails", "fails", "within noise", "newly passes", "removed", "not judged", "passes")


def sections_of(comparison: Comparison) -> list[Section]:
    """Return the sections that have content."""
    parts = [part(comparison) for part in PARTS]
    return [part for part in parts if part is not None]


def _settings(comparison: Comparison) -> Section:
    inputs = comparison.inputs
    found = [("params.yaml", inputs.params), ("the task", inputs.task), ("champion.yaml", inputs.champion)]
    lines = [
        (where, *_change(change), searched_in_words(change, inputs.training).strip())
        for where, changes in found
        for change in changes
    ]
    numbers = ", ".join(f"{len(changes)} in {where}" for where, changes in found if changes)
    searched = any(line[-1] for line in lines)
    head = ("in", "setting", "base", "head", *(["search"] if searched else []))
    shown = lines if searched else [line[:-1] for line in lines]
    return _table(f"Settings: {numbers or 'none changed'}", head, shown)


def _change(change: Change) -> tuple[str, str, str]:
    old = "(added)" if change.kind == "added" else code(in_one_line(change.old))
    new = "(removed)" if change.kind == "removed" else code(in_one_line(change.new))
    return code(change.name), old, new


def _data(comparison: Comparison) -> Section:
    data = comparison.inputs.data
    if data.same:
        return Section("Data: the same", ("Every fingerprint is equal: source, raw, prepared and feature tables.",))
    opening = [
        f"Other bytes in {', '.join(code(each.path) for each in data.fingerprints)}.",
        *(sentence(plain_or_code(note)) for note in data.notes),
        *([f"Tables: {', '.join(f'{code(each.path)} {each.kind}' for each in data.tables)}."] if data.tables else []),
        "",
    ]
    lines = [_change(change) for change in (*data.facts, *data.schema)]
    return _table(
        f"Data: {counted(len(data.fingerprints), 'fingerprint')} changed", ("what", "base", "head"), lines, opening
    )


def raw_section(comparison: Comparison) -> Section | None:
    """Return what changed in the rows of each raw table, with the gate on them; None where no raw table changed."""
    data = comparison.inputs.data
    if not data.raw and not data.unknown:
        return None
    words = Counter([*(data.gate.verdict(each) for each in data.raw), *("unknown" for _ in data.unknown)])
    ordered = sorted(data.raw, key=lambda each: data.gate.verdict(each) != "failed")
    more = len(ordered) > MOST_TABLES
    opening = [
        *(line for each in ordered[:MOST_TABLES] for line in _raw_table(each, data.gate)),
        *([f"- … and {len(ordered) - MOST_TABLES} more tables: see `python -m ops compare`"] if more else []),
        *(
            f"- {code(name)}: which rows differ is unknown: {plain_or_code(why)}"
            for name, why in [*data.unknown.items()][:MOST_TABLES]
        ),
        "",
    ]
    lines = [
        (code(change.table), code(each.name), count(each.cells), examples_in_words(each, code))
        for change in ordered
        for each in change.columns
    ]
    verdicts = ", ".join(f"{number} {word}" for word, number in words.items())
    title = f"Raw tables: {len(data.raw) + len(data.unknown)} changed; gate on rows: {verdicts}"
    return _table(title, ("table", "column", "cells changed:", "examples (key)"), lines, opening)


def _raw_table(change: TableChange, gate: RowGate) -> list[str]:
    mark = MARKS.get(gate.verdict(change), "")
    return [
        f"- {mark} {code(change.table)}: {counts_in_words(change)}; {gate_in_words(change, gate)}.",
        *(f"  - {note}" for note in notes_in_words(change, code)),
    ]


def _code(comparison: Comparison) -> Section:
    found = comparison.inputs.code
    lines = [
        *((code(each.path), each.kind, _stages(each.stages)) for each in found.files),
        *((code(change.name), "environment", " → ".join(_change(change)[1:])) for change in found.packages),
        *((code(name), "stage added", "") for name in found.added),
        *((code(name), "stage removed", "") for name in found.removed),
        *((code(name), "command changed", "") for name in found.commands),
        *((code(each.path), each.kind, "no stage reads it") for each in found.other),
    ]
    parts = [
        counted(len(found.touched), "stage") + " touched" if found.touched else "no stage touched",
        *([f"{counted(len(found.added), 'stage')} added"] if found.added else []),
        *([f"{counted(len(found.removed), 'stage')} removed"] if found.removed else []),
        *([f"environment: {counted(len(found.packages), 'package')}"] if found.environment else []),
    ]
    return _table(f"Code: {', '.join(parts)}", ("file", "how", "stages"), lines)


def gates_section(comparison: Comparison) -> Section:
    """Return every gate with its mark, those that newly fail first."""
    ordered = sorted(comparison.gates, key=lambda each: (not each.decides, COURSES.index(each.course), not each.moved))
    courses = Counter[str](each.course for each in comparison.gates if each.decides)
    numbers = [
        f"{courses[name]} {name.replace('fails', 'fail').replace('passes', 'pass')}"
        for name in COURSES
        if courses[name]
    ]
    moved = sum(each.moved for each in comparison.gates)
    title = ", ".join([*numbers, *([f"limits or say of {moved} changed"] if moved else [])])
    lines = [_gate(each) for each in ordered]
    head = ("", "gate", "base:", "head:", "95 % interval:", "must be", "because")
    return _table(f"Gates: {title or 'none were judged'}", head, lines)


def _gate(each: GateChange) -> tuple[str, ...]:
    base, head = each.base, each.head
    mark = MARKS.get(head.verdict, "") if head else ""
    course = f"{mark} {'**newly fails**' if each.course == 'newly fails' else each.course}".strip()
    return (
        course if each.decides else f"{course} (only reports)",
        code(gate_name(each.gate)),
        number(base.value if base else None),
        number(head.value if head else None),
        (interval(head.low, head.high) if head else NOTHING).replace(" ", UNBROKEN),
        _limit(base, head),
        plain_or_code(head.reason) if head else NOTHING,
    )


def _limit(base: Gate | None, head: Gate | None) -> str:
    sides = [gate for gate in (base, head) if gate is not None]
    says = ["decides" if gate.decides else "only reports" for gate in sides]
    limits = [f"{RULES.get(gate.rule, '')} {_threshold(gate)}".strip() for gate in sides]
    return ", ".join(" → ".join(dict.fromkeys(each)) for each in (limits, says) if each is limits or len(set(each)) > 1)


def _threshold(gate: Gate) -> str:
    return NOTHING if gate.threshold is None else f"{gate.threshold:g}".replace("-", "−")


def _promotion(comparison: Comparison) -> Section:
    found = comparison.promotion
    if found is None:
        return Section("Promotion: cannot be said", (plain_or_code(comparison.no_promotion),))
    title = "the challenger may take the champion's place" if found.allowed else "the champion stays"
    return Section(f"Promotion: {title}", tuple(f"- {plain_or_code(reason)}" for reason in found.reasons))


def _drift(comparison: Comparison) -> Section | None:
    drift = comparison.drift
    if drift.head is None:
        return None
    newly = "newly " if drift.newly_suggests_retraining else ""
    suggests = f"{newly}suggests retraining" if drift.head.retrain else "no retraining suggested"
    suggests = "DATA FAULT, to be mended upstream" if drift.head.faults else suggests
    title = f"Drift: {len(drift.head.drifted)} of {drift.head.columns} columns, {suggests}"
    lines = [
        *(f"- data fault: {plain_or_code(fault)}" for fault in drift.head.faults),
        *(f"- newly drifted: {code(name)}" for name in drift.newly_drifted),
        *(f"- no longer drifted: {code(name)}" for name in drift.no_longer_drifted),
        *(f"- retrain, because {plain_or_code(reason)}" for reason in drift.head.reasons if drift.head.retrain),
        *(
            f"- performance of the {plain_or_code(model)} since the test window: {plain_or_code(word)}"
            for model, word in drift.head.performance.items()
        ),
    ]
    return Section(title, tuple(lines) or ("Nothing moved.",))


def _experiment(comparison: Comparison) -> Section | None:
    sides = [("base", comparison.base_answer), ("head", comparison.head_answer)]
    found = [(side, answer) for side, answer in sides if answer is not None]
    if not found:
        return None
    lines = [(side, *_answer(answer)) for side, answer in found]
    head = ("", "challenger is", "difference:", "95 % interval:", "in traffic", "because")
    newest = found[-1][1]
    action = plain_or_code(newest.action) if newest.action else "no traffic experiment"
    return _table("Champion against challenger (A/B)", head, lines, [f"At the head: {action}.", ""])


def _answer(answer: Answer) -> tuple[str, ...]:
    traffic = f"{answer.action} ({answer.looked})" if answer.looked else answer.action or "none"
    return (
        f"{plain_or_code(answer.word)} by {plain_or_code(readable_name(answer.metric))}",
        signed(answer.difference),
        interval(answer.low, answer.high),
        plain_or_code(traffic),
        plain_or_code(answer.rule, longest=200),
    )


def _champion(comparison: Comparison) -> Section | None:
    champion = comparison.metrics.champion
    if not champion.tested or champion.same_predictions:
        return None
    lines = [
        (
            readable_name(seen.metric),
            word_of(seen),
            number(seen.base),
            number(seen.head),
            signed(seen.difference),
            interval(seen.low, seen.high),
            p_value(seen.p_adjusted),
        )
        for seen in champion.tested
    ]
    return _table(
        "The champion's predictions changed too",
        ("champion", "verdict", "base:", "head:", "difference:", "95 % interval:", "p:"),
        lines,
    )


def _figures(comparison: Comparison) -> Section | None:
    lines = []
    for seen in comparison.metrics.figures:
        money = seen.metric.endswith("_cents_per_row")
        scale = 100 if money else 1
        currency = plain_or_code(comparison.metrics.currency) if comparison.metrics.currency else ""
        name = metric_name(NET if money else seen.metric, currency)
        sides = ((seen.base, seen.base_interval), (seen.head, seen.head_interval))
        figures = [_figure(value, ends, scale) for value, ends in sides]
        lines.append((name, seen.window, *figures))
    if not lines:
        return None
    head = ("challenger", "window", "base (95 % interval):", "head (95 % interval):")
    return _table("Other figures, each by itself: their differences are untested", head, lines)


def _figure(value: float | None, ends: tuple[float, float] | None, scale: int) -> str:
    shown = number(None if value is None else value / scale)
    return f"{shown} ({interval(ends[0] / scale, ends[1] / scale)})" if ends else shown


def _training(comparison: Comparison) -> Section | None:
    training = comparison.training
    if not training.candidates:
        return None
    changed = training.base_challenger != training.head_challenger
    old, new = training.base_challenger, training.head_challenger
    opening = [
        f"Challenger: {code(old)} → {code(new)}." if changed else f"Challenger: {code(new)}, as before.",
        *(sentence(plain_or_code(text, longest=600)) for text in training.in_words),
        "",
    ]
    by = f"{plain_or_code(readable_name(training.by))}, mean of the sections:"
    lines = [_candidate(each) for each in training.candidates]
    head = (
        "candidate",
        "base",
        by,
        "head",
        by,
        "settings found",
    )
    title = "Leaderboard: another challenger" if changed else "Leaderboard"
    return _table(title, head, lines, opening)


def _candidate(each: Candidate) -> tuple[str, ...]:
    places = [NOTHING if place is None else f"no. {place}" for place in (each.base_place, each.head_place)]
    settings = sorted(set(each.head_settings) - set(each.base_settings)) if each.base_place and each.head_place else []
    return (
        code(each.name),
        places[0],
        number(each.base_score),
        places[1],
        number(each.head_score),
        code("; ".join(settings)) if settings else NOTHING,
    )


def _plots(comparison: Comparison) -> Section:
    plots = comparison.plots
    base, head = (each.commit[:12] if each.commit else "" for each in (comparison.base, comparison.head))
    names = ", ".join(code(name) for name in plots.changed) or "none"
    opening = (f"Over each other: `dvc plots diff {base} {head}".rstrip() + "`.", f"Changed: {names}.", "")
    folders: dict[str, list[ChangedFile]] = {}
    for each in plots.files:
        folders.setdefault(str(PurePosixPath(each.path).parent), []).append(each)
    lines = [f"- {code(folder)}: {_files(files)}" for folder, files in folders.items()]
    return Section(f"Plots: {len(plots.changed)} of {len(plots.names)} changed", opening, tuple(lines))


def _files(files: Sequence[ChangedFile]) -> str:
    shown = [
        code(PurePosixPath(each.path).name) + ("" if each.kind == "changed" else f" {each.kind}") for each in files
    ]
    return ", ".join([*shown[:20], *([f"{len(files) - 20} more"] if len(files) > 20 else [])])


def _stages(names: Sequence[str]) -> str:
    shown = ", ".join(code(name) for name in names[:6])
    return f"{shown} and {count(len(names) - 6)} more" if len(names) > 6 else shown


def _table(title: str, head: Sequence[str], lines: Iterable[Sequence[str]], opening: Sequence[str] = ()) -> Section:
    rows = list(lines)
    marked = table(head, rows) if rows else [] if opening else ["Nothing."]
    return Section(title, (*opening, *marked[:2]), tuple(marked[2:]))


PARTS: tuple[Callable[[Comparison], Section | None], ...] = (
    _settings,
    _data,
    raw_section,
    _code,
    gates_section,
    _promotion,
    _drift,
    _experiment,
    _training,
    _champion,
    _figures,
    charts_section,
    _plots,
)

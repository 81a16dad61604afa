"""The comparison of all candidates for a person, as a page of Markdown, and for a machine, as metrics."""

from collections.abc import Iterable, Sequence
from typing import Any

from lab.pages.markdown import (
    NOTHING,
    count,
    counted,
    interval,
    listed,
    number,
    p_value,
    percent,
    sentence,
    signed,
    spoken,
    table,
)
from lab.select.candidate_points import settings_in_words
from lab.select.leaderboard import Standing
from lab.select.pair_sentences import answers, cochran_in_words, headline, limits_of, test_of
from lab.select.pairs import Kind, PairTest, Question, Word
from lab.select.trained import Candidate
from lab.stats.models.cochran import CochranTest

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "not distinguishable": "·", "undefined": "?"}
TURNED: dict[Word, Word] = {"better": "worse", "worse": "better"}
SHOWN: tuple[Kind, ...] = ("folds", "rows", "decisions")
LEGEND = (
    "By folds / by rows / by decisions, the candidate of the line against that of the column: ▲ better, ▼ worse, "
    "= equivalent (the whole interval lies within the margin of {margin:g}), · not distinguishable, ? cannot be told. "
    "Every p-value is corrected (Holm) for all pairs; plots/select/pairs.csv has every number."
)

INTERVALS = (
    "The interval of a mean over folds is widened for the training rows that folds share (Nadeau and Bengio, 2003). "
    "That of a score on all rows takes the fitted models as they are, and rows as independent: it is the narrower one, "
    "and says nothing of another training"
)


def summary_of(
    standings: Sequence[Standing], tests: Sequence[PairTest], overall: CochranTest, question: Question
) -> dict[str, Any]:
    """Return what the metrics file says: who is the challenger, how sure that is, and every candidate's score."""
    best = standings[0]
    return {
        "by": question.by,
        "challenger": best.name,
        "estimator": best.estimator,
        "score": best.score,
        "score_95": [best.low, best.high],
        "fold_mean": best.folds.mean,
        "fold_mean_95": [best.folds.low, best.folds.high],
        "scores": {standing.name: standing.score for standing in standings},
        "cochran_p": overall.p_value,
        "in_words": answers(standings, tests, question),
        "search": [best.candidate.search.reason],
    }


def report_of(
    standings: Sequence[Standing],
    tests: Sequence[PairTest],
    overall: CochranTest,
    question: Question,
    *,
    pictures: Iterable[str],
) -> str:
    """Return the page; the pictures are those that lie beside it."""
    drawn = set(pictures)
    lines = [
        "# The candidates",
        "",
        f"**{headline(standings, tests, question)}**",
        "",
        standings[0].candidate.manifest.inputs.question,
        "",
        *_leaderboard(standings, question),
        *_picture("leaderboard.svg", "The candidates' scores, fold by fold", drawn),
        *_differences(standings, tests, overall, question),
        *_searched(standings),
        *_picture("search.svg", "The history of each search", drawn),
        *_learning(standings, drawn),
        *_reading(standings, question),
    ]
    return "\n".join(lines)


def _leaderboard(standings: Sequence[Standing], question: Question) -> list[str]:
    name = spoken(question.by)
    head = ("place", "candidate", "estimator", f"{name}, all rows (95 %)", f"{name}, mean of folds (95 %)")
    settled = ("threshold:", "threshold by", "calibration", "class weights", "fits:")
    return ["## Leaderboard", "", *table((*head, *settled), [_place(standing) for standing in standings]), ""]


def _place(standing: Standing) -> list[str]:
    manifest = standing.candidate.manifest
    return [
        str(standing.place),
        standing.name,
        standing.estimator.replace("_", " "),
        f"{number(standing.score)} ({interval(standing.low, standing.high)})",
        f"{number(standing.folds.mean)} ({interval(standing.folds.low, standing.folds.high)})",
        number(manifest.threshold, digits=3),
        manifest.threshold_rule.replace("_", " "),
        manifest.specification.calibration,
        manifest.specification.class_weights,
        count(standing.candidate.search.fits),
    ]


def _differences(
    standings: Sequence[Standing], tests: Sequence[PairTest], overall: CochranTest, question: Question
) -> list[str]:
    lines = ["## Who differs from whom", ""]
    lines += [f"- {said}" for said in answers(standings, tests, question)[1:]]
    lines += [f"- {cochran_in_words(overall, count=len(standings), question=question)}", ""]
    if len(standings) == 1:
        return lines
    leader, *others = (standing.name for standing in standings)
    head = (f"{leader} against", "by folds", "by rows, models as fitted", "by decisions (accuracy)")
    rows = [
        [name, *(_lead(test_of(tests, leader, name, kind=kind)) for kind in ("folds", "rows", "decisions"))]
        for name in others
    ]
    lines += [*table(head, rows), "", limits_of(standings, tests), ""]
    if len(standings) > 2:
        lines += [*_matrix(standings, tests), "", LEGEND.format(margin=question.margin), ""]
    return lines


def _lead(test: PairTest) -> str:
    if test.p_adjusted is None:
        return f"{signed(test.lead)}: {test.reason}"
    return f"{signed(test.lead)} ({interval(test.low, test.high)}), p {p_value(test.p_adjusted)}: {test.word}"


def _matrix(standings: Sequence[Standing], tests: Sequence[PairTest]) -> list[str]:
    names = [standing.name for standing in standings]
    words = {(each.first, each.second, each.kind): each.word for each in tests}
    words |= {(each.second, each.first, each.kind): TURNED.get(each.word, each.word) for each in tests}
    rows = [
        [one, *(NOTHING if one == two else " ".join(SIGNS[words[one, two, kind]] for kind in SHOWN) for two in names)]
        for one in names
    ]
    return table(("line against column", *names), rows)


def _searched(standings: Sequence[Standing]) -> list[str]:
    head = ("candidate", "method", "what was tried", "fits:", "settings", "what mattered")
    rows = [_search(standing.candidate) for standing in standings]
    return ["## What was searched", "", *table(head, rows), ""]


def _search(candidate: Candidate) -> list[str]:
    search, specification = candidate.search, candidate.manifest.specification
    found = {**specification.settings, "class_weights": specification.class_weights}
    searched = {name for trial in search.trials for name in trial.settings}
    shares = sorted(search.importance.items(), key=lambda item: (-item[1], item[0]))
    return [
        candidate.name,
        search.method,
        search.reason,
        f"{count(search.fits)} of {count(search.budget)}" if search.trials else NOTHING,
        settings_in_words({name: value for name, value in found.items() if name in searched}) or "as given",
        ", ".join(f"{name.replace('_', ' ')} {percent(share, digits=0)}" for name, share in shares)
        or (search.importance_reason if search.trials else NOTHING),
    ]


def _learning(standings: Sequence[Standing], drawn: set[str]) -> list[str]:
    lines = ["## Would more rows help?", ""]
    points = [point for point in standings[0].candidate.learning if point.score is not None]
    if len(points) > 1:
        before, last = points[-2:]
        what = f"{spoken(standings[0].candidate.search.by)} of {standings[0].name}"
        said = (
            f"From {count(round(before.rows))} to {count(round(last.rows))} rows fitted on, in the mean of the folds, "
            f"the {what} went from {number(before.score)} to {number(last.score)} "
            f"(95 % interval {interval(last.low, last.high)})."
        )
        lines += [said, ""]
    return [*lines, *_picture("learning_curves.svg", "The learning curve of each candidate", drawn)]


def _reading(standings: Sequence[Standing], question: Question) -> list[str]:
    leader = standings[0].candidate
    folds, rule = leader.manifest.folds, leader.manifest.inputs.folds
    sizes = listed(f"{count(fold.train)} → {count(fold.validation)}" for fold in folds)
    rows = (
        f"Every candidate is scored on the same {counted(leader.out_of_fold.num_rows, 'row')}, none of which it was "
        f"fitted on, in {counted(len(folds), 'fold')} (rows fitted on → rows scored: {sizes}). "
        f"Folds are made by {rule.kind}: {rule.reason}"
    )
    kind = (
        "Settings, thresholds and calibration were chosen on these rows, and so was the first of the candidates: its "
        "score here is a little kind to it. What it is worth stands in metrics/evaluate.json, on a window that nothing "
        "was chosen on"
    )
    counts = f"A difference counts when its p-value, corrected for all pairs, lies below {question.significance:g}"
    return ["## How to read this", "", *(f"- {sentence(text)}" for text in (rows, INTERVALS, kind, counts))]


def _picture(name: str, what: str, drawn: set[str]) -> list[str]:
    return [f"![{what}]({name})", ""] if name in drawn else []

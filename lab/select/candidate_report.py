"""The comparison of all candidates: a page of Markdown for people, and metrics."""

from collections.abc import Iterable, Sequence
from typing import Any

from lab.pages.escape import plain_or_code
from lab.pages.markdown import (
    NOTHING,
    count,
    counted,
    interval,
    listed,
    number,
    p_value,
    percent,
    readable_name,
    sentence,
    signed,
    table,
)
from lab.select.candidate_points import settings_in_words
from lab.select.leaderboard import Standing
from lab.select.pair_sentences import cochran_in_words, headline, limits_of, sentences_of, test_of
from lab.select.pairs import Kind, PairTest, Question, Verdict
from lab.select.trained import Candidate
from lab.stats.models.cochran import CochranTest

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "not distinguishable": "·", "undefined": "?"}
OPPOSITE: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}
SHOWN: tuple[Kind, ...] = ("folds", "rows", "decisions")
LEGEND = (
    "By folds / by rows / by decisions, the candidate of the row against that of the column: ▲ better, ▼ worse, "
    "= equivalent (the whole interval is within the margin of {margin:g}), · not distinguishable, ? not testable. "
    "All p-values have Holm's correction for all pairs; plots/select/pairs.csv has every number."
)

INTERVALS = (
    "The interval of a mean over folds is corrected for training rows that folds share (Nadeau and Bengio, 2003). "
    "The interval of a score on all rows treats the fitted models as fixed and units as independent; it is narrower "
    "and does not include the variation of another training"
)


def summary_of(
    standings: Sequence[Standing], tests: Sequence[PairTest], overall: CochranTest, question: Question
) -> dict[str, Any]:
    """Return the content of the metrics file: the challenger, its certainty, and the score of every candidate."""
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
        "rows": best.rows,
        "units": best.units,
        "cochran_p": overall.p_value,
        "in_words": sentences_of(standings, tests, question),
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
    """Return the page; `pictures` are the names of the files beside it."""
    drawn = set(pictures)
    lines = [
        "# Candidates",
        "",
        f"**{headline(standings, tests, question)}**",
        "",
        plain_or_code(standings[0].candidate.manifest.inputs.question),
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
    name = readable_name(question.by)
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
    lines = ["## Differences", ""]
    lines += [f"- {text}" for text in sentences_of(standings, tests, question)[1:]]
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
    return f"{signed(test.lead)} ({interval(test.low, test.high)}), p {p_value(test.p_adjusted)}: {test.verdict}"


def _matrix(standings: Sequence[Standing], tests: Sequence[PairTest]) -> list[str]:
    names = [standing.name for standing in standings]
    verdicts = {(each.first, each.second, each.kind): each.verdict for each in tests}
    verdicts |= {(each.second, each.first, each.kind): OPPOSITE.get(each.verdict, each.verdict) for each in tests}
    rows = [
        [
            one,
            *(NOTHING if one == two else " ".join(SIGNS[verdicts[one, two, kind]] for kind in SHOWN) for two in names),
        ]
        for one in names
    ]
    return table(("row against column", *names), rows)


def _searched(standings: Sequence[Standing]) -> list[str]:
    head = ("candidate", "method", "trials", "fits:", "settings", "importance")
    rows = [_search(standing.candidate) for standing in standings]
    return ["## Hyperparameter search", "", *table(head, rows), ""]


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
    lines = ["## Learning curve", ""]
    points = [point for point in standings[0].candidate.learning if point.score is not None]
    if len(points) > 1:
        before, last = points[-2:]
        what = f"{readable_name(standings[0].candidate.search.by)} of {standings[0].name}"
        change = (
            f"From {count(round(before.rows))} to {count(round(last.rows))} training rows, the mean {what} over the "
            f"folds changes from {number(before.score)} to {number(last.score)} "
            f"(95 % interval {interval(last.low, last.high)})."
        )
        lines += [change, ""]
    return [*lines, *_picture("learning_curves.svg", "The learning curve of each candidate", drawn)]


def _reading(standings: Sequence[Standing], question: Question) -> list[str]:
    leader = standings[0].candidate
    folds, rule = leader.manifest.folds, leader.manifest.inputs.folds
    sizes = listed(f"{count(fold.train)} → {count(fold.validation)}" for fold in folds)
    rows = (
        f"Every candidate is scored on the same {rows_of_units(standings[0])} in "
        f"{counted(len(folds), 'fold')} (training rows → validation rows: {sizes}). "
        f"Folds are made by {rule.kind}: {rule.reason}"
    )
    optimism = (
        "Settings, thresholds, calibration and the first candidate are chosen on these rows, so its score is slightly "
        "optimistic. metrics/evaluate.json has its score on a window that no choice uses"
    )
    level = f"A difference is significant when its corrected p-value is below {question.significance:g}"
    return ["## Method", "", *(f"- {sentence(text)}" for text in (rows, INTERVALS, optimism, level))]


def rows_of_units(standing: Standing) -> str:
    """Return the number of validation rows, and of their units where these repeat."""
    units = f" of {counted(standing.units, 'unit')}" if standing.units < standing.rows else ""
    return f"{counted(standing.rows, 'validation row')}{units}"


def _picture(name: str, what: str, drawn: set[str]) -> list[str]:
    return [f"![{what}]({name})", ""] if name in drawn else []

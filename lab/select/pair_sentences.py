"""Say in sentences which candidate leads, whether by more than noise, and what the tests could have seen."""

from collections.abc import Sequence

from lab.pages.markdown import interval, listed, number, p_value, signed, spoken
from lab.select.leaderboard import Standing
from lab.select.pairs import PairTest, Question, folds_won
from lab.stats.models.cochran import CochranTest


def headline(standings: Sequence[Standing], tests: Sequence[PairTest], question: Question) -> str:
    """Return the one sentence at the top: who leads, and whether that is more than noise."""
    leader, *others = standings
    if not others:
        return f"{leader.name} is the only candidate: there is nothing to compare it with."
    rival, folds = others[0].name, len(leader.by_fold)
    test = test_of(tests, leader.name, rival, kind="folds")
    told = {
        "better": f"{leader.name} leads, and by more than noise",
        "equivalent": f"{leader.name} leads, but {rival} is as good within {question.margin:g}",
        "not distinguishable": f"{leader.name} leads; whether by more than noise, {folds} folds cannot tell",
        "worse": f"{leader.name} leads on all rows together, but fold by fold {rival} is better",
        "undefined": f"{leader.name} leads, and whether by more than noise cannot be told",
    }
    return f"{told[test.word]}: {_in_folds(leader, others[0], test)}"


def answers(standings: Sequence[Standing], tests: Sequence[PairTest], question: Question) -> list[str]:
    """Return the headline and, for the leader and the runner-up, what rows and decisions say of them."""
    said = [headline(standings, tests, question)]
    if len(standings) > 1:
        first, second = standings[0].name, standings[1].name
        said += [_on_rows(test_of(tests, first, second, kind=kind)) for kind in ("rows", "decisions")]
        said.append(_apart(standings, tests))
    return said


def cochran_in_words(test: CochranTest, *, count: int, question: Question) -> str:
    """Return what Cochran's Q says of all candidates together."""
    if count == 1:
        return "Cochran's Q needs two candidates or more."
    told = test.p_value < question.significance
    verdict = "are not all right equally often" if told else "cannot be told apart by how often they are right"
    return (
        f"The {count} candidates {verdict}, each at its own threshold "
        f"(Cochran's Q {number(test.q, digits=1)} on {test.degrees} degrees of freedom, p {p_value(test.p_value)})."
    )


def limits_of(standings: Sequence[Standing], tests: Sequence[PairTest]) -> str:
    """Return what so few folds could and could not have seen."""
    folds, pairs = len(standings[0].by_fold), [each for each in tests if each.kind == "folds"]
    seen = sorted(each.detectable for each in pairs if each.detectable is not None)
    smallest = 2.0 ** (1 - folds)
    said = [f"{folds} folds are few."]
    if seen:
        span = number(seen[0]) if seen[0] == seen[-1] else f"{number(seen[0])} to {number(seen[-1])}"
        said.append(
            f"The smallest difference that the corrected t-test would have found four times in five is {span}, by "
            "pair, and more after the correction for several pairs."
        )
    if smallest >= 0.05:
        said.append(
            f"The signed rank test of {folds} folds cannot give a p-value below {smallest:g}, whatever the folds say: "
            "it is shown as a check, and judges nothing."
        )
    return " ".join([*said, "“Not distinguishable” does not mean “the same”."])


def test_of(tests: Sequence[PairTest], first: str, second: str, *, kind: str) -> PairTest:
    """Return the test of one kind between two candidates, of which the first ranks higher."""
    return next(each for each in tests if (each.first, each.second, each.kind) == (first, second, kind))


def _in_folds(leader: Standing, rival: Standing, test: PairTest) -> str:
    name, folds = spoken(test.metric), len(leader.by_fold)
    won = folds_won(leader, rival, by=test.metric)
    if test.p_adjusted is None or test.reason:
        return f"{test.reason}."
    better = "better" if test.lead >= 0 else "worse"
    said = (
        f"in the mean of {folds} folds its {name} is {number(abs(test.lead))} {better} than that of {rival.name} "
        f"(95 % interval {interval(test.low, test.high)}; p {p_value(test.p_adjusted)} after Holm's correction; "
        f"better in {won} of {folds} folds)"
    )
    if test.word == "not distinguishable" and test.detectable is not None:
        return f"{said}; a difference of {number(test.detectable)} would have been found four times in five."
    return f"{said}."


def _on_rows(test: PairTest) -> str:
    what = "Models as fitted, all out-of-fold rows" if test.kind == "rows" else "Decisions, each at its own threshold"
    if test.p_adjusted is None or test.reason:
        return f"{what}: {test.first} and {test.second} differ by {signed(test.lead)} ({test.test}: {test.reason})."
    verdict = {
        "better": f"{test.first} is better than {test.second}",
        "worse": f"{test.first} is worse than {test.second}",
        "equivalent": f"{test.first} and {test.second} are equivalent",
    }.get(test.word, f"{test.first} and {test.second} are not distinguishable")
    return (
        f"{what}: {verdict} in {spoken(test.metric)} ({signed(test.lead)}, {interval(test.low, test.high)}; "
        f"{test.test}, p {p_value(test.p_adjusted)} after Holm's correction)."
    )


def _apart(standings: Sequence[Standing], tests: Sequence[PairTest]) -> str:
    leader, *others = (standing.name for standing in standings)
    words = {name: test_of(tests, leader, name, kind="folds").word for name in others}
    # A word is about the leader; here it is said of the others.
    told = {
        "better": "worse",
        "equivalent": "equivalent within the margin",
        "not distinguishable": "not distinguishable",
        "worse": "better",
        "undefined": "not to be told",
    }
    groups = [(said, [name for name in others if words[name] == word]) for word, said in told.items()]
    return (
        f"Fold by fold, against {leader}: {'; '.join(f'{said}: {listed(names)}' for said, names in groups if names)}."
    )

"""Sentences about the leading candidate, its lead, and the power of the tests."""

from collections.abc import Sequence

from lab.pages.markdown import interval, listed, number, p_value, readable_name, signed
from lab.select.leaderboard import Standing
from lab.select.pairs import PairTest, Question, folds_won
from lab.stats.models.cochran import CochranTest


def headline(standings: Sequence[Standing], tests: Sequence[PairTest], question: Question) -> str:
    """Return one sentence: the leading candidate and the significance of its lead."""
    leader, *others = standings
    if not others:
        return f"{leader.name} is the only candidate."
    rival, folds = others[0].name, len(leader.by_fold)
    test = test_of(tests, leader.name, rival, kind="folds")
    verdicts = {
        "better": f"{leader.name} ranks first, significantly better than {rival}",
        "equivalent": f"{leader.name} ranks first, and {rival} is equivalent within {question.margin:g}",
        "not distinguishable": f"{leader.name} ranks first, not distinguishable from {rival} on {folds} folds",
        "worse": f"{leader.name} ranks first on all rows together, but {rival} is better fold by fold",
        "undefined": f"{leader.name} ranks first, and its difference from {rival} is not testable",
    }
    return f"{verdicts[test.verdict]}: {_in_folds(leader, others[0], test)}"


def sentences_of(standings: Sequence[Standing], tests: Sequence[PairTest], question: Question) -> list[str]:
    """Return the headline, and the tests of leader against runner-up by rows and decisions."""
    parts = [headline(standings, tests, question)]
    if len(standings) > 1:
        first, second = standings[0].name, standings[1].name
        parts += [_on_rows(test_of(tests, first, second, kind=kind)) for kind in ("rows", "decisions")]
        parts.append(_apart(standings, tests))
    return parts


def cochran_in_words(test: CochranTest, *, count: int, question: Question) -> str:
    """Return the result of Cochran's Q test on all candidates."""
    if count == 1:
        return "Cochran's Q needs at least two candidates."
    if test.p_value is None:
        return f"The accuracies of the candidates are not testable: {test.reason}."
    verdict = "differ" if test.p_value < question.significance else "do not differ significantly"
    name = "Hotelling's T² by unit" if test.by_unit else "Cochran's Q"
    return (
        f"The accuracies of the {count} candidates {verdict}, each at its own threshold "
        f"({name} {number(test.q, digits=1)} on {test.degrees} degrees of freedom, p {p_value(test.p_value)})."
    )


def limits_of(standings: Sequence[Standing], tests: Sequence[PairTest]) -> str:
    """Return the power of the tests on this number of folds."""
    folds, pairs = len(standings[0].by_fold), [each for each in tests if each.kind == "folds"]
    detectable = sorted(each.detectable for each in pairs if each.detectable is not None)
    smallest = 2.0 ** (1 - folds)
    parts = [f"The power of tests on {folds} folds is low."]
    if detectable:
        span = " to ".join(dict.fromkeys(map(number, (detectable[0], detectable[-1]))))
        parts.append(
            f"The detectable difference of the corrected t-test is {span}, depending on the pair, and larger with the "
            "correction for several pairs."
        )
    if smallest >= 0.05:
        parts.append(
            f"The signed rank test of {folds} folds cannot give a p-value below {smallest:g}, so it is only a check "
            "and does not decide."
        )
    return " ".join([*parts, "“Not distinguishable” does not mean “equal”."])


def test_of(tests: Sequence[PairTest], first: str, second: str, *, kind: str) -> PairTest:
    """Return the test of one kind between two candidates; the first is the one that ranks higher."""
    return next(each for each in tests if (each.first, each.second, each.kind) == (first, second, kind))


def _in_folds(leader: Standing, rival: Standing, test: PairTest) -> str:
    name, folds = readable_name(test.metric), len(leader.by_fold)
    won = folds_won(leader, rival, by=test.metric)
    if test.p_adjusted is None or test.reason:
        return f"{test.reason}."
    better = "better" if test.lead >= 0 else "worse"
    power = ""
    if test.verdict == "not distinguishable" and test.detectable is not None:
        power = f"; detectable difference (power 80 %) {number(test.detectable)}"
    return (
        f"the mean {name} of {leader.name} over {folds} folds is {number(abs(test.lead))} {better} "
        f"(95 % interval {interval(test.low, test.high)}; p {p_value(test.p_adjusted)} with Holm's correction; "
        f"better in {won} of {folds} folds{power})."
    )


def _on_rows(test: PairTest) -> str:
    what = "Models as fitted, all out-of-fold rows" if test.kind == "rows" else "Decisions, each at its own threshold"
    if test.p_adjusted is None or test.reason:
        return f"{what}: {test.first} and {test.second} differ by {signed(test.lead)} ({test.test}: {test.reason})."
    verdict = {
        "better": f"{test.first} is better than {test.second}",
        "worse": f"{test.first} is worse than {test.second}",
        "equivalent": f"{test.first} and {test.second} are equivalent",
    }.get(test.verdict, f"{test.first} and {test.second} are not distinguishable")
    return (
        f"{what}: {verdict} in {readable_name(test.metric)} ({signed(test.lead)}, {interval(test.low, test.high)}; "
        f"{test.test}, p {p_value(test.p_adjusted)} with Holm's correction)."
    )


def _apart(standings: Sequence[Standing], tests: Sequence[PairTest]) -> str:
    leader, *others = (standing.name for standing in standings)
    by_name = {name: test_of(tests, leader, name, kind="folds").verdict for name in others}
    verdict_of_other = {
        "better": "worse",
        "equivalent": "equivalent within the margin",
        "not distinguishable": "not distinguishable",
        "worse": "better",
        "undefined": "not testable",
    }
    groups = [
        f"{of_other}: {listed(names)}"
        for of_leader, of_other in verdict_of_other.items()
        if (names := [name for name in others if by_name[name] == of_leader])
    ]
    return f"Fold by fold, compared with {leader}: {'; '.join(groups)}."

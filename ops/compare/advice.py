"""What to do with a change: merge, look or stop, by one rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lab.pages.markdown import counted, listed, readable_name
from ops.compare.differences import Word

Do = Literal["merge", "look", "stop"]

NAMED = 4
OTHER_INPUTS = "the data changed: the test rows and their labels are the same, but their features come of other data"
TOO_MANY_ROWS = "more rows of a raw table changed or were removed than compare.most_rows_changed permits: {}"
# Words of the primary metric that never block; all but the first are no reason to look either.
STANDING = ("not distinguishable", "the same predictions", "equivalent", "better")


@dataclass(frozen=True)
class Facts:
    """What the rule reads; `word` is about the primary metric of the challenger."""

    primary: str
    word: Word
    numbers: str = ""
    why_untested: str = ""
    rows_beyond: tuple[str, ...] = ()
    rows_unknown: tuple[str, ...] = ()
    newly_failing: tuple[str, ...] = ()
    still_failing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    within_noise: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    stale_base: tuple[str, ...] = ()
    only_shared_rows: bool = False
    data_changed: bool = False
    other_inputs: bool = False
    other_task: bool = False
    trained_anew: bool = False
    drift_suggests_retraining: bool = False
    other_metrics_worse: tuple[str, ...] = ()
    yardstick: tuple[str, ...] = ()
    base_is_ahead: int = 0


@dataclass(frozen=True)
class Reason:
    """A reason in words; `{}` stands for the names, which come from the repository."""

    words: str
    names: tuple[str, ...] = ()

    def to_text(self, write: Callable[[str], str] = str) -> str:
        """Return the reason with its names, each formatted by `write`; of many names the first few."""
        shown = [write(name) for name in self.names[:NAMED]]
        more = len(self.names) - NAMED
        return self.words.replace("{}", listed([*shown, *([f"{more} more"] if more > 0 else [])] or ["none"]))


@dataclass(frozen=True)
class Advice:
    """What to do and why; the most important reason comes first."""

    do: Do
    reasons: tuple[Reason, ...]


def advise(facts: Facts) -> Advice:
    """Return what to do: stop for harm or stale results, look if a person must decide.

    >>> advise(Facts(primary="roc_auc", word="better", numbers="+0.02")).do
    'merge'
    """
    if stops := _stops(facts):
        standing = [Reason(_standing(facts))] if facts.word in STANDING else []
        return Advice("stop", (*stops, *standing))
    if looks := _looks(facts):
        return Advice("look", (_set_against(facts, looks[0]), *looks[1:]))
    return Advice("merge", (Reason(_standing(facts)),))


def _stops(facts: Facts) -> list[Reason]:
    shared = " on the rows that both test windows share" if facts.only_shared_rows else ""
    worse = f"{readable_name(facts.primary)} of the challenger is worse{shared} ({facts.numbers})"
    found = [
        (facts.stale, Reason("the results are not of this code: {} must run again (dvc repro)", facts.stale)),
        (facts.word == "worse", Reason(worse)),
        (facts.newly_failing, Reason("a gate that decides newly fails: {}", facts.newly_failing)),
        (facts.rows_beyond, Reason(TOO_MANY_ROWS, facts.rows_beyond)),
    ]
    return [reason for fired, reason in found if fired]


def _looks(facts: Facts) -> list[Reason]:
    metric, why = readable_name(facts.primary), (facts.why_untested,)
    found = [
        (facts.other_task, Reason("the task is another one, so the numbers answer another question")),
        (facts.data_changed, Reason(_changed_data(facts))),
        (facts.other_inputs, Reason(OTHER_INPUTS)),
        (
            facts.word == "untested" and not (facts.other_task or facts.data_changed),
            Reason("nothing could be tested: {}", why),
        ),
        (facts.word == "undefined", Reason(f"{metric} cannot be judged: {{}}", why)),
        (facts.word == "not distinguishable" and not facts.data_changed, Reason(_unclear(facts))),
        (facts.other_metrics_worse, Reason("another metric is worse: {}", facts.other_metrics_worse)),
        (facts.still_failing, Reason("a gate that decides fails as before: {}", facts.still_failing)),
        (facts.failing, Reason("a gate that decides fails: {}", facts.failing)),
        (
            facts.within_noise,
            Reason("a gate that decides is beyond its limit, but within noise: {}", facts.within_noise),
        ),
        (facts.rows_unknown, Reason("how many rows of a raw table changed is unknown: {}", facts.rows_unknown)),
        (facts.yardstick, Reason("the yardstick itself was changed: {}", facts.yardstick)),
        (facts.drift_suggests_retraining, Reason("drift newly suggests retraining")),
        (facts.stale_base, Reason("the base's own results are not of its code: {}", facts.stale_base)),
        (facts.base_is_ahead, Reason(_ahead(facts.base_is_ahead))),
    ]
    return [reason for fired, reason in found if fired]


def _set_against(facts: Facts, reason: Reason) -> Reason:
    """Return the reason to look, after the result of the primary metric if that alone is no reason."""
    if facts.word not in STANDING[1:] or facts.data_changed:
        return reason
    return Reason(f"{_standing(facts)}, but {reason.words}", reason.names)


def _standing(facts: Facts) -> str:
    metric = readable_name(facts.primary)
    if facts.word == "the same predictions":
        return "the challenger's predictions are the same, row by row"
    if facts.word == "equivalent":
        return f"{metric} of the challenger is equivalent: any difference is too small to matter ({facts.numbers})"
    if facts.word == "not distinguishable":
        return f"these rows cannot tell whether {metric} is better or worse ({facts.numbers})"
    return f"{metric} of the challenger is {facts.word} ({facts.numbers})"


def _changed_data(facts: Facts) -> str:
    if not facts.only_shared_rows:
        return "the test data changed, and no row of it can be compared"
    return f"the test data changed; on the rows that both windows share, {_standing(facts)}"


def _unclear(facts: Facts) -> str:
    return f"{'training was touched, and ' if facts.trained_anew else ''}{_standing(facts)}"


def _ahead(commits: int) -> str:
    return f"the base has {counted(commits, 'commit')} with results that the head lacks: merge them and run again"

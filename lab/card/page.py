"""The model card: one page for a reader who was not there, written from results and from nothing else."""

from lab.card.judgement import drift, experiment, explanation, gates, verdict_in_words
from lab.card.limits import limits
from lab.card.numbers import answer, groups, worth
from lab.card.origins import again, choice, data, purpose
from lab.card.results import Results
from lab.pages.markdown import interval, sentence, signed, spoken


def card_of(results: Results) -> str:
    """Return the card as Markdown; equal results give equal text."""
    lines = [
        f"# Model card: {results.schema.question}",
        "",
        f"**{headline(results)}**",
        "",
        "Written by the stage `card` from metrics/, plots/ and manifests alone: what is wrong here is wrong there.",
        "",
    ]
    sections = (purpose, answer, worth, groups, gates, choice, data, explanation, drift, experiment, limits, again)
    return "\n".join([*lines, *(line for section in sections for line in section(results))])


def headline(results: Results) -> str:
    """Return the answer in one line: the verdict of the gates, and how the challenger compares with the champion."""
    name = results.challenger.specification.estimator.replace("_", " ")
    seen = results.of("abtest")["answer"]
    metric = spoken(seen["metric"])
    if seen["difference"] is None:
        compared = f"it cannot be compared with the champion in {metric}"
    else:
        word = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}.get(
            seen["challenger"], "not distinguishable from"
        )
        compared = (
            f"in {metric} it is {word} the champion on the window {seen['window']} "
            f"({signed(seen['difference'])}, {interval(seen['low'], seen['high'])})"
        )
    return f"{sentence(f'{verdict_in_words(results)} ({name})')} {sentence(compared)}"

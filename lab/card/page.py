"""Write the model card from the results of the stages."""

from dataclasses import replace

from lab.card.judgement import drift, experiment, explanation, gates
from lab.card.limits import limits
from lab.card.numbers import groups, performance, value
from lab.card.origins import data, purpose, reproduction, selection
from lab.card.results import Results
from lab.pages.escape import inert, plain_or_code
from lab.pages.gate_marks import verdicts_in_words
from lab.pages.markdown import interval, readable_name, sentence, signed


def card_of(results: Results) -> str:
    """Return the card as Markdown; names of columns and levels, notes and reasons are text of a person."""
    results = replace(results, found=inert(dict(results.found)), groups=inert(list(results.groups)))
    lines = [
        f"# Model card: {plain_or_code(results.schema.question)}",
        "",
        f"**{headline(results)}**",
        "",
        "The stage `card` writes this page from metrics/, plots/ and the manifests of the models.",
        "",
    ]
    sections = (purpose, performance, value, groups, gates, selection, data, explanation, drift, experiment, limits)
    return "\n".join([*lines, *(line for section in (*sections, reproduction) for line in section(results))])


def headline(results: Results) -> str:
    """Return the verdict of the gates and the comparison with the champion in one line."""
    name = results.challenger.specification.estimator.replace("_", " ")
    verdicts = verdicts_in_words(results.of("validate"))
    entry = results.of("abtest")["answer"]
    metric = readable_name(entry["metric"])
    if entry["difference"] is None:
        compared = f"it cannot be compared with the champion in {metric}"
    else:
        word = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}.get(
            entry["challenger"], "not distinguishable from"
        )
        compared = (
            f"in {metric} it is {word} the champion on the window {entry['window']} "
            f"({signed(entry['difference'])}, {interval(entry['low'], entry['high'])})"
        )
    return f"{sentence(f'the challenger ({name}): {verdicts}')} {sentence(compared)}"

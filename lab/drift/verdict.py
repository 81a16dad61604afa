"""State the verdict on a batch in one line, which decides the exit code."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Word = Literal["data fault", "retrain", "not judged", "no reason to retrain"]

FAULTS_SHOWN = 5
CURE = "mend upstream, do not retrain"


def verdict_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict as a word and as a line of text, from the other parts of a drift document."""
    rules = document["policies"]
    if document["faults"]:
        return _verdict("data fault", f"{_faults(document['faults'])}; {CURE}")
    if document["retrain"]["suggested"]:
        return _verdict("retrain", "; ".join([*document["retrain"]["reasons"], *not_judged(rules)]))
    if not any(rule["judged"] for rule in rules if rule["counts"]):
        return _verdict("not judged", "; ".join(not_judged(rules)) or "no rule counts (params.yaml: drift.policies)")
    return _verdict("no reason to retrain", "; ".join([_quiet(document, rules), *not_judged(rules)]))


def not_judged(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, for each rule that counts and cannot be judged, that this is so and why."""
    return [
        f"{rule['policy']} is not judged, because {rule['reason']}"
        for rule in rules
        if rule["counts"] and not rule["judged"]
    ]


def _verdict(word: Word, text: str) -> dict[str, str]:
    return {"word": word, "text": f"{word.upper()}: {text}"}


def _faults(faults: Sequence[Mapping[str, Any]]) -> str:
    """Return the faults as text: each column with its kind, and what was found."""
    shown = [
        f"{fault['column']} ({fault['kind']}: {fault['text']})"
        if fault["column"]
        else f"{fault['kind']}: {fault['text']}"
        for fault in faults[:FAULTS_SHOWN]
    ]
    hidden = len(faults) - len(shown)
    return "; ".join([*shown, *([f"{hidden} more"] if hidden else [])])


def _quiet(document: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> str:
    """Return why no rule fired, in one sentence that names what has drifted all the same."""
    drifted, columns = document["columns"]["drifted"], sum(document["columns"].values())
    if not drifted:
        return "no column drifted, and no rule that counts fired"
    values = [
        f"{rule['policy']} is {rule['value']:.3g}" + (f" of {rule['limit']:g}" if rule["limit"] is not None else "")
        for rule in rules
        if rule["counts"] and rule["judged"]
    ]
    return f"{drifted} of {columns} columns drifted, but no rule that counts fired: {', '.join(values)}"

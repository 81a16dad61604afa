"""The marks of gates: one sign for each verdict and each rule."""

from collections.abc import Callable, Mapping
from typing import Any

from lab.pages.markdown import counted, gate_name, listed

MARKS = {"failed": "✗", "within noise": "≈", "not judged": "–", "passed": "✓"}  # worst first
RULES = {"at least": "≥", "at most": "≤", "above": "interval >"}


def marked(verdict: str) -> str:
    """Return a verdict after its mark.

    >>> marked("within noise")
    '≈ within noise'
    """
    return f"{MARKS.get(verdict, '')} {verdict}".strip()


def limit_of(gate: Mapping[str, Any]) -> str:
    """Return the rule and the threshold of a gate.

    >>> limit_of({"rule": "above", "threshold": -0.01})
    'interval > −0.01'
    """
    rule, threshold = gate["rule"], gate["threshold"]
    return f"{RULES.get(rule, rule)} {threshold:g}".replace("-", "−")


def verdicts_in_words(verdict: Mapping[str, Any], *, name: Callable[[str], str] = gate_name) -> str:
    """Return how many deciding gates of a metrics/validate.json passed, and name the others.

    >>> verdicts_in_words({"gates": [{"gate": "f1", "verdict": "passed"}, {"gate": "recall", "verdict": "failed"}]})
    '1 of 2 gates passed; 1 failed: recall'
    """
    gates = verdict["gates"]
    found = {word: [name(gate["gate"]) for gate in gates if gate["verdict"] == word] for word in MARKS}
    passed = len(found.pop("passed"))
    others = [f"{len(names)} {word}: {listed(names)}" for word, names in found.items() if names]
    return "; ".join([f"{passed} of {counted(len(gates), 'gate')} passed", *others])

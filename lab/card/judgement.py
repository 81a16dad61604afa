"""The sections of the model card on gates, explanation, drift and the A/B test."""

from collections.abc import Mapping, Sequence

from lab.card.numbers import with_interval
from lab.card.results import Document, Results
from lab.pages.escape import MOST, code
from lab.pages.gate_marks import limit_of, marked, verdicts_in_words
from lab.pages.markdown import (
    NOTHING,
    counted,
    gate_name,
    interval,
    listed,
    number,
    percent,
    sentence,
    signed,
    table,
)

MOST_FEATURES = 10
METHODS = {
    "tree_path_dependent": "Shapley values of the trees (path-dependent)",
    "linear": "Shapley values of a linear model (exact)",
    "permutation": "Shapley values by permutation, on a sample",
}


def gates(results: Results) -> list[str]:
    """Return the verdict and every gate with its reason."""
    verdict = results.of("validate")
    rows = [
        [
            gate_name(gate["gate"]),
            with_interval(gate["value"], (gate["low"], gate["high"])) if gate["value"] is not None else NOTHING,
            limit_of(gate),
            marked(gate["verdict"]),
            gate["reason"],
        ]
        for gate in verdict["gates"]
    ]
    return [
        "## Gates",
        "",
        f"{sentence(verdicts_in_words(verdict))} Judged on the window {verdict['window']}.",
        "",
        *table(("gate", "value (95 %)", "threshold:", "", "reason"), rows),
        "",
        *_overruled(results.manifests["champion"].overruled or {}),
    ]


def _overruled(reasons: Mapping[str, str]) -> list[str]:
    if not reasons:
        return []
    rows = [(gate_name(gate), code(reason, longest=MOST)) for gate, reason in sorted(reasons.items())]
    opening = "At the promotion of the champion, a person overruled these gates, which did not pass:"
    return [opening, "", *table(("gate", "reason of the person"), rows), ""]


def explanation(results: Results) -> list[str]:
    """Return the features with the largest contributions, and the loss of ROC AUC without them."""
    document = results.of("explain")
    found = document["challenger"]
    sample = found["sample"]
    losses = {entry["feature"]: entry for entry in found["permutation"]}
    unit = found.get("unit", "score").replace("_", "-")
    ranked = sorted(found["importance"], key=lambda entry: (-entry["mean_absolute_contribution"], entry["feature"]))
    rows = [
        [
            entry["feature"],
            number(entry["mean_absolute_contribution"], digits=3),
            _loss(losses.get(entry["feature"])),
        ]
        for entry in ranked[:MOST_FEATURES]
    ]
    method = METHODS.get(found["method"], found["method"].replace("_", " "))
    note = (
        f"{method}, for {counted(sample['rows'], 'row')} of the window {sample['window']}, in {unit}. The last column "
        "is the loss of ROC AUC when a feature is shuffled among the rows, with its 95 % interval. A contribution "
        "describes how the model uses a feature; it is not a causal effect."
    )
    correlated = [f"correlated features that share their importance: {listed(each)}" for each in document["correlated"]]
    return [
        "## Explanation",
        "",
        note,
        "",
        *table(("feature", "mean absolute contribution:", "ROC AUC loss when shuffled"), rows),
        "",
        *(f"- {sentence(text)}" for text in (*correlated, *document["notes"])),
        *([""] if correlated or document["notes"] else []),
    ]


def drift(results: Results) -> list[str]:
    """Return the drift since the reference window, and the verdict on it."""
    found = results.of("drift")
    columns = found["columns"]
    drifted = f"{columns['drifted']} of {counted(sum(columns.values()), 'column')} drifted"
    sentences = [
        f"{drifted} from the window {found['reference']} to the newest window (significant, and by a relevant effect)",
        *([f"drifted: {_columns(found['verdicts'])}"] if columns["drifted"] else []),
        *(_performance(model) for model in found["models"]),
        found["verdict"]["text"].replace("_", " "),
    ]
    return ["## Drift", "", *(f"- {sentence(text)}" for text in sentences), ""]


def experiment(results: Results) -> list[str]:
    """Return the decision and the effects of the A/B test, or the reason why there is none."""
    online = results.of("abtest")["online"]
    if not online["analysed"]:
        return ["## A/B test", "", sentence(f"No A/B test is analysed: {online['reason']}"), ""]
    decision = online["decision"]
    head = ("outcome", "role", "control:", "treatment:", "difference (interval)", "the treatment is")
    return [
        "## A/B test",
        "",
        f"**{decision['action']}** for {decision['treatment']}: {decision['rule']}.",
        "",
        *table(head, [_effect(effect) for effect in online["effects"]]),
        "",
    ]


def _effect(effect: Document) -> list[str]:
    digits = 0 if max(abs(effect["control"] or 0), abs(effect["value"] or 0)) >= 100 else 4
    ends = f" ({interval(effect['low'], effect['high'], digits=digits)})" if effect["low"] is not None else ""
    measured_in = effect.get("measured_in")
    name = effect["outcome"] if measured_in is None else f"{effect['outcome']} ({measured_in})"
    return [
        name if effect["treatment"] == "challenger" else f"{name}, {effect['treatment']}",
        effect["role"],
        number(effect["control"], digits=digits),
        number(effect["value"], digits=digits),
        f"{signed(effect['difference'], digits=digits)}{ends}",
        effect["word"],
    ]


def _loss(entry: Document | None) -> str:
    if entry is None:
        return "not shuffled"
    if entry["loss"] is None:
        return "undefined"
    noise = ", not above noise" if entry.get("noise") else ""
    return f"{number(entry['loss'])} ({interval(entry['low'], entry['high'])}){noise}"


def _columns(verdicts: Sequence[Document]) -> str:
    drifted = [entry for entry in verdicts if entry["verdict"] == "drifted"]
    return listed(
        f"{entry['column']} ({entry['measure'].replace('_', ' ')} {number(entry['effect'], digits=3)})"
        for entry in drifted
    )


def _performance(model: Document) -> str:
    entry, score = model["performance"], model["score"]
    if entry["difference"] is None:
        return f"ROC AUC of the {model['model']} cannot be compared: {entry['reason']}"
    before, now = (number(entry[name], digits=3) for name in ("reference", "current"))
    change = f"{signed(entry['difference'], digits=3)}, {interval(entry['low'], entry['high'], digits=3)}"
    shares = [percent(score["positive_share"][name]) for name in ("reference", "current")]
    return (
        f"ROC AUC of the {model['model']}: {before} before, {now} now ({change}): {entry['verdict']} with the margin "
        f"drift.performance_margin; its scores: {score['verdict']}; share predicted positive: {shares[0]} before, "
        f"{shares[1]} now"
    )

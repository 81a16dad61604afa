"""What the card's numbers cannot say: derived from the results, so that no limit is claimed or kept back by habit."""

from collections.abc import Iterator

from lab.card.results import Results
from lab.pages.markdown import counted, gate_name, interval, listed, number, spoken

UNSURE = ("holds both sides", "cannot be ruled out", "may be chance", "does not rule out")


def limits(results: Results) -> list[str]:
    """Return the section of limits."""
    return ["## Limits", "", *(f"- {text}." for text in _limits(results)), ""]


def _limits(results: Results) -> Iterator[str]:
    yield from _of_data(results)
    yield from _of_judgement(results)
    yield from _of_numbers(results)
    yield from _of_groups(results)
    yield from _of_time(results)


def _of_data(results: Results) -> Iterator[str]:
    if results.of("ingest")["source"] == "synthetic":
        yield "The rows are synthetic: nothing here is about real people, nor about how the model would do on them"
    schema = results.schema
    if schema.unit and schema.moment:
        yield (
            f"One {listed(schema.unit)} may stand in several rows, at different moments. Every interval takes rows as "
            "independent, so the true uncertainty is wider"
        )
    if schema.folds.horizon_days:
        yield (
            f"A label is known {schema.folds.horizon_days} days after its row: how the model does today is known that "
            "much later"
        )


def _of_judgement(results: Results) -> Iterator[str]:
    gates = results.of("validate")["gates"]
    if failed := [gate_name(gate["gate"]) for gate in gates if not gate["passed"]]:
        yield f"Gates failed: {listed(failed)}"
    passed = [gate for gate in gates if gate["passed"]]
    if unsure := [gate_name(gate["gate"]) for gate in passed if any(word in gate["reason"] for word in UNSURE)]:
        yield f"Passed, but the interval also allows for a failure: {listed(unsure)}"
    if unjudged := [f"{gate_name(gate['gate'])} ({gate['reason']})" for gate in gates if gate["value"] is None]:
        yield f"Not judged: {listed(unjudged)}"
    unclear = [
        spoken(seen["metric"])
        for seen in results.of("abtest")["offline"].get(results.judged, [])
        if seen["verdict"] in {"not distinguishable", "undefined"}
    ]
    if unclear:
        yield f"Champion and challenger cannot be told apart in {listed(unclear)}: that does not make them equal"
    yield (
        f"The window {results.judged} is read again by every experiment. The more often a choice was made after "
        "looking at it, the kinder it is to what was chosen: `git log metrics/evaluate.json` tells how often it was "
        "written"
    )


def _of_numbers(results: Results) -> Iterator[str]:
    yield from (f"Undefined: {text}" for text in results.of("evaluate")["undefined"])
    measured = results.measured("challenger", results.judged)
    error, ends = measured.get("calibration_error"), measured.get("calibration_error_95")
    if error is not None and ends:
        yield (
            f"Scores lie {number(error, digits=3)} from the shares that came true, by the expected calibration error "
            f"({interval(*ends, digits=3)}; calibration: {results.challenger.specification.calibration}). A score of "
            "0.70 is to be read with that much doubt"
        )
    if not results.of("abtest")["online"]["analysed"]:
        yield "No experiment has shown that acting on these scores changes anything"
    yield from results.of("explain")["notes"]


def _of_groups(results: Results) -> Iterator[str]:
    small = sorted(
        {
            f"{row['group']} {row['level']} ({row['rows']} rows)"
            for row in results.groups
            if row["window"] == results.judged and row["note"].startswith("too small")
        }
    )
    if small:
        yield f"Too small to say anything of: {listed(small)}"
    if unseen := results.of("evaluate")["groups_not_in_training"]:
        yield f"No model was fitted on a row of these groups: {listed(unseen)}"
    if not results.schema.groups:
        yield "Nothing is known of fairness: the task names no group columns"


def _of_time(results: Results) -> Iterator[str]:
    found = results.of("drift")
    if drifted := found["columns"]["drifted"]:
        columns = counted(sum(found["columns"].values()), "column")
        yield (
            f"{drifted} of {columns} have drifted since the window {found['reference']}: the numbers above are of a "
            "past that the newest rows no longer quite resemble"
        )
    worse = [seen["model"] for seen in found["models"] if seen["performance"]["verdict"] == "worse"]
    if worse:
        yield f"On the newest rows this model is worse than on the window {found['reference']}: {listed(worse)}"

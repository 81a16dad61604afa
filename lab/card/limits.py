"""The section of the model card on limitations, derived from the results."""

from collections.abc import Iterator

from lab.card.results import Results
from lab.pages.escape import plain_or_code
from lab.pages.markdown import counted, gate_name, interval, listed, number, readable_name

UNSURE = "interval crosses it"  # part of the reason of a gate that passed


def limits(results: Results) -> list[str]:
    return ["## Limitations", "", *(f"- {text}" for text in limits_in_words(results)), ""]


def limits_in_words(results: Results) -> list[str]:
    """Return each limitation as one or more sentences."""
    return [f"{text}." for text in _limits(results)]


def _limits(results: Results) -> Iterator[str]:
    yield from _of_data(results)
    yield from _of_judgement(results)
    yield from _of_numbers(results)
    yield from _of_groups(results)
    yield from _of_time(results)


def _of_data(results: Results) -> Iterator[str]:
    if results.of("ingest")["source"] == "synthetic":
        yield "The rows are synthetic: the results say nothing about real people"
    schema = results.schema
    if schema.unit and schema.moment:
        yield (
            f"One {listed(map(plain_or_code, schema.unit))} can be in several rows, at different moments. Intervals "
            "and tests are by unit; only those of shuffled features assume independent rows"
        )
    if schema.folds.horizon_days:
        days = schema.folds.horizon_days
        yield f"A label is known {days} days after its row, so today's performance is known only then"


def _of_judgement(results: Results) -> Iterator[str]:
    verdict = results.of("validate")
    gates = verdict["gates"]
    if failed := verdict["failed"]:
        yield f"Gates failed: {listed(map(gate_name, failed))}"
    if unclear := verdict["within_noise"]:
        yield f"Beyond the limit, but within noise: {listed(map(gate_name, unclear))}"
    if unsure := [gate_name(gate["gate"]) for gate in gates if UNSURE in gate["reason"]]:
        yield f"Passed, but not with the whole interval: {listed(unsure)}"
    unjudged = [gate for gate in gates if gate["verdict"] == "not judged"]
    if unjudged := [f"{gate_name(gate['gate'])} ({gate['reason']})" for gate in unjudged]:
        yield f"Not judged: {listed(unjudged)}"
    unclear = [
        readable_name(entry["metric"])
        for entry in results.of("abtest")["offline"].get(results.judged, [])
        if entry["verdict"] in {"not distinguishable", "undefined"}
    ]
    if unclear:
        yield f"Champion and challenger are not distinguishable in {listed(unclear)}; this does not mean equal"
    yield (
        f"Every experiment evaluates on the window {results.judged}. Each choice made after looking at its results "
        "makes them more optimistic; `git log metrics/evaluate.json` shows how often it was used"
    )


def _of_numbers(results: Results) -> Iterator[str]:
    yield from (f"Undefined: {text}" for text in results.of("evaluate")["undefined"])
    measured = results.measured("challenger", results.judged)
    error, ends = measured.get("calibration_error"), measured.get("calibration_error_95")
    if error is not None and ends:
        yield (
            f"The expected calibration error is {number(error, digits=3)} ({interval(*ends, digits=3)}; calibration: "
            f"{results.challenger.specification.calibration}): a score of 0.70 can differ from the observed share by "
            "about that much"
        )
    if not results.of("abtest")["online"]["analysed"]:
        yield "No A/B test shows that acting on these scores has an effect"
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
        yield f"Too small to judge: {listed(small)}"
    if unseen := results.of("evaluate")["groups_not_in_training"]:
        yield f"No training row is in these groups: {listed(unseen)}"
    if not results.schema.groups:
        yield "Fairness is not evaluated: the task names no group columns"


def _of_time(results: Results) -> Iterator[str]:
    found = results.of("drift")
    if drifted := found["columns"]["drifted"]:
        columns = counted(sum(found["columns"].values()), "column")
        yield (
            f"{drifted} of {columns} drifted since the window {found['reference']}, so the newest rows differ from "
            "the rows of the metrics above"
        )
    worse = [entry["model"] for entry in found["models"] if entry["performance"]["verdict"] == "worse"]
    if worse:
        yield f"Performance on the newest rows is worse than on the window {found['reference']}: {listed(worse)}"

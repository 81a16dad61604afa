"""`python -m benchmarks.drift [PART …]`: measure the figures of drift, all but rivals by default.

Parts: quiet, injected, levels, large, joint, halves, damage, speed, dependence, streams, anomalies, rules, truth, and
rivals: it runs evidently and NannyML from environments of their own (benchmarks/drift_rivals/README.md says how).
`rules` writes what it measures to lab/drift/false_alarms.json, which the report prints beside each rule.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.drift_data import (
    CHANGES,
    WITH_NAMES,
    damaged,
    faults_of,
    fitted,
    halves_compared,
    judged,
    normal_columns,
    rows_of,
    rules_fired,
    settings_of,
    table_of,
    truth_of_churn,
    with_names,
)
from benchmarks.drift_rivals.run import RIVALS, run_rival
from lab.core.result_files import json_bytes
from lab.reference.columns import verdicts_of
from lab.stats.core.contingency import compare_counts
from lab.stats.core.proportions import wilson_interval
from lab.stats.shift.dependence import inflation_in_time, midranks
from lab.stats.shift.ranks import kolmogorov_smirnov, merge
from lab.stats.shift.shifts import Shift, measure_numbers
from lab.stats.shift.streams import adwin, page_hinkley, page_hinkley_rule

Numbers = NDArray[np.float64]
SEEDS, COLUMNS = 100, 50
FALSE_ALARMS = Path("lab/drift/false_alarms.json")
MATERIAL = settings_of().material.model_dump()


def main() -> None:
    asked = sys.argv[1:] or [name for name in PARTS if name != "rivals"]
    for name in asked:
        sys.stdout.write(f"{json.dumps({name: PARTS[name]()}, indent=2)}\n")
        sys.stdout.flush()


def words_of(reference: Mapping[str, Numbers], current: Mapping[str, Numbers]) -> dict[str, str]:
    shifts: dict[str, Shift] = {name: measure_numbers(reference[name], current[name]) for name in reference}
    verdicts = verdicts_of(shifts, significance=0.01, material=MATERIAL)
    return {name: verdict.word for name, verdict in verdicts.items()}


def quiet() -> dict[str, Any]:
    """Count the runs in which something is called a change where there is none."""
    found = {}
    for rows in (1000, 10_000):
        drifted, significant = 0, 0
        for seed in range(SEEDS):
            rng = np.random.default_rng([1, rows, seed])
            words = set(words_of(normal_columns(rng, rows, COLUMNS), normal_columns(rng, rows, COLUMNS)).values())
            drifted += "drifted" in words
            significant += bool(words & {"drifted", "slight"})
        found[f"{rows} rows"] = {"runs with drift": drifted / SEEDS, "runs with significance": significant / SEEDS}
    return found


def injected() -> dict[str, Any]:
    """Count how many of twelve injected changes among fifty columns are found, and how many others."""
    counts = dict.fromkeys(("significant", "drifted"), (0, 0))
    for seed in range(SEEDS):
        rng = np.random.default_rng([2, seed])
        reference, current = (normal_columns(rng, 10_000, COLUMNS) for _ in range(2))
        changed = list(current)[: len(CHANGES)]
        for name, change in zip(changed, CHANGES.values(), strict=True):
            current[name] = change(rng, current[name])
        words = words_of(reference, current)
        for kind, among in (("significant", {"drifted", "slight"}), ("drifted", {"drifted"})):
            hits = sum(words[name] in among for name in changed)
            counts[kind] = counts[kind][0] + hits, counts[kind][1] + sum(word in among for word in words.values())
    whole = SEEDS * len(CHANGES)
    return {kind: {"recall": hits / whole, "precision": hits / called} for kind, (hits, called) in counts.items()}


def levels() -> dict[str, Any]:
    """Return how often the chi-square test of two samples, and the one-sample test of others, are wrong at 0.05."""
    from scipy import stats  # noqa: PLC0415 - slow to import, and only this part needs it

    found = {}
    for count in (2, 4, 8, 30):
        for rows in (1000, 10_000, 100_000):
            rng, ours, theirs = np.random.default_rng([3, count, rows]), 0, 0
            for _ in range(500):
                old, new = (rng.multinomial(size, np.full(count, 1 / count)) for size in (1000, rows))
                ours += (compare_counts(np.stack([old, new])).p_value or 1.0) < 0.05
                theirs += stats.chisquare(new, old * (rows / 1000)).pvalue < 0.05
            found[f"{count} levels, 1000 against {rows} rows"] = {"ours": ours / 500, "one-sample": theirs / 500}
    return found


def large() -> dict[str, Any]:
    """Return the verdicts at a million rows where a column moved by a hundredth or two of its deviation."""
    rng = np.random.default_rng(4)
    found = {}
    for shift in (0.01, 0.02):
        reference = {str(place): rng.normal(0, 1, 1_000_000) for place in range(5)}
        current = {name: rng.normal(shift, 1, 1_000_000) for name in reference}
        found[f"shift of {shift} deviations"] = sorted(words_of(reference, current).values())
    return found


def joint() -> dict[str, Any]:
    """Return what is seen where two columns go together otherwise and every margin is equal."""
    columns, significant, top = 0, 0, 0
    for seed in range(20):
        rng = np.random.default_rng([5, seed])
        reference, batch = rows_of(rng, 5000, joint=0.0), rows_of(rng, 5000, joint=0.6)
        document = judged(fitted(reference), batch).document
        columns += document["columns"]["drifted"] + document["columns"]["slight"]
        significant += document["whole_table"]["p_value"] < 0.01
        named = {line["column"] for line in document["whole_table"]["columns"][:2]}
        top += named == {"number_00", "number_01"}
    return {
        "columns called": columns,
        "classifier p < .01": significant / 20,
        "its top two are the true ones": top / 20,
    }


def halves() -> dict[str, Any]:
    """Count the random halves with a column of many levels that are distinguishable or have a data fault."""
    draws: dict[str, Callable[[np.random.Generator], Any]] = {
        "names": lambda rng: np.minimum(rng.zipf(1.3, 2000), 10**9),
        "4,000 levels of noise": lambda rng: rng.integers(0, 4000, 2000),
    }
    found = {}
    for kind, draw in draws.items():
        seen = []
        for seed in range(SEEDS):
            rng = np.random.default_rng([11, seed])
            table = with_names(rows_of(rng, 2000), draw(rng))
            order = rng.permutation(2000)
            first, second = (table.take(pa.array(np.sort(part))) for part in (order[:1000], order[1000:]))
            seen.append(halves_compared(fitted(first, WITH_NAMES, trees=10), second, seed))
        areas = [classifier["roc_auc"] for classifier, _ in seen]
        found[kind] = {
            "classifier p < .01": sum(classifier["p_value"] < 0.01 for classifier, _ in seen) / SEEDS,
            "ROC AUC": [round(float(np.quantile(areas, share)), 3) for share in (0, 0.5, 1)],
            "with a data fault": sum(bool(faults) for _, faults in seen) / SEEDS,
        }
    return found


def damage() -> dict[str, Any]:
    """Return the share of damaged columns that are a data fault, by kind of damage, in batches of 50 and 2,000 rows."""
    reference = fitted(rows_of(np.random.default_rng(12), 2000), trees=10)
    found = {}
    for rows in (50, 2000):
        batch = rows_of(np.random.default_rng([12, rows]), rows)
        found[f"{rows} rows"] = {
            kind: f"{sum(faults_of(reference, table) == [name] for name, table in tables)} of {len(tables)}"
            for kind, tables in damaged(batch).items()
        }
    return found


def speed() -> dict[str, Any]:
    """Return CPU seconds and memory of every test and size of fifty columns of numbers, without their making."""
    found = {}
    for rows in (10_000, 100_000, 1_000_000):
        rng = np.random.default_rng(6)
        tables = [table_of(normal_columns(rng, rows, COLUMNS)) for _ in range(2)]
        seconds, megabytes = cost_of(lambda tables=tables: words_of(*map(_columns_of, tables)))  # type: ignore[misc]
        found[f"{rows} rows"] = {"CPU seconds": seconds, "MB above the tables": megabytes}
    return found


def _columns_of(table: pa.Table) -> dict[str, Numbers]:
    return {name: table[name].to_numpy() for name in table.column_names}


def cost_of(work: Callable[[], object]) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    return round(seconds, 2), round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1)


def dependence() -> dict[str, Any]:
    """Return how often Kolmogorov–Smirnov is wrong at 0.05 on rows that follow one another, as is and corrected."""
    rng = np.random.default_rng(7)
    plain, corrected = 0, 0
    for _ in range(1000):
        samples = [_chain(rng, 1000) for _ in range(2)]
        merged = merge(*samples)
        factors = [inflation_in_time(midranks(sample)) for sample in samples]
        plain += kolmogorov_smirnov(merged).p_value < 0.05
        corrected += kolmogorov_smirnov(merged, inflation=(factors[0], factors[1])).p_value < 0.05
    return {"plain": plain / 1000, "corrected": corrected / 1000}


def _chain(rng: np.random.Generator, rows: int) -> Numbers:
    noise, values = rng.normal(0, np.sqrt(0.75), rows), np.empty(rows)
    values[0] = rng.normal()
    for place in range(1, rows):
        values[place] = 0.5 * values[place - 1] + noise[place]
    return values


def streams() -> dict[str, Any]:
    """Return false alarms in 10,000 rows without a change, and the rows until a rise of the errors is seen."""
    settings, rate = settings_of().streams, 0.2
    deviation = float(np.sqrt(rate * (1 - rate)))
    rule = page_hinkley_rule(slack=settings.slack, rows_per_false_alarm=settings.rows_per_false_alarm, rate=rate)

    def of_sums(errors: Numbers) -> int | None:
        alarm = page_hinkley(errors.tolist(), mean=rate, deviation=deviation, known_from=2000, rule=rule)
        return alarm.seen_after if alarm else None

    def of_window(errors: Numbers) -> int | None:
        alarms = adwin(errors, confidence=settings.confidence)
        return alarms[0].seen_after if alarms else None

    found = {}
    for name, detector in (("Page–Hinkley", of_sums), ("ADWIN", of_window)):
        rng = np.random.default_rng(8)
        false = sum(detector(_errors(rng, 10_000, rate)) is not None for _ in range(100))
        waits = {}
        for risen in (0.25, 0.3, 0.4):
            seen = [detector(np.concatenate([_errors(rng, 2000, rate), _errors(rng, 8000, risen)])) for _ in range(50)]
            late = [place - 2000 for place in seen if place is not None and place > 2000]
            waits[f"{rate} to {risen}"] = {"found": len(late) / 50, "rows": float(np.median(late)) if late else None}
        found[name] = {"false alarms in 10,000 rows": false / 100, "delay": waits}
    return found


def _errors(rng: np.random.Generator, rows: int, rate: float) -> Numbers:
    return (rng.random(rows) < rate).astype(np.float64)


def anomalies() -> dict[str, Any]:
    """Return how many rows of an unchanged batch pass the threshold of one in a hundred, over many references."""
    shares, alarms = [], 0
    for seed in range(40):
        rng = np.random.default_rng([9, seed])
        found = judged(fitted(rows_of(rng, 2000)), rows_of(rng, 2000)).document["anomalies"]
        shares.append(found["share"])
        alarms += found["p_value"] < 0.01
    return {"promised": 0.01, "mean share": float(np.mean(shares)), "batches with p < .01": alarms / 40}


RULE_RUNS, REFERENCE_ROWS, BATCH_ROWS = 200, 2000, (200, 2000)
NEVER_BY_CHANCE = {"age"}  # it looks at the calendar alone


def rules() -> dict[str, Any]:
    """Return how often each rule fires where nothing has changed, and keep it for the report."""
    fired: dict[int, dict[str, int]] = {rows: {} for rows in BATCH_ROWS}
    for seed in range(RULE_RUNS):
        rng = np.random.default_rng([10, seed])
        reference = fitted(rows_of(rng, REFERENCE_ROWS, days=30), trees=10)
        for rows, counts in fired.items():
            for name, one in rules_fired(reference, rows_of(rng, rows, days=30, start="2025-03-01")).items():
                counts[name] = counts.get(name, 0) + one
    rates = {str(rows): _rates(counts, rows) for rows, counts in fired.items()}
    document = {
        "conditions": {
            "runs": RULE_RUNS,
            "reference_rows": REFERENCE_ROWS,
            "columns": "12 numbers, 4 categories, 1 boolean, a tenth missing in one; rows independent",
            "model": "an ROC AUC of about 0.8, the same in both",
            "limits": {name: rule.get("limit") for name, rule in settings_of().policies.model_dump().items()},
            "command": "python -m benchmarks.drift rules",
        },
        "rates": rates,
    }
    FALSE_ALARMS.write_bytes(json_bytes(document))
    return rates


def _rates(counts: Mapping[str, int], rows: int) -> dict[str, Any]:
    found = {}
    for name, count in sorted(counts.items()):
        if name not in NEVER_BY_CHANCE:
            low, high = wilson_interval((count, RULE_RUNS))
            found[name] = {"rate": count / RULE_RUNS, "low": round(low, 6), "high": round(high, 6), "rows": rows}
    return found


def truth() -> dict[str, Any]:
    """Return recall and precision of the columns that the synthetic world changed, at two sizes of it."""
    return {f"{customers} customers": truth_of_churn(customers) for customers in (5000, 40_000)}


def rivals() -> dict[str, Any]:
    """Return what evidently and NannyML say and cost on the same data; benchmarks/drift_rivals/README.md says how."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: run_rival(name, Path(folder)) for name in RIVALS}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    part.__name__: part
    for part in (
        *(quiet, injected, levels, large, joint, halves, damage, speed, dependence, streams, anomalies, rules, truth),
        rivals,
    )
}

if __name__ == "__main__":
    main()

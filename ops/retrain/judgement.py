"""Check the newest rows, scored by the champion, for drift. Runs in the clone."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_json
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.drift.assess import Comparison, Context, compare_batch
from lab.drift.attribution import IMPORTANCE, rank_moves, read_importance
from lab.drift.batch import checked_batch
from lab.drift.policies import FALSE_ALARMS, read_false_alarms
from lab.models.models import CHAMPION, load_model
from lab.models.scoring import score_rows
from lab.predictions.predictions import score_column
from lab.reference.columns import summary
from lab.reference.reference import load_reference
from lab.reference.settings import DriftParams

CURRENT = Path("data/features/current.parquet")
AGE = "age"


def main() -> None:
    """Write the judgement to the file named by the argument."""
    params, seed, reference = load_params("drift", DriftParams), load_seed(), load_reference()
    rows = read_table(CURRENT)
    checked = checked_batch(
        rows, reference, name=str(CURRENT), cure="Cure: provide the columns that the champion was trained on."
    )
    scored = scored_by_champion(rows, checked)
    context = Context(
        params,
        read_importance(IMPORTANCE),
        read_false_alarms(FALSE_ALARMS),
        lambda name: generator_of(seed, f"drift/{name}"),
    )
    found = compare_batch(reference, scored, context)
    rows_seen = {reference.facts.window: reference.facts.rows, "current": scored.num_rows}
    write_json({"rows": rows_seen, **document_of(found)}, Path(sys.argv[1]))


def scored_by_champion(rows: pa.Table, checked: pa.Table) -> pa.Table:
    """Return the checked rows with the champion's scores."""
    scores = score_rows(load_model(CHAMPION), rows)
    return checked.append_column(score_column(CHAMPION.name), pa.array(scores))


def document_of(found: Comparison) -> dict[str, Any]:
    """Return the parts of a judgement that a retraining uses."""
    return {
        **{name: found.decision[name] for name in ("faults", "policies", "retrain", "verdict")},
        "columns": summary(found.columns),
        "moved": rank_moves(found.columns, found.shares),
        "age_days": next(rule["value"] for rule in found.policies if rule["policy"] == AGE),
    }


if __name__ == "__main__":
    run(main)

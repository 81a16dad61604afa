"""Data with and without changes for benchmarks/drift.py, and the truth about the synthetic world's."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.params import parse
from lab.core.schema import Feature, FeatureSchema, FoldRule, load_schema
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.core.yaml_files import read_yaml
from lab.drift.assess import Assessment, Context, assess, compare_batch
from lab.drift.domain_classifier import run_domain_classifier
from lab.drift.faults import Fault, find_faults
from lab.drift.set_aside import SetAside
from lab.reference.fit import fit_reference
from lab.reference.reference import Reference
from lab.reference.settings import DriftParams

Numbers = NDArray[np.float64]
Change = Callable[[np.random.Generator, Numbers], Numbers]
ROOT = Path(__file__).parent.parent


def _some(rng: np.random.Generator, values: Numbers, share: float) -> NDArray[np.bool_]:
    return rng.random(len(values)) < share


CHANGES: dict[str, Change] = {
    "shift of 0.15": lambda _, values: values + 0.15,
    "shift of 0.25": lambda _, values: values + 0.25,
    "shift of −0.2": lambda _, values: values - 0.2,
    "times 1.2": lambda _, values: values * 1.2,
    "times 0.8": lambda _, values: values * 0.8,
    "4 % missing": lambda rng, values: np.where(_some(rng, values, 0.04), np.nan, values),
    "6 % missing": lambda rng, values: np.where(_some(rng, values, 0.06), np.nan, values),
    "2 % outliers": lambda rng, values: np.where(_some(rng, values, 0.02), values + 8, values),
    "clipped at the 95th": lambda _, values: np.minimum(values, 1.645),
    "4 % filled in": lambda rng, values: np.where(_some(rng, values, 0.04), 0.0, values),
    "two humps": lambda rng, values: values * 0.5 + np.where(_some(rng, values, 0.5), 0.866, -0.866),
    "skewed": lambda _, values: values + 0.12 * values**2,
}


@cache
def settings_of() -> DriftParams:
    """Return the settings of params.yaml."""
    content = read_yaml(ROOT / "params.yaml", cure="")["drift"]
    return parse(content, kind=DriftParams, where="params.yaml: drift", cure="")


def normal_columns(rng: np.random.Generator, rows: int, columns: int) -> dict[str, Numbers]:
    """Return columns of standard normal numbers."""
    return {f"column_{place:02}": rng.normal(0, 1, rows) for place in range(columns)}


def table_of(columns: Mapping[str, Numbers]) -> pa.Table:
    """Return columns as a table."""
    return pa.table(dict(columns))


SCHEMA = FeatureSchema(
    question="",
    unit=("unit",),
    moment="moment",
    positive=1,
    groups=("level_0",),
    features={
        **{f"number_{place:02}": Feature(kind="number") for place in range(12)},
        **{f"level_{place}": Feature(kind="category") for place in range(4)},
        "truth": Feature(kind="boolean"),
    },
    folds=FoldRule(kind="time", reason=""),
)


def rows_of(
    rng: np.random.Generator, rows: int, *, joint: float = 0.0, days: int = 1, start: str = "2025-01-01"
) -> pa.Table:
    """Return rows with labels and scores; `joint` is the correlation of the first two numbers, whose margins stay."""
    numbers = rng.normal(0, 1, (12, rows))
    numbers[1] = joint * numbers[0] + np.sqrt(1 - joint**2) * numbers[1]
    numbers[2] = np.exp(numbers[2])
    numbers[3] = np.floor(np.exp(numbers[3] + 1))
    label = (rng.random(rows) < 0.4).astype(np.int8)
    scores = [1 / (1 + np.exp(-1.2 * (label - 0.4) - rng.normal(0, 1, rows))) for _ in range(2)]
    moments = np.datetime64(start, "us") + (np.arange(rows) * days // rows).astype("timedelta64[D]")
    first = int(rng.integers(1, 2**40))
    return pa.table(
        {
            "unit": np.arange(first, first + rows),
            "moment": pa.array(moments, pa.timestamp("us")),
            "label": label,
            **{
                f"number_{place:02}": pa.array(column, mask=rng.random(rows) < (0.1 if place == 4 else 0))
                for place, column in enumerate(numbers)
            },
            **{f"level_{place}": rng.choice([f"level {n}" for n in range(3 + 4 * place)], rows) for place in range(4)},
            "truth": rng.random(rows) < 0.3,
            "champion_score": scores[0].round(6),
            "challenger_score": scores[1].round(6),
        }
    )


def fitted(table: pa.Table, schema: FeatureSchema = SCHEMA, **changes: int) -> Reference:
    """Return the reference of rows, with some settings changed."""
    return fit_reference(
        table,
        schema,
        {"champion": 0.5, "challenger": 0.5},
        window="test",
        settings=settings_of().reference.model_copy(update=changes),
        stream_of=lambda name: generator_of(7, name),
    )


def judged(reference: Reference, batch: pa.Table) -> Assessment:
    """Return the judgement of a batch; every feature counts alike."""
    return assess(reference, batch, _context())


WITH_NAMES = SCHEMA.model_copy(update={"features": {**SCHEMA.features, "name": Feature(kind="category")}})


def with_names(table: pa.Table, numbers: NDArray[np.int64]) -> pa.Table:
    """Return the table with a column of many levels."""
    return table.append_column("name", pa.array([f"name {number}" for number in numbers]))


def halves_compared(reference: Reference, batch: pa.Table, seed: int) -> tuple[dict[str, Any], list[Fault]]:
    """Return the result of the domain classifier, and the data faults."""
    classifier = run_domain_classifier(reference, batch, rng=generator_of(seed, "halves"))
    return classifier, find_faults(reference, batch, settings_of().faults, SetAside())


def faults_of(reference: Reference, batch: pa.Table) -> list[str | None]:
    """Return the columns with a data fault."""
    return [fault.column for fault in find_faults(reference, batch, settings_of().faults, SetAside())]


def damaged(batch: pa.Table) -> dict[str, list[tuple[str, pa.Table]]]:
    """Return the batch with one damaged column each, by kind of damage."""
    numbers = [name for name, feature in SCHEMA.features.items() if feature.kind == "number"]
    levels = [name for name, feature in SCHEMA.features.items() if feature.kind == "category"]
    nothing = lambda column: pa.nulls(len(column), column.type)  # noqa: E731 - three short ones below, too
    first = lambda column: [column.drop_null()[0].as_py()] * len(column)  # noqa: E731
    return {
        "missing": _each(batch, [*numbers, *levels, "truth"], nothing),
        "1e300": _each(batch, numbers, lambda column: [1e300] * len(column)),
        "relabelled": _each(batch, levels, lambda column: [f"new {level}" for level in column.to_pylist()]),
        "constant": _each(batch, [*numbers, *levels, "truth"], first),
        "times 100": _each(batch, numbers, lambda column: pc.multiply(column, 100.0)),
        "divided by 1,000": _each(batch, numbers, lambda column: pc.divide(column, 1000.0)),
    }


def _each(batch: pa.Table, names: list[str], change: Callable[[pa.ChunkedArray], Any]) -> list[tuple[str, pa.Table]]:
    place = batch.column_names.index
    return [
        (name, batch.set_column(place(name), name, pa.chunked_array([_flat(change(batch[name]))]))) for name in names
    ]


def _flat(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)


def rules_fired(reference: Reference, batch: pa.Table) -> dict[str, bool]:
    """Return which rules for retraining fire on a batch."""
    return {rule["policy"]: rule["fired"] for rule in compare_batch(reference, batch, _context()).policies}


def verdicts_of(reference: Reference, batch: pa.Table) -> dict[str, str]:
    """Return the verdict on every column."""
    return {name: verdict.word for name, verdict in compare_batch(reference, batch, _context()).columns.items()}


def _context() -> Context:
    return Context(settings_of(), {}, {"rates": {}}, lambda name: generator_of(7, name))


# What the world changed (data/truth/truth.json speaks of raw columns), in the features of churn. `direct` is a function
# of a column whose distribution was changed; `through` moves because customers behave otherwise or others sign up.
DIRECT = {
    "amount_180_days": "sales.amount",
    "average_order": "sales.amount",
    "spread_of_orders": "sales.amount",
    "weekend_share": "sales.moment",
    "region": "customers.region",
    "channel": "customers.channel",
}
THROUGH = {
    "purchases_60_days": "how often a customer buys, by channel",
    "purchases_180_days": "how often a customer buys, by channel",
    "recency_days": "how often a customer buys, by channel",
    "trend": "how often a customer buys, by channel",
    "usual_gap_days": "how often a customer buys, by channel",
    "average_quantity": "pieces per sale of seniors",
    "basket_breadth": "share of sales by category",
}
# They move with the calendar (season) or with time itself, whatever was injected: neither right nor wrong to call.
BY_CALENDAR = ("season_share", "tenure_days")


def truth_of_churn(customers: int) -> dict[str, Any]:
    """Return recall and precision against what was injected: on the newest snapshot, which looks back on all of it.

    The snapshot before it stands at the day on which the changes begin, so that nothing has changed in its features.
    """
    with tempfile.TemporaryDirectory() as folder:
        features = _features_of(customers, Path(folder))
        schema = load_schema(features / "schema.json")
        reference, current = (read_table(features / f"{name}.parquet") for name in ("test", "current"))
    fit = fitted(reference, schema)
    moments = pc.unique(current["moment"]).sort()
    newest, before = (
        current.filter(pc.equal(current["moment"], moment)) for moment in (moments[-1].as_py(), moments[0].as_py())
    )
    return {"newest snapshot": _scored(fit, newest), "snapshot before": _called(fit, before)}


def _features_of(customers: int, folder: Path) -> Path:
    for name in ("lab", "stages", "tasks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "params.yaml", folder)
    params = (folder / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(params.replace("customers: 5000", f"customers: {customers}"), encoding="utf-8")
    for stage in ("task", "ingest", "prepare", "featurize"):
        subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "data/features"


def _called(reference: Reference, batch: pa.Table) -> dict[str, list[str]]:
    words = verdicts_of(reference, batch)
    return {kind: sorted(name for name, word in words.items() if word == kind) for kind in ("drifted", "slight")}


def _scored(reference: Reference, batch: pa.Table) -> dict[str, Any]:
    called = _called(reference, batch)
    found = {}
    for kind, names in (("drifted", called["drifted"]), ("significant", called["drifted"] + called["slight"])):
        judgeable = [name for name in names if name not in BY_CALENDAR]
        right = [name for name in judgeable if name in DIRECT or name in THROUGH]
        found[kind] = {
            "recall of what was changed directly": f"{sum(name in names for name in DIRECT)} of {len(DIRECT)}",
            "recall of all": f"{len(right)} of {len(DIRECT) + len(THROUGH)}",
            "precision": f"{len(right)} of {len(judgeable)}",
            "missed": sorted({*DIRECT, *THROUGH} - set(names)),
            "wrong": sorted(set(judgeable) - set(right)),
        }
    return found

"""`python -m ops latency`: how long one row takes and how large the model is, against the limits in params.yaml."""

import lab.core.determinism  # noqa: F401 - the kernels that a server has too, before numpy is imported

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from pydantic import Field

from lab.core.errors import SourceError
from lab.core.params import Params, load_params
from lab.core.result_files import json_bytes
from lab.core.schema import FEATURES
from lab.core.tables import read_table
from lab.model_files.manifest import PIPELINE, fingerprint_of
from lab.models.models import CHALLENGER, Model, load_model
from lab.models.scoring import score_rows
from lab.stats.experiments.quantiles import quantile
from lab.stats.models.bootstrap import Estimate
from lab.validate.gates import NamedGate, ceiling, verdict_of
from ops.gate import told

LOG = Path("logs/latency.jsonl")
WARM_UP = 50
MEGABYTE = 1_000_000
ABOUT = "serving"


class ServingParams(Params):
    """What serving one row may take, in milliseconds, and how large the file of a model may be."""

    p50_milliseconds: float = Field(default=25.0, gt=0)
    p99_milliseconds: float = Field(default=100.0, gt=0)
    megabytes: float = Field(default=50.0, gt=0)


@click.command()
@click.option(
    "--model", type=click.Path(path_type=Path), default=CHALLENGER, show_default=True, help="The folder of a model."
)
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    default=FEATURES / "test.parquet",
    show_default=True,
    help="Feature rows, of which one at a time is scored.",
)
@click.option("--calls", type=click.IntRange(min=1), default=1000, show_default=True, help="How many rows are scored.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON instead of a table.")
def latency(*, model: Path, rows: Path, calls: int, as_json: bool) -> None:
    """Score single rows, and judge the time that they take and the model's size; exit 0, 1, or 2 on a mistake.

    Times are of this machine at this moment, so no tracked file holds them: they go to logs/latency.jsonl.
    """
    params, fitted, table = load_params("serving", ServingParams), load_model(model), _some_rows(rows)
    content = (model / PIPELINE).read_bytes()
    times = times_of(fitted, table, calls=calls)
    verdict = verdict_of(judged(times, megabytes=len(content) / MEGABYTE, params=params))
    _log({"model": str(model), "fingerprint": fingerprint_of(content), "calls": calls, **verdict})
    click.echo(json_bytes(verdict).decode().rstrip() if as_json else told(verdict))
    raise SystemExit(0 if verdict["passed"] else 1)


@dataclass(frozen=True)
class Times:
    """What each call took in milliseconds: of time that passed, and of the processor's."""

    passed: list[float]
    processor: list[float]


def times_of(model: Model, rows: pa.Table, *, calls: int) -> Times:
    """Return the times of so many calls, one row after another, after some that do not count."""
    singles = [rows.slice(place % rows.num_rows, 1) for place in range(calls)]
    for single in singles[:WARM_UP]:
        score_rows(model, single)
    taken = [_milliseconds(model, single) for single in singles]
    return Times([passed for passed, _ in taken], [processor for _, processor in taken])


def judged(times: Times, *, megabytes: float, params: ServingParams) -> list[NamedGate]:
    """Return the gates: median and 99th percentile of the time that passed, and the size.

    The processor's time is said beside: where it is much less, the machine was busy with something else.
    """
    middle, most = (quantile(times.processor, share) for share in (0.5, 0.99))
    gates = {
        "milliseconds_p50": ceiling(quantile(times.passed, 0.5), params.p50_milliseconds, note=_beside(middle, times)),
        "milliseconds_p99": ceiling(quantile(times.passed, 0.99), params.p99_milliseconds, note=_beside(most, times)),
        "megabytes": ceiling(Estimate(megabytes, None, None), params.megabytes),
    }
    return [NamedGate(name, ABOUT, decides=True, gate=gate) for name, gate in gates.items()]


def _milliseconds(model: Model, row: pa.Table) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    score_rows(model, row)
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - used)


def _beside(processor: Estimate, times: Times) -> str:
    return f"; {processor.value or 0:.1f} ms of the processor's; {len(times.passed):,} calls"


def _some_rows(path: Path) -> pa.Table:
    table = read_table(path)
    if not table.num_rows:
        raise SourceError(f"{path} holds no row, expected one or more to score. Cure: name another file by --rows.")
    return table


def _log(entry: dict[str, Any]) -> None:
    LOG.parent.mkdir(exist_ok=True)
    line = json_bytes({"moment": datetime.now(UTC).isoformat(timespec="seconds"), **entry})
    with LOG.open("a", encoding="utf-8") as stream:
        stream.write(" ".join(line.decode().split()) + "\n")

"""`python -m ops latency`: check the time of a row and the model's size."""

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
from lab.validate.gates import Gate, NamedGate, judge, verdict_of
from ops.gate import interval_in_words, to_text

LOG = Path("logs/latency.jsonl")
WARM_UP = 50
MEGABYTE = 1_000_000
ABOUT = "serving"


class ServingParams(Params):
    """The limits of scoring one row, in milliseconds, and of the model's file size."""

    p50_milliseconds: float = Field(default=25.0, gt=0)
    p99_milliseconds: float = Field(default=100.0, gt=0)
    megabytes: float = Field(default=50.0, gt=0)


@click.command()
@click.option(
    "--model", type=click.Path(path_type=Path), default=CHALLENGER, show_default=True, help="The model's folder."
)
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    default=FEATURES / "test.parquet",
    show_default=True,
    help="Feature rows to score one by one.",
)
@click.option(
    "--calls", type=click.IntRange(min=1), default=1000, show_default=True, help="The number of rows to score."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON instead of a table.")
def latency(*, model: Path, rows: Path, calls: int, as_json: bool) -> None:
    r"""Score single rows, and compare the time and the model's size with the limits in params.yaml: serving.

    Times depend on this machine, so they are logged to logs/latency.jsonl and not tracked.

    \b
      python -m ops latency --calls 200

    Exit 0 within the limits, 1 beyond them, 2 on a mistake.
    """
    params, fitted, table = load_params("serving", ServingParams), load_model(model), _some_rows(rows)
    content = (model / PIPELINE).read_bytes()
    times = times_of(fitted, table, calls=calls)
    verdict = verdict_of(judged(times, megabytes=len(content) / MEGABYTE, params=params))
    _log({"model": str(model), "fingerprint": fingerprint_of(content), "calls": calls, **verdict})
    click.echo(json_bytes(verdict).decode().rstrip() if as_json else to_text(verdict))
    raise SystemExit(0 if verdict["passed"] else 1)


@dataclass(frozen=True)
class Times:
    """The wall time and the CPU time of each call, in milliseconds."""

    wall: list[float]
    cpu: list[float]


def times_of(model: Model, rows: pa.Table, *, calls: int) -> Times:
    """Return the times of so many calls, after a warm-up."""
    singles = [rows.slice(place % rows.num_rows, 1) for place in range(calls)]
    for single in singles[:WARM_UP]:
        score_rows(model, single)
    taken = [_milliseconds(model, single) for single in singles]
    return Times([wall for wall, _ in taken], [cpu for _, cpu in taken])


def judged(times: Times, *, megabytes: float, params: ServingParams) -> list[NamedGate]:
    """Return the gates: median and 99th percentile of the wall time, and the size; each passes or fails by its value.

    The note says the quantile's interval, and the CPU time: if that is much smaller, the machine was busy.
    """
    gates = {
        "milliseconds_p50": _time_gate(times, 0.5, params.p50_milliseconds),
        "milliseconds_p99": _time_gate(times, 0.99, params.p99_milliseconds),
        "megabytes": judge(Estimate(megabytes, None, None), "at most", params.megabytes),
    }
    return [NamedGate(name, ABOUT, decides=True, gate=gate) for name, gate in gates.items()]


def _time_gate(times: Times, share: float, limit: float) -> Gate:
    wall, cpu = (quantile(each, share) for each in (times.wall, times.cpu))
    ends = interval_in_words(wall.low, wall.high)
    note = f"; 95 % interval {ends}; {cpu.value or 0:.1f} ms of CPU time; {len(times.wall):,} calls"
    return judge(Estimate(wall.value, None, None), "at most", limit, note=note)


def _milliseconds(model: Model, row: pa.Table) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    score_rows(model, row)
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - used)


def _some_rows(path: Path) -> pa.Table:
    table = read_table(path)
    if not table.num_rows:
        raise SourceError(f"{path} has no rows, expected one or more. Cure: name another file by --rows.")
    return table


def _log(entry: dict[str, Any]) -> None:
    LOG.parent.mkdir(exist_ok=True)
    line = json_bytes({"moment": datetime.now(UTC).isoformat(timespec="seconds"), **entry})
    with LOG.open("a", encoding="utf-8") as stream:
        stream.write(" ".join(line.decode().split()) + "\n")

"""`python -m benchmarks.abtest [ROWS]`: the cost of analysing a large A/B log.

One pass over 10 million rows for a share, a mean with its covariate and a ratio of two sums; the check that no unit
comes twice is part of it. Units are whole numbers in rising order, as an export of a table has them; what shuffled ones
cost, and units named by text, is measured beside.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import Cost, median_cost

ROOT = Path(__file__).parent.parent
OPTIONS = [
    *("--primary", "stayed", "--guardrail", "spent=1", "--covariate", "spent=before"),
    *("--outcome", "clicks", "--per", "clicks=views", "--control", "old"),
]
RUN = "import sys; from ops.abtest.command import abtest; abtest(sys.argv[1:], standalone_mode=False)"
KINDS = ("rising", "shuffled", "text")


def main() -> None:
    if sys.argv[1:2] == ["write"]:  # a process of its own: what it takes would count as the peak of those after it
        write_log(Path(sys.argv[2]), int(sys.argv[3]), kind=sys.argv[4])
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        sys.stdout.write(f"{rows:,} rows, file to decision (bar: 1.0 CPU s, 350 MB)\n")
        for kind in KINDS:
            writing = [sys.executable, "-m", "benchmarks.abtest", "write", str(path), str(rows), kind]
            subprocess.run(writing, check=True, cwd=ROOT)
            sys.stdout.write(f"units {kind:9} {_told(measured(path))}\n")
            sys.stdout.flush()


def measured(path: Path) -> Cost:
    """Return what one analysis costs as a process of its own, imports included."""
    command = [sys.executable, "-c", f"try:\n {RUN}\nexcept SystemExit: pass", "--log", str(path), *OPTIONS]
    return median_cost(command, cwd=ROOT)


def write_log(path: Path, rows: int, *, kind: str) -> None:
    """Write a log without an effect."""
    rng = np.random.default_rng(1)
    before = rng.gamma(2.0, 50.0, rows).round(2)
    clicks = rng.poisson(2, rows)
    units = np.arange(rows) if kind != "shuffled" else rng.permutation(rows)
    table = pa.table(
        {
            "customer_id": pa.array(units).cast(pa.string() if kind == "text" else pa.int64()),
            "arm": pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 2, rows)), pa.array(["old", "new"])),
            "stayed": rng.random(rows) < 0.12,
            "spent": (0.7 * before + rng.gamma(2.0, 30.0, rows)).round(2),
            "before": before,
            "clicks": clicks,
            "views": clicks + rng.poisson(8, rows),
        }
    )
    pq.write_table(table, path)


def _told(cost: Cost) -> str:
    return f"{cost.cpu_seconds:6.2f} CPU s  {cost.wall_seconds:6.2f} s  {cost.peak_megabytes:6.0f} MB"


if __name__ == "__main__":
    main()

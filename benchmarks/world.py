"""`python -m benchmarks.world [CUSTOMERS]`: the cost of simulating and writing a world."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.featurize import CUSTOMERS, lay_out
from benchmarks.measure import cost_of


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, customers=customers)
        cost_of([sys.executable, "-m", "stages.task"], cwd=folder)
        cost = cost_of([sys.executable, "-m", "stages.ingest"], cwd=folder)
        sales = json.loads((folder / "metrics/ingest.json").read_text())["tables"]["sales"]["rows"]
        written = sum(path.stat().st_size for path in folder.glob("data/raw/*.parquet"))
    figures = {"customers": customers, "sales": sales, "megabytes written": round(written / 1e6), **asdict(cost)}
    sys.stdout.write(f"{json.dumps(figures)}\n")


if __name__ == "__main__":
    main()

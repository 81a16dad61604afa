"""`python -m benchmarks.featurize [CUSTOMERS]`: featurize beside DuckDB's own reading and one grouped aggregate."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Cost, cost_of, median_cost

ROOT = Path(__file__).parent.parent
CUSTOMERS = 250_000  # about 10 million sales
# Every column of every file is read, and the sales are grouped once.
BASELINE = """
import duckdb
tables = {name: f"read_parquet('data/prepared/{name}.parquet')" for name in ('customers', 'products', 'stores')}
for table in tables.values():
    columns = duckdb.sql(f'describe from {table}').fetchall()
    duckdb.sql('select ' + ', '.join(f'max("{column[0]}")' for column in columns) + f' from {table}').fetchall()
duckdb.sql('''
    create table grouped as
    select customer_id, count(*), sum(amount), sum(quantity), min(moment), max(moment), max(recorded), max(sale_id),
        max(product_id), max(store_id)
    from read_parquet('data/prepared/sales.parquet') group by customer_id
''')
"""


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, customers=customers)
        before: dict[str, Cost] = {
            stage: cost_of([sys.executable, "-m", f"stages.{stage}"], cwd=folder)
            for stage in ("task", "ingest", "prepare")
        }
        baseline = median_cost([sys.executable, "-c", BASELINE], cwd=folder, runs=3)
        featurize = median_cost([sys.executable, "-m", "stages.featurize"], cwd=folder, runs=3)
        metrics = json.loads((folder / "metrics/featurize.json").read_text())
        rows = json.loads((folder / "metrics/prepare.json").read_text())["rows"]["kept"]
    figures = {
        "rows prepared": rows,
        "rows made": metrics["rows"],
        **{stage: asdict(cost) for stage, cost in before.items()},
        "featurize": asdict(featurize),
        "duckdb alone": asdict(baseline),
        "ratio of CPU seconds": round(featurize.cpu_seconds / baseline.cpu_seconds, 2),
        "ratio of wall seconds": round(featurize.wall_seconds / baseline.wall_seconds, 2),
    }
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def lay_out(folder: Path, *, customers: int) -> None:
    """Put code, tasks and params for a world of another size into an empty folder."""
    for name in ("lab", "stages", "tasks", "data/source"):
        shutil.copytree(ROOT / name, folder / name)
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    lines = [f"  customers: {customers}" if line.startswith("  customers:") else line for line in text.splitlines()]
    (folder / "params.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

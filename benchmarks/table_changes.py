"""`python -m benchmarks.table_changes [ROWS]`: two versions of a raw table compared, beside pandas."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.measure import Cost, cost_of

ROOT = Path(__file__).parent.parent
ROWS = 1_000_000
IMPORT = "from ops.compare.tables.join import compare_tables; from ops.compare.tables.described import Described"
COMPARE = f"""
import sys
from pathlib import Path
{IMPORT}
folder, key = Path(sys.argv[1]), tuple(sys.argv[2:])
types = dict.fromkeys(("sale_id", "customer_id", "product_id", "store_id"), "identifier")
types |= {{"country": "category", "channel": "category", "quantity": "integer", "amount": "cents"}}
types |= {{"moment": "timestamp", "recorded": "timestamp"}}
described = Described(key, types, frozenset({{"customer_id"}}), ())
found = compare_tables("sales", folder / "base.parquet", folder / "head.parquet", described, scratch=folder / "spill")
assert found.changed + found.only_in_base > 0
"""
PANDAS = """
import sys
import pandas as pd
base, head = (pd.read_parquet(f"{sys.argv[1]}/{side}.parquet") for side in ("base", "head"))
both = base.merge(head, on="sale_id", how="outer", suffixes=("", "_head"), indicator=True)
matched = both[both["_merge"] == "both"]
cells = {name: int((matched[name] != matched[f"{name}_head"]).sum()) for name in base.columns if name != "sale_id"}
assert sum(cells.values()) > 0
"""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        write = f"from benchmarks.table_changes import *; write_versions(Path({name!r}), rows={rows})"
        measured(write)  # in a process of its own, whose memory is not inherited
        figures = {
            "imports": measured(IMPORT),
            "by key": measured(COMPARE, name, "sale_id"),
            "by a key that a tenth of the rows repeats": measured(COMPARE, name, "customer_id", "moment"),
            "without a key": measured(COMPARE, name),
            "pandas, counts of cells by key alone": measured(PANDAS, name),
        }
    for case, cost in figures.items():
        sys.stdout.write(f"{json.dumps({case: asdict(cost)})}\n")


def measured(code: str, *arguments: str) -> Cost:
    return cost_of([sys.executable, "-c", code, *arguments], cwd=ROOT)


def write_versions(folder: Path, *, rows: int) -> None:
    """Write a table with ten columns, and a head in another order: some amounts changed, some rows gone."""
    rng = np.random.default_rng(1)
    customers = rng.integers(0, rows // 20, rows)
    moments = rng.integers(1_700_000_000, 1_760_000_000, rows) * 1_000_000
    customers[: rows // 20], moments[: rows // 20] = customers[-(rows // 20) :], moments[-(rows // 20) :]
    base = pa.table(
        {
            "sale_id": np.arange(rows),
            "moment": pa.array(moments, pa.timestamp("us")),
            "recorded": pa.array(moments + 1_000_000, pa.timestamp("us")),
            "customer_id": customers,
            "product_id": rng.integers(0, 3000, rows),
            "store_id": rng.integers(0, 40, rows),
            "quantity": rng.integers(1, 9, rows),
            "amount": rng.integers(100, 99_999, rows),
            "country": pa.array(np.array(["DE", "FR", "NL", "BE"])[rng.integers(0, 4, rows)]),
            "channel": pa.array(np.array(["web", "app", "store"])[rng.integers(0, 3, rows)]),
        }
    )
    german = pc.and_(pc.equal(base["country"], "DE"), pa.array(rng.random(rows) < 0.3))
    amount = pc.if_else(german, pc.add(base["amount"], 1), base["amount"])
    head = base.set_column(base.column_names.index("amount"), "amount", amount).slice(rows // 1000)
    pq.write_table(base, folder / "base.parquet")
    pq.write_table(head.take(pa.array(rng.permutation(head.num_rows))), folder / "head.parquet")


if __name__ == "__main__":
    main()

"""`python -m benchmarks.abtest_rivals.run`: three analyses of the same log of 10 million rows."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.abtest import OPTIONS, ROOT, RUN
from benchmarks.measure import cost_of
from lab.core.errors import SourceError

HERE = Path(__file__).parent
ROWS = 10_000_000


def main() -> None:
    python = os.environ.get("RIVALS")
    if not python:
        raise SourceError("RIVALS is not set, expected a Python of its own. Cure: benchmarks/abtest_rivals/README.md")
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        writing = [sys.executable, "-m", "benchmarks.abtest", "write", str(path), str(rows), "rising"]
        subprocess.run(writing, check=True, cwd=ROOT)
        commands = {
            "this repository": [
                *(sys.executable, "-c", f"try:\n {RUN}\nexcept SystemExit: pass"),
                *("--log", str(path), *OPTIONS),
            ],
            "tea-tasting": [python, str(HERE / "tea_tasting_analysis.py"), str(path)],
            "statsmodels": [python, str(HERE / "statsmodels_analysis.py"), str(path)],
        }
        for name, command in commands.items():
            cost = cost_of(command, cwd=ROOT)
            figures = f"{cost.cpu_seconds:6.2f} CPU s  {cost.peak_megabytes:6.0f} MB"
            sys.stdout.write(f"{name:16} {figures}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

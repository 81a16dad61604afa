"""Compare the cost of serving with `mlflow models serve` and FastAPI with pandas.

Every contender has an environment of its own below .rivals/serving, made at the first call. All are asked in rounds,
by turns, and every ratio has the 95 % interval of its rounds. With --soak our own server alone is asked for so many
minutes, at half of what it can.

  python -m benchmarks serving                  about 35 minutes
  python -m benchmarks serving --rounds 2 --seconds 1 --model boosting
  python -m benchmarks serving --soak 10
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.serving_rivals.contenders import contenders
from benchmarks.serving_rivals.exactness import answered, differing_rows
from benchmarks.serving_rivals.figures import figures_of
from benchmarks.serving_rivals.models import Prepared, drawn, shipped
from benchmarks.serving_rivals.rounds import Plan, compared
from benchmarks.serving_rivals.soak import soaked
from benchmarks.serving_rivals.table import rendered

MODELS: dict[str, Callable[[Path], Prepared]] = {"champion": shipped, "boosting": drawn}


def main(arguments: list[str]) -> None:
    asked = _parsed(arguments)
    for name in [asked.model] if asked.model else MODELS:
        with tempfile.TemporaryDirectory(prefix="serving-") as folder:
            prepared = MODELS[name](Path(folder))
            found = soaked(prepared, minutes=asked.soak) if asked.soak else _compared(prepared, Path(folder), asked)
        load = [round(each, 2) for each in os.getloadavg()]
        print(json.dumps({"model": name, **found, "load averages at the end": load}, indent=2))
        print("\n".join(rendered(found)) if "each" in found else "", flush=True)


def _compared(prepared: Prepared, folder: Path, asked: Any) -> dict[str, Any]:
    exact = differing_rows(prepared)
    answers = {each.name: answered(each, prepared) for each in contenders(prepared, folder / "checked")}
    seen = compared(prepared, folder, Plan(asked.starts, asked.rounds, asked.seconds))
    return {"exactness": exact, "rows answered otherwise than by the pipeline": answers, **figures_of(seen)}


def _parsed(arguments: list[str]) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=list(MODELS), help="one of the two; without it, both")
    parser.add_argument("--starts", type=int, default=5, help="starts of each that count [%(default)s]")
    parser.add_argument("--rounds", type=int, default=10, help="rounds that count [%(default)s]")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each way of asking in a round [%(default)s]")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="ask our server alone, for so long")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Print a compiled model's unrounded probabilities: `raw FOLDER < COLUMNS`.

Columns come as JSON, {name: [kind, values]}; probabilities go as hexadecimal, which keeps every bit.
"""

import os

from lab.core.cpu_kernels import PINNED

os.environ.update(PINNED | {"OMP_NUM_THREADS": "1"})

import json
import sys
from pathlib import Path

import numpy as np

from lab.compiled.estimates import probabilities
from lab.compiled.files import Compiled, read_compiled
from lab.compiled.parts import Columns


def main() -> None:
    model, asked = read_compiled(Path(sys.argv[1])), json.load(sys.stdin)
    columns: Columns = {
        name: np.array(values, dtype=object if kind == "category" else np.float64)
        for name, (kind, values) in asked.items()
    }
    rows = len(next(iter(columns.values())))
    alone = [hex_of(model, {name: column[[place]] for name, column in columns.items()})[0] for place in range(rows)]
    json.dump({"together": hex_of(model, columns), "alone": alone}, sys.stdout)


def hex_of(model: Compiled, columns: Columns) -> list[str]:
    return [float(value).hex() for value in probabilities(model.program, model.arrays, columns)]


if __name__ == "__main__":
    main()

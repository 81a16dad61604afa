"""Compare predictions with the pipeline's, bit by bit and as servers answer."""

import json
import subprocess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving_rivals.asking import answers_to
from benchmarks.serving_rivals.contenders import Contender
from benchmarks.serving_rivals.environments import ROOT, our_python
from benchmarks.serving_rivals.forms import OURS
from benchmarks.serving_rivals.models import Prepared
from benchmarks.serving_rivals.servers import running
from lab.compiled.files import DECIMALS


def differing_rows(prepared: Prepared) -> dict[str, int]:
    """Return in how many test rows the compiled model's probability has another bit, all at once and row by row."""
    rows = prepared.rows(switches=False)
    asked = {name: (feature.kind, [row[name] for row in rows]) for name, feature in prepared.features.items()}
    command = [str(our_python()), "-m", "benchmarks.serving_rivals.raw", str(prepared.compiled)]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, check=True)
    found = {name: [float.fromhex(value) for value in values] for name, values in json.loads(done.stdout).items()}
    return {
        "rows": len(rows),
        "differing bits, all rows at once": _differing(found["together"], prepared.together),
        "differing bits, row by row": _differing(found["alone"], prepared.alone),
    }


def answered(contender: Contender, prepared: Prepared) -> dict[str, Any]:
    """Return in how many rows a server's answers differ from the pipeline; ours are scores, which have 6 decimals."""
    form = contender.form
    rows = prepared.rows(switches=form.switches)
    requests = [form.request_for_one(row) for row in rows]
    with running(contender, requests[0]) as server:
        ones = [form.scores_of_one(answer)[0] for answer in answers_to(server.port, requests)]
        (many,) = (form.scores_of_many(answer) for answer in answers_to(server.port, [form.request_for_many(rows)]))
    alone, together = prepared.alone, prepared.together
    if form is OURS:
        alone, together = alone.round(DECIMALS), together.round(DECIMALS)
    return {"row by row": _differing(ones, alone), "all rows at once": _differing(many, together)}


def _differing(found: Any, expected: NDArray[np.float64]) -> int:
    return int(np.sum(np.asarray(found, dtype=np.float64).view(np.int64) != expected.view(np.int64)))

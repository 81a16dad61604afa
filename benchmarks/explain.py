"""`python -m benchmarks.explain`: what explaining each candidate costs, after `dvc repro`, in CPU seconds."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Cost, cost_of
from lab.core.params import load_params, load_seed
from lab.core.schema import FEATURES
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.explain.contributions import contributions_of, explainer_of
from lab.explain.settings import ExplainParams
from lab.explain.shuffles import losses_of
from lab.explain.study import rows_allowed, sample_places
from lab.models.frames import frame_of
from lab.models.models import load_model
from lab.predictions.columns import numbers_of

ROOT = Path(__file__).parent.parent
CANDIDATES = Path("models/candidates")
READ = ("data/features", "data/task", "models/champion", "params.yaml")


def main() -> None:
    figures = {}
    for folder in sorted(CANDIDATES.iterdir()):
        figures[folder.name] = {**alone(folder), "stage": asdict(cost_of_stage(folder))}
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def alone(folder: Path) -> dict[str, object]:
    """Return the cost of contributions and of shuffles on the test window, without reading and importing."""
    params, seed = load_params("explain", ExplainParams), load_seed()
    model = load_model(folder)
    train, test = (read_table(FEATURES / f"{name}.parquet") for name in ("train", "test"))
    reference = frame_of(train.slice(0, params.reference_rows), model.features)
    frame, labels = frame_of(test, model.features), numbers_of(test["label"]) == 1
    started = time.process_time()
    explainer = explainer_of(model.pipeline, reference, walks=params.walks, rng=generator_of(seed, "walks"))
    places = sample_places(len(frame), rows_allowed(explainer, params.rows), rng=generator_of(seed, "sample"))
    contributions_of(explainer, frame.iloc[places])
    explained = time.process_time()
    losses_of(
        model.pipeline,
        frame,
        labels,
        [(name,) for name in sorted(model.features)],
        units=None,
        repeats=params.shuffles.repeats,
        stream_of=lambda name: generator_of(seed, name),
    )
    return {
        "method": explainer.method,
        "rows explained": len(places),
        "rows": len(frame),
        "contributions, CPU seconds": round(explained - started, 2),
        "shuffles, CPU seconds": round(time.process_time() - explained, 2),
    }


def cost_of_stage(folder: Path) -> Cost:
    """Return the cost of the whole stage with this candidate as the challenger."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        for path in (*READ, "lab", "stages"):
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / path, project / path)
        shutil.copytree(folder, project / "models/challenger")
        return cost_of([sys.executable, "-m", "stages.explain"], cwd=project)


if __name__ == "__main__":
    main()

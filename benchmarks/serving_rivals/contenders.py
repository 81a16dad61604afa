"""Who is compared: the command of each, its environment, and how it is asked."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving_rivals.environments import HERE, our_python, rival_python
from benchmarks.serving_rivals.forms import MLFLOW, OURS, PANDAS, Form
from benchmarks.serving_rivals.models import Prepared

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
BARE, WITH_METRICS, DURABLE, BATCHED = (
    "ours, bare",
    "ours, metrics",
    "ours, metrics and durable log",
    "ours, metrics and batched log",
)
MLFLOW_SERVE, FASTAPI = "mlflow models serve", "FastAPI and pandas"


@dataclass(frozen=True)
class Contender:
    """A server: `command` gets a port; `environment` is added to what every contender gets."""

    name: str
    command: Callable[[int], Sequence[str]]
    form: Form
    environment: Mapping[str, str] = field(default_factory=dict)


def contenders(prepared: Prepared, folder: Path) -> list[Contender]:
    """Return all who serve a model; what they write goes into the folder."""
    return [*rivals(prepared, folder), *our_own(prepared, folder)]


def rivals(prepared: Prepared, folder: Path) -> list[Contender]:
    """Return MLflow's server and one of FastAPI, pandas and the pipeline; with their own threads, and with one."""
    mlflow, pandas = rival_python("mlflow"), rival_python("pandas")
    saved = folder / f"{prepared.name}-mlflow"
    rows = prepared.pipeline / "rows.json"
    script = [str(mlflow), str(HERE / "save_mlflow.py"), str(prepared.pipeline / "pipeline.joblib")]
    subprocess.run([*script, str(rows), str(saved)], check=True, env=QUIET, capture_output=True)
    served = [str(mlflow.parent / "mlflow"), "models", "serve", "-m", str(saved), "--env-manager", "local"]
    application = ["-m", "uvicorn", "fastapi_pandas:app", "--app-dir", str(HERE), "--no-access-log"]
    found = []
    for suffix, threads in (("", {}), (", one thread", ONE_THREAD)):
        environment = {**QUIET, **threads, "PATH": f"{mlflow.parent}:/usr/bin:/bin"}
        found.append(
            Contender(f"{MLFLOW_SERVE}{suffix}", lambda port: [*served, "--port", str(port)], MLFLOW, environment)
        )
        environment = {**threads, "LAB_PIPELINE": str(prepared.pipeline)}
        found.append(
            Contender(
                f"{FASTAPI}{suffix}", lambda port: [str(pandas), *application, "--port", str(port)], PANDAS, environment
            )
        )
    return found


def our_own(prepared: Prepared, folder: Path) -> list[Contender]:
    """Return our server: bare, as it is started, and with a log that is durable or nearly so."""
    python = str(our_python())
    model = {"LAB_CHAMPION": str(prepared.compiled.resolve())}
    logs = {name: str(folder / f"{prepared.name}-log-{name}") for name in ("always", "batched")}

    def serving(port: int) -> list[str]:
        return [python, "-m", "serving", "--port", str(port)]

    return [
        Contender(BARE, lambda port: [python, "-m", "benchmarks.serving_rivals.bare", str(port)], OURS, model),
        Contender(WITH_METRICS, serving, OURS, model),
        Contender(DURABLE, serving, OURS, {**model, "LAB_LOG": logs["always"]}),
        Contender(BATCHED, serving, OURS, {**model, "LAB_LOG": logs["batched"], "LAB_DURABILITY": "batched"}),
    ]

"""The registry's toy with new data: lines of `name=value` that decide their outcome.

`strength` of the candidate (that of the champion is 1), `drift` (yes: it is due), `faults` (of the newest rows),
`broken` (the contract is), `crash` (the training dies). All that `retrain` calls is real but the judgement of drift,
which reads the answer from the data.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen

from tests.ops.toy import CHAMPION, PARAMS, SCRIPT, run_and_commit, toy
from tests.project import QUIET, ROOT

SOURCE = "data/source/churn/rows.txt"
TASK = "source: {kind: files, tables: {rows: {path: rows.txt}}}\n"
DATABASE = "source: {kind: sql, tables: {rows: {query: rows.sql}}}\n"
PIPELINE = """\
stages:
  ingest:
    cmd: python toy.py ingest
    params: [prepare]
    deps: [data/source/churn]
    outs: [data/raw]
    metrics: [metrics/ingest.json: {cache: false}]
  featurize:
    cmd: python toy.py featurize
    deps: [data/raw]
    outs: [data/features]
  reference:
    cmd: python toy.py reference
    deps: [data/features]
    outs: [models/reference]
  champion:
    cmd: python toy.py champion
    deps: [champion.yaml, data/features]
    outs: [models/champion]
  train:
    cmd: python toy.py train
    deps: [data/features]
    outs: [models/challenger]
  evaluate:
    cmd: python toy.py evaluate
    deps: [models/challenger, models/champion]
    outs: [data/predictions]
    metrics:
      - metrics/validate.json: {cache: false}
      - metrics/abtest.json: {cache: false}
"""
STAGES = """
def rows(path):
    return dict(line.split("=") for line in pathlib.Path(path).read_text().split())

def write(path, text):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)

def refuse(message):
    sys.stderr.write(message)
    sys.exit(2)

def ingest():
    if yaml("params.yaml")["prepare"]["as_of"] == "never":
        refuse("params.yaml: prepare.as_of is 'never', expected a day.\\n")
    text = pathlib.Path(os.environ.get("TOY_DATABASE", "data/source/churn/rows.txt")).read_text()
    write("data/raw/rows.txt", text)
    write("metrics/ingest.json", json.dumps({"tables": {"rows": {"rows": len(text.split()), "period": {}}}}))

def featurize():
    if "broken" in rows("data/raw/rows.txt"):
        refuse("The raw data breaks its contract in 1 place(s):\\n  rows.broken: found 1\\n")
    write("data/features/rows.txt", pathlib.Path("data/raw/rows.txt").read_text())

def reference():
    write("models/reference/rows.txt", pathlib.Path("data/features/rows.txt").read_text())

def train():
    import time
    found = rows("data/features/rows.txt")
    with open(os.environ.get("TOY_LOG", os.devnull), "a") as log:
        log.write(f"{os.getpid()}\\n")
    print("training", flush=True)
    if "TOY_HANGS" in os.environ:
        time.sleep(60)
    if "crash" in found:
        os.abort()
    model("challenger", {"estimator": "strong", "settings": {"strength": int(found["strength"])}})

"""
JUDGEMENT = """\
import json, pathlib, sys
found, known = (dict(line.split("=") for line in pathlib.Path(path).read_text().split())
                for path in ("data/features/rows.txt", "models/reference/rows.txt"))
assert known["strength"] == "1", "the reference is not that of the base"
if "strange" in found:
    sys.exit("the newest rows lack a column") if found["strange"] == "yes" else sys.exit(2)
yes = found["drift"] == "yes"
rule = {"policy": "drifted_columns", "counts": True, "fired": yes, "value": 0.5 if yes else 0.1, "limit": 0.3,
        "judged": True, "reason": ""}
document = {"columns": {"columns": {"drifted": 5 if yes else 1, "stable": 5}}, "moved": [], "policies": [rule],
            "rows": {"test": 9, "current": 9}, "age_days": float(found.get("age", 50)),
            "faults": found.get("faults", "").split(), "verdict": {"word": "judged", "text": "DATA FAULT in age"},
            "retrain": {"suggested": yes, "reasons": ["drifted_columns: it moved"] if yes else [], "rules": {}}}
pathlib.Path(sys.argv[1]).write_text(json.dumps(document))
"""
# What a package of ours does not have is looked for in the real one.
SHARED = "from pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n"
FILES = {
    "dvc.yaml": PIPELINE,
    "params.yaml": PARAMS + "prepare:\n  as_of: # a day\n",
    "champion.yaml": CHAMPION,
    "tasks/churn/task.yaml": TASK,
    SOURCE: "strength=1\ndrift=no\n",
    "ops/__init__.py": SHARED,
    "ops/retrain/__init__.py": SHARED,
    "ops/retrain/judgement.py": JUDGEMENT,
}
FULLER = '"champion": 0.8, "challenger": 0.8 + gain, "verdict": "better" if gain > 0.005 else "worse", '


def retraining_toy(base: Path) -> Path:
    """Return the project in a folder that is made; its git remote is a bare repository beside it."""
    folder = toy(base)
    shutil.rmtree(folder / "metrics")
    script = STAGES.join(_cut(SCRIPT, "def train():", "def champion():"))
    files = {**FILES, "toy.py": script.replace('"difference": gain,', f'{FULLER}"difference": gain,')}
    files["toy.py"] = files["toy.py"].replace('"failed": failed}', '"failed": failed, "gates": []}')
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / ".gitignore").write_text("/models\n/data/raw\n/data/features\n/data/predictions\n__pycache__\n")
    run_and_commit(folder, "Take data in")
    return folder


def new_data(folder: Path, **lines: object) -> Path:
    """Return a file of new data beside the project."""
    path = folder.parent / "rows.txt"
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return path


def retrain(folder: Path, *arguments: str, **environment: str) -> CompletedProcess[str]:
    """Run the verb to its end."""
    with started(folder, *arguments, **environment) as process:
        out, error = process.communicate()
    return CompletedProcess(process.args, process.returncode, out, error)


def started(folder: Path, *arguments: str, **environment: str) -> "Popen[str]":
    """Start the verb."""
    return Popen(
        ["python", "-P", "-m", "ops", "retrain", *arguments],
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT), **environment},
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    )


@dataclass
class Stopped:
    """A run that is to be stopped, and what it had said before."""

    process: "Popen[str]"
    said: str


@contextmanager
def stopped_at(
    folder: Path, line: str, *arguments: str, by: signal.Signals = signal.SIGKILL, **environment: str
) -> Iterator[Stopped]:
    """Yield when the verb has said a line; stop it at the end of the block."""
    process, said = started(folder, *arguments, **environment), []
    for printed in process.stderr or ():
        said.append(printed)
        if line in printed:
            break
    else:
        raise AssertionError(f"it never said {line!r}: {''.join(said)}")
    try:
        yield Stopped(process, "".join(said))
    finally:
        process.send_signal(by)
        process.communicate()


def _cut(text: str, start: str, end: str) -> list[str]:
    return [text[: text.index(start)], text[text.index(end) :]]

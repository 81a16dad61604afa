"""A DVC repository of four small stages, shaped like the real one."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.project import ROOT, run

PIPELINE = """\
stages:
  make:
    cmd: python -m stages.make
    params: [seed]
    deps: [data/source, stages/make.py]
    outs:
      - data/made
    metrics:
      - metrics/make.json: {cache: false}
  fit:
    foreach: ${candidates}
    do:
      cmd: python -m stages.fit ${key}
      params: ["candidates.${key}"]
      deps: [data/made/left.txt, stages/fit.py]
      outs:
        - models/${key}
      metrics:
        - metrics/fit/${key}.json: {cache: false}
  choose:
    cmd: python -m stages.choose
    deps: [models, stages/choose.py]
    outs:
      - chosen.txt
      - plots/choose: {cache: false}
  tell:
    cmd: python -m stages.tell
    params: [told]
    deps: [chosen.txt, data/made/right.txt, plots/choose/high.csv, stages/tell.py]
    metrics:
      - metrics/tell.json: {cache: false}
"""
PARAMS: dict[str, Any] = {
    "seed": 3,
    "candidates": {"low": {"weight": 1}, "mid": {"weight": 5}, "high": {"weight": 9}},
    "told": "well",
}
# Every stage leaves its name in a log that DVC does not see, so that a test can tell what ran.
HEAD = """\
import json
import sys
import time
from pathlib import Path


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def settings():
    return json.loads(Path("params.yaml").read_text())


with open("ran.log", "a") as log:
    log.write(" ".join([Path(sys.argv[0]).stem, *sys.argv[1:]]) + "\\n")
"""
STAGES = {
    "make": """
seed = settings()["seed"]
source = Path("data/source/rows.txt").read_text()
write("data/made/left.txt", f"{source} {seed % 2}\\n")
write("data/made/right.txt", f"{source} {seed}\\n")
write("metrics/make.json", json.dumps({"seed": seed}) + "\\n")
""",
    "fit": """
name = sys.argv[1]
weight = settings()["candidates"][name]["weight"]
left = Path("data/made/left.txt").read_text()
write(f"models/{name}/model.txt", f"{weight} {left}")
write(f"metrics/fit/{name}.json", json.dumps({"weight": weight}) + "\\n")
""",
    "choose": """
while Path("hold").exists():
    time.sleep(0.05)
if Path("broken").exists():
    raise SystemExit("no more ink")
models = {path.parent.name: path.read_text() for path in sorted(Path("models").glob("*/model.txt"))}
best = max(models, key=lambda name: int(models[name].split()[0]))
write("chosen.txt", f"{best} {models[best]}")
for name, text in models.items():
    write(f"plots/choose/{name}.csv", text)
""",
    "tell": """
chosen = Path("chosen.txt").read_text().split()[0]
right = Path("data/made/right.txt").read_text()
write("metrics/tell.json", json.dumps({"chosen": chosen, "right": right, "told": settings()["told"]}) + "\\n")
""",
}
IGNORED = "/data/made\n/models\n/chosen.txt\n/ran.log\n/hold\n/broken\n/.venv\n__pycache__/\n"


def make_four_stages(folder: Path) -> Path:
    """Return the repository with its stages run, committed on branch main, and pushed to its default remote."""
    (folder / ".dvc").mkdir(parents=True)
    for name in (".dvc/config", ".dvc/.gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, folder / name)
    for name, body in STAGES.items():
        write(folder / f"stages/{name}.py", HEAD + body)
    write(folder / "stages/__init__.py", "")
    write(folder / "data/source/rows.txt", "rows")
    write(folder / "dvc.yaml", PIPELINE)
    write(folder / ".gitignore", IGNORED)
    set_params(folder, PARAMS)
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    repro(folder)
    commit(folder, "start")
    run(["dvc", "push", "--quiet"], cwd=folder)
    return folder


def copy_of(made: Path, folder: Path) -> Path:
    """Return a private copy."""
    shutil.copytree(made, folder, symlinks=True)
    return folder


def write(path: Path, text: str) -> None:
    """Write a file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def set_params(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write params.yaml as JSON, which is YAML too; blank lines keep git from calling neighbours a conflict."""
    write(folder / "params.yaml", json.dumps(settings, indent=1).replace("\n", "\n\n\n\n") + "\n")


def repro(folder: Path) -> list[str]:
    """Run what must run; return which stages did."""
    (folder / "ran.log").unlink(missing_ok=True)
    run(["dvc", "repro", "--quiet"], cwd=folder)
    return ran(folder)


def ran(folder: Path) -> list[str]:
    """Return the stages that ran since the log was last removed."""
    log = folder / "ran.log"
    return log.read_text().splitlines() if log.exists() else []


def commit(folder: Path, message: str) -> None:
    """Commit every change and every new file."""
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "-m", message], cwd=folder)


def call(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a verb of ours in that folder; return its exit code and what it printed."""
    done = run(["python", "-m", "ops", *arguments], cwd=folder, check=False, environment={"PYTHONPATH": str(ROOT)})
    return done.returncode, done.stdout, done.stderr

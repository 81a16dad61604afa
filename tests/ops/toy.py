"""A repository of three trivial stages with the files that a registry needs."""

import atexit
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import mkdtemp

from click.testing import CliRunner

from lab.core.errors import LabError
from ops.__main__ import application
from tests.project import QUIET, ROOT, run

Done = CompletedProcess[str]
PIPELINE = """\
stages:
  train:
    cmd: python toy.py train
    params: [strength]
    deps: [toy.py]
    outs: [models/challenger]
  champion:
    cmd: python toy.py champion
    deps: [toy.py, champion.yaml]
    outs: [models/champion]
  evaluate:
    cmd: python toy.py evaluate
    deps: [toy.py, models/challenger, models/champion]
    outs: [data/predictions]
    metrics:
      - metrics/validate.json: {cache: false}
      - metrics/abtest.json: {cache: false}
artifacts:
  churn: {path: models/champion, type: model}
  other: {path: models/champion, type: model}
"""
PARAMS = """\
task: churn
strength: 2
promote:
  metric: roc_auc
  least_gain: 0.01
"""
CHAMPION = """\
# Who is champion of which task.
default:
  version: 1
  estimator: weak
  settings: {strength: 1}
# A neighbour, whose every byte must stay.
other: {version: 7,   estimator: weak}   # as it was
"""
IGNORED = "/models\n/data\n__pycache__\n"
# A model is its strength: the better of two is the stronger one, by a hundredth a point.
SCRIPT = """\
import hashlib, json, os, pathlib, sys, time

def model(name, specification):
    folder = pathlib.Path("models", name)
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps([specification["estimator"], specification["settings"]]).encode()
    (folder / "pipeline.skops").write_bytes(content)
    folds = {"horizon_days": 60, "kind": "time", "reason": "", "group": None}
    inputs = {"features": {"age": {"kind": "number"}}, "folds": folds, "groups": [], "moment": "moment", "positive": 1,
              "question": "?", "unit": ["id"]}
    training = {"rows": 9, "positives": 4, "first_moment": "2025-01-01T00:00:00",
                "last_moment": "2025-03-02T00:00:00", "fingerprint": "0"}
    manifest = {"specification": specification, "inputs": inputs, "threshold": 0.5, "threshold_rule": "fixed",
                "calibration": "none", "training": training, "folds": [], "libraries": {},
                "files": {"pipeline.skops": hashlib.sha256(content).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps(manifest, sort_keys=True))

def yaml(name):
    from ruamel.yaml import YAML
    return YAML(typ="safe").load(pathlib.Path(name))

def train():
    model("challenger", {"estimator": "strong", "settings": {"strength": yaml("params.yaml")["strength"]}})

def champion():
    file = yaml("champion.yaml")
    entry = file.get("churn", file["default"])
    if "TOY_FAILS" in os.environ:
        sys.exit("the champion could not be fitted")
    if "TOY_WAITS" in os.environ:
        time.sleep(600)
    estimator = entry["estimator"] + os.environ.get("TOY_DIFFERS", "")
    model("champion", {"estimator": estimator, "settings": entry["settings"]})

def strength(name):
    return json.loads(pathlib.Path("models", name, "pipeline.skops").read_text())[1]["strength"]

def evaluate():
    import pyarrow as pa, pyarrow.parquet as pq
    both = {name: strength(name) for name in ("champion", "challenger")}
    folder = pathlib.Path("data/predictions")
    folder.mkdir(parents=True, exist_ok=True)
    for window in ("train", "test", "current"):
        columns = {f"{name}_score": [value / 100, value / 1000] for name, value in both.items()}
        pq.write_table(pa.table({"id": [1, 2], "label": [0, 1], **columns}), folder / f"{window}.parquet")
    gain = (both["challenger"] - both["champion"]) / 100 + (0.01 if both["challenger"] > both["champion"] else 0)
    row = {"metric": "roc_auc", "difference": gain, "low": gain - 0.005, "high": gain + 0.005}
    failed = ["accuracy"] if both["challenger"] == 13 else []
    pathlib.Path("metrics").mkdir(exist_ok=True)
    pathlib.Path("metrics/validate.json").write_text(json.dumps({"passed": not failed, "failed": failed}))
    pathlib.Path("metrics/abtest.json").write_text(json.dumps({"offline": {"test": [row]}}))

globals()[sys.argv[1]]()
"""


@cache
def _made() -> Path:
    """Return the folder of the toy, made once a process: the project, a bare git remote and a DVC remote beside it."""
    base = Path(mkdtemp(prefix="toy-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    folder = base / "project"
    files = {
        "dvc.yaml": PIPELINE,
        "params.yaml": PARAMS,
        "champion.yaml": CHAMPION,
        "toy.py": SCRIPT,
        ".gitignore": IGNORED,
        ".gto": (ROOT / ".gto").read_text(),
        ".dvc/config": "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", "origin.git"], cwd=base)
    run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=folder)
    run(["git", "remote", "add", "origin", "../origin.git"], cwd=folder)
    run_and_commit(folder, "start")
    run(["git", "push", "--quiet", "--set-upstream", "origin", "main"], cwd=folder)
    assert_done(call(folder, "promote", "--register", "--push"))
    return base


@cache
def _changed(*verb: str) -> Path:
    base = Path(mkdtemp(prefix="toy-")) / "base"
    atexit.register(shutil.rmtree, base.parent, ignore_errors=True)
    assert_done(call(toy(base), *verb))
    return base


@cache
def _rolled_back() -> Path:
    base = Path(mkdtemp(prefix="toy-")) / "base"
    atexit.register(shutil.rmtree, base.parent, ignore_errors=True)
    assert_done(call(promoted_toy(base), "rollback", "--because", "complaints", "--push"))
    return base


def toy(base: Path) -> Path:
    """Return a private toy in a folder that is made: version 1 is registered, and its challenger is the better one."""
    shutil.copytree(_made(), base)
    return base / "project"


def promoted_toy(base: Path) -> Path:
    """Return a private toy whose challenger has become version 2; all of it is pushed."""
    shutil.copytree(_changed("promote", "--push"), base)
    return base / "project"


def proposed_toy(base: Path) -> Path:
    """Return a private toy whose challenger has become version 2 in a commit that nobody else has."""
    shutil.copytree(_changed("promote", "--propose"), base)
    return base / "project"


def rolled_back_toy(base: Path) -> Path:
    """Return a private toy after a promotion and a rollback; all of it is pushed."""
    shutil.copytree(_rolled_back(), base)
    return base / "project"


def clone_of(base: Path, name: str, *, pulled: bool = True) -> Path:
    """Return another clone of a toy's git remote, beside the first one; it has its data where it was pulled."""
    run(["git", "clone", "--quiet", "origin.git", name], cwd=base)
    run(["git", "remote", "set-url", "origin", "../origin.git"], cwd=base / name)
    if pulled:
        run(["dvc", "pull", "--quiet"], cwd=base / name)
    return base / name


def run_and_commit(folder: Path, message: str) -> None:
    """Run what is stale, push its objects and commit everything."""
    run(["dvc", "repro", "--quiet"], cwd=folder)
    run(["dvc", "push", "--quiet"], cwd=folder)
    commit(folder, message)


def commit(folder: Path, message: str) -> str:
    """Commit everything, and return the commit."""
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", message], cwd=folder)
    return output(folder, "git", "rev-parse", "HEAD")


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def output(folder: Path, *command: str) -> str:
    return run([*command], cwd=folder).stdout.strip()


def ops(folder: Path, *arguments: str, **environment: str) -> Done:
    """Run a verb in a folder, as a process of its own."""
    return run(
        ["python", "-m", "ops", *arguments],
        cwd=folder,
        check=False,
        environment={"PYTHONPATH": str(ROOT), **environment},
    )


def call(folder: Path, *arguments: str, **environment: str) -> Done:
    """Run a verb in a folder within this process, which is quicker; it ends as the process would."""
    before = dict(os.environ)
    os.environ.update({**QUIET, **environment})
    try:
        with chdir(folder):
            done = CliRunner().invoke(application, arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
    if isinstance(done.exception, LabError):
        return Done(arguments, 2, done.stdout, str(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(arguments, done.exit_code, done.stdout, done.stderr)


def together(*calls: tuple[Path, tuple[str, ...], dict[str, str]]) -> list[Done]:
    """Run verbs at the same time, each with its environment, and return what each did."""
    with ThreadPoolExecutor(len(calls)) as pool:
        waiting = [pool.submit(ops, folder, *arguments, **more) for folder, arguments, more in calls]
        return [each.result() for each in waiting]


def assert_done(done: Done) -> Done:
    assert done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def state_of(folder: Path) -> tuple[str, ...]:
    """Return all that a failed verb must leave as it was: branch, commit, changes, tags and the champion's bytes."""
    return (
        output(folder, "git", "rev-parse", "--abbrev-ref", "HEAD"),
        output(folder, "git", "rev-parse", "HEAD"),
        output(folder, "git", "status", "--porcelain"),
        output(folder, "git", "show-ref", "--tags"),
        (folder / "models/champion/pipeline.skops").read_text(),
    )

"""A user's mistake gives one message; a stopped run keeps the last good outputs."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.core.command import RESTORE
from lab.core.tables import write_table
from tests.history import copy_of_history
from tests.project import OWN, QUIET, ROOT, change_params, copy_project, files_below, run, stage
from tests.retail import shop_tables

TASK = "tasks/churn/task.yaml"
SMALL, LARGE = 4_000, 1_500_000


def lay_out(folder: Path, *, sales: int = SMALL) -> Path:
    """Return a folder with the code, the churn task and raw tables, ready for the stage prepare."""
    for source in (ROOT / "lab", ROOT / "stages", OWN / "tasks"):
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(OWN / "params.yaml", folder / "params.yaml")
    tables = shop_tables(customers=200, sales=sales, seed=5)
    for name, table in tables.items():
        write_table(table, folder / f"data/raw/{name}.parquet")
    stage("task", cwd=folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepared = lay_out(tmp_path)
    stage("prepare", cwd=prepared)
    stage("featurize", cwd=prepared)
    return prepared


def refused(name: str, folder: Path) -> str:
    """Run a stage that must fail; return its message, and check that no output changed."""
    before = {part: files_below(folder / part) for part in ("data/prepared", "data/features", "metrics", "plots")}
    done = stage(name, cwd=folder, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert before == {part: files_below(folder / part) for part in before}
    assert list((folder / "data").glob(".*")) == []
    return done.stderr


def spoil(relative: str, content: bytes | None) -> Callable[[Path], None]:
    """Return a function that overwrites or removes a file."""

    def happen(folder: Path) -> None:
        if content is None:
            (folder / relative).unlink()
        else:
            (folder / relative).write_bytes(content)

    return happen


def write_over(relative: str, old: str, new: str) -> Callable[[Path], None]:
    def happen(folder: Path) -> None:
        text = (folder / relative).read_text()
        assert old in text
        (folder / relative).write_text(text.replace(old, new, 1))

    return happen


def empty_the_sales(folder: Path) -> None:
    write_table(shop_tables(customers=200, sales=10, seed=5)["sales"].slice(0, 0), folder / "data/raw/sales.parquet")


@pytest.mark.parametrize(
    ("name", "mishap", "message"),
    [
        ("prepare", spoil("data/raw/stores.parquet", None), "data/raw lacks the tables ['stores']"),
        ("prepare", spoil("data/raw/sales.parquet", b"not a table"), "data/raw/sales.parquet cannot be read"),
        ("prepare", spoil("data/raw/sales.parquet", b""), "data/raw/sales.parquet cannot be read"),
        ("prepare", empty_the_sales, "sales.(table): minimum_rows 500: found 0 of 0 rows"),
        ("prepare", spoil("data/task/tables.json", None), "data/task/tables.json is missing"),
        ("prepare", spoil("params.yaml", None), "params.yaml is missing"),
        ("prepare", spoil("params.yaml", b"prepare: {as_of: ["), "params.yaml is not YAML"),
        ("prepare", spoil("params.yaml", b"- 1"), "params.yaml contains a list"),
        ("prepare", write_over("params.yaml", "prepare:", "prepair:"), "params.yaml has unknown keys ['prepair']"),
        ("prepare", write_over("params.yaml", "as_of: null", "as_of: soon"), "prepare.as_of"),
        ("prepare", write_over("params.yaml", "as_of: null", "asof: null"), "prepare.asof: Extra inputs"),
        (
            "featurize",
            write_over("params.yaml", "high_missing_share: 0.6", "high_missing_share: 6"),
            "less than or equal",
        ),
        ("featurize", write_over("params.yaml", "seed: ", "seed: x"), "params.yaml: seed is 'x"),
        ("featurize", spoil("data/prepared/windows.json", None), "data/prepared/windows.json is missing"),
        (
            "task",
            write_over("params.yaml", "task: churn", "task: nothing"),
            "expected one of the tasks ['churn', 'high_value_sale', 'table']",
        ),
        ("task", write_over(TASK, "money:", "monney:"), "monney: Extra inputs are not permitted"),
        ("task", write_over(TASK, "kind: time", "kind: tide"), "split"),
        (
            "task",
            write_over(TASK, "type: boolean", "type: bool"),
            "tables.customers.columns.senior.type",
        ),
    ],
)
def test_a_mistake_gives_one_message_and_exit_2(
    name: str, mishap: Callable[[Path], None], message: str, folder: Path
) -> None:
    mishap(folder)
    assert message in refused(name, folder)


def test_several_mistakes_in_a_task_file_are_reported_at_once(folder: Path) -> None:
    write_over(TASK, "type: boolean", "type: bool")(folder)
    write_over(TASK, "benefit_of_true_positive: ", "benefit_of_true_positive: -")(folder)
    message = refused("task", folder)
    assert "tables.customers.columns.senior.type" in message
    assert "money.benefit_of_true_positive" in message


def start_and_wait_for(name: str, sign: str, folder: Path) -> subprocess.Popen[str]:
    """Start a stage, and return when it has written a partial output."""
    process = subprocess.Popen(
        ["python", "-m", f"stages.{name}"],
        cwd=folder,
        env=QUIET,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob(sign)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None, "the stage was over before it could be stopped"
    return process


def stopped_midway(folder: Path, how: signal.Signals) -> tuple[dict[str, bytes], subprocess.Popen[str], str]:
    """Return the last good outputs, the stopped process and its message; retry when it ends too early."""
    for _ in range(5):
        write_table(shop_tables(customers=200, sales=SMALL, seed=5)["sales"], folder / "data/raw/sales.parquet")
        stage("prepare", cwd=folder)
        good = files_below(folder / "data/prepared")
        shutil.copy2(folder / "large/sales.parquet", folder / "data/raw/sales.parquet")
        process = start_and_wait_for("prepare", "data/.prepared.partial/.sales.parquet.partial", folder)
        process.send_signal(how)
        _, message = process.communicate(timeout=60)
        if process.returncode != 0:
            break
    return good, process, message


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_keeps_the_last_good_outputs_and_the_next_succeeds(
    how: signal.Signals, code: int, tmp_path: Path
) -> None:
    folder = lay_out(tmp_path, sales=LARGE)
    shutil.copytree(folder / "data/raw", folder / "large")
    good, process, message = stopped_midway(folder, how)
    assert process.returncode == code
    assert files_below(folder / "data/prepared") == good
    if how is signal.SIGINT:
        assert message == f"Interrupted: `dvc repro` continues from here; {RESTORE}.\n"
    stage("prepare", cwd=folder)
    assert files_below(folder / "data/prepared") != good
    assert [path.name for path in (folder / "data").iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_keeps_the_last_good_outputs(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, sales=LARGE // 10)
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if run([*mount, "mount -t tmpfs tmpfs data"], cwd=folder, check=False).returncode != 0:
        pytest.skip("no small disk can be mounted here: unshare is absent or forbidden")
    script = (
        "cp -r data kept && mount -t tmpfs -o size=3M tmpfs data && cp -r kept/* data && mkdir data/prepared "
        "&& echo good > data/prepared/windows.json && dd if=/dev/zero of=data/filler bs=1k count=900 2>/dev/null; "
        "python -m stages.prepare; echo code $?; cat data/prepared/windows.json; ls -A data"
    )
    done = run([*mount, script], cwd=folder)
    assert "no space left on the disk" in done.stderr
    assert done.stdout.split() == ["code", "1", "good", "filler", "pages", "prepared", "raw", "task"]


def test_dvc_and_the_stages_read_params_alike(folder: Path) -> None:
    change_params(folder, {"seed": 12})
    run(["git", "init", "--quiet"], cwd=folder)
    run(["dvc", "init", "--quiet"], cwd=folder)
    (folder / "params.yaml").write_text("a: 1e-3\nb: yes\nc: 012\nd: 1_000\ne: 0o14\nf: 12:30:45\n")
    ours = (
        "from lab.core.yaml_files import read_yaml; from pathlib import Path; "
        "print(read_yaml(Path('params.yaml'), cure=''))"
    )
    theirs = "import dvc.api; print(dvc.api.params_show())"
    assert run(["python", "-c", ours], cwd=folder).stdout == run(["python", "-c", theirs], cwd=folder).stdout


@pytest.mark.slow
def test_a_killed_pipeline_resumes(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    process = subprocess.Popen(
        ["dvc", "repro", "--quiet"],
        cwd=project,
        env=QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not (project / "data/features/schema.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    listed = run(["git", "status", "--porcelain"], cwd=project).stdout
    assert "data/" not in listed
    done = run(["dvc", "repro", "featurize", "experiment"], cwd=project)
    assert "Stage 'ingest' didn't change, skipping" in done.stdout
    assert "Running stage 'experiment'" in done.stdout
    assert run(["dvc", "status", "--quiet", "featurize", "experiment"], cwd=project, check=False).returncode == 0


@pytest.mark.slow
def test_a_failed_pipeline_names_the_command_that_restores_the_last_good_outputs(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = copy_of_history(tmp_path_factory, tmp_path / "project")
    parts = ("data", "models", "metrics", "plots")
    good = {part: files_below(project / part) for part in parts}
    change_params(project, {"train.candidates.forest.estimator": "random_wood", "seed": 77})
    failed = run(["dvc", "repro"], cwd=project, check=False)
    assert failed.returncode != 0
    assert "random_wood" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "python -m ops restore" in failed.stderr
    run(["python", "-m", "ops", "restore"], cwd=project)
    assert files_below(project / "models/candidates/forest") == {
        name.removeprefix("candidates/forest/"): content
        for name, content in good["models"].items()
        if name.startswith("candidates/forest/")
    }
    assert files_below(project / "models/challenger")
    change_params(project, {"train.candidates.forest.estimator": "random_forest", "seed": 2024})
    run(["dvc", "repro", "--quiet"], cwd=project)
    assert good == {part: files_below(project / part) for part in parts}

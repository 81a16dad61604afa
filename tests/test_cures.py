"""Every printed cure is applied by a test, or listed as not yet applied."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lab.card.data_files import read_data_files
from lab.compile.write import save_both_forms
from lab.compiled.files import read_compiled
from lab.core.errors import LabError
from lab.core.params import load_seed
from lab.core.recording import recorded
from lab.core.tables import read_table, write_table
from lab.engine.engine import connected, one_row
from lab.model_files.manifest import read_manifest
from lab.task.schema import read_task
from lab.train.champion import read_champion
from ops.dvc.pipeline import read_stages
from tests.cures import applied, apply_cure, cure_in, cures
from tests.fitted import model_of
from tests.lab.abtest.logs import drawn
from tests.ops.toy import call
from tests.project import ROOT, run
from tests.tables import feature_rows

LIST = Path(__file__).parent / "cures_not_applied.txt"
MOST = 119  # may only be lowered


def test_a_cure_is_applied_by_a_test_or_listed_and_the_list_does_not_grow() -> None:
    listed = LIST.read_text(encoding="utf-8").splitlines()
    assert sorted(set(cures()) - applied()) == listed, "apply the new cure in a test; delete the lines of applied ones"
    assert len(listed) <= MOST


def test_a_message_must_print_the_command_that_is_run(tmp_path: Path) -> None:
    key = "ops/deps.py: python -m ops deps --write"
    with pytest.raises(AssertionError, match="does not print"):
        cure_in("Cure: dvc repro", of=key)
    with pytest.raises(AssertionError, match="which does not print 'make format'"):
        apply_cure("Cure: python -m ops deps --write", "make format", of=key, cwd=tmp_path)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository in which git keeps settings, and DVC a model and a table; it is the working directory."""
    (tmp_path / "model").mkdir()
    rows = feature_rows(np.random.default_rng(1), 20)
    save_both_forms(model_of("logistic_regression"), rows, tmp_path / "model")
    write_table(rows, tmp_path / "tables/rows.parquet")
    for name in ("params.yaml", "champion.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for command in ("git init -q", "dvc init -q", "dvc add -q model tables", "git add --all", "git commit -qm start"):
        run(command.split(), cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def count_rows() -> int:
    with connected({"rows": Path("tables/rows.parquet")}, scratch=Path(".spill"), numbered=False) as connection:
        return int(one_row(connection, "select count(*) from rows")[0])


DAMAGED = [
    ("model/pipeline.skops", lambda: read_manifest(Path("model")), "lab/model_files/manifest.py"),
    ("model/compiled.npz", lambda: read_compiled(Path("model")), "lab/compiled/files.py"),
    ("tables/rows.parquet", lambda: read_table(Path("tables/rows.parquet")), "lab/core/tables.py"),
    ("tables/rows.parquet", count_rows, "lab/engine/engine.py"),
    ("tables/rows.parquet", lambda: read_data_files([Path("tables")]), "lab/card/data_files.py"),
]
KEYS = {
    "lab/model_files/manifest.py: `dvc checkout --force` restores it, `dvc repro --force` comp",
    "lab/compiled/files.py: `dvc checkout --force` restores it, `dvc repro --force` comp",
    "lab/core/tables.py: `dvc checkout --force` restores it, `dvc repro --force` comp",
    "lab/engine/engine.py: `dvc checkout --force` restores it, `dvc repro --force` comp",
    "lab/card/data_files.py: `dvc checkout --force` restores it, `dvc repro --force` comp",
}


@pytest.mark.parametrize(("path", "read", "module"), DAMAGED, ids=[module for *_, module in DAMAGED])
def test_a_damaged_output_comes_back(kept: Path, path: str, read: Callable[[], object], module: str) -> None:
    (key,) = (key for key in KEYS if key.startswith(module))
    read()
    Path(path).chmod(0o644)
    Path(path).write_bytes(b"damaged")
    with pytest.raises(LabError) as refused:
        read()
    apply_cure(str(refused.value), "dvc checkout --force", of=key, cwd=kept)
    read()


MISSING = [
    ("params.yaml", load_seed, "lab/core/params.py: Run from the root of the repository, or restore it: git chec"),
    ("champion.yaml", lambda: read_champion("churn"), "lab/train/champion.py: Restore it: git checkout champion.yaml"),
    ("dvc.yaml", lambda: read_stages(Path()), "ops/dvc/pipeline.py: Bring it back: git checkout dvc.yaml"),
]


@pytest.mark.parametrize(("path", "read", "key"), MISSING, ids=[path for path, *_ in MISSING])
def test_a_missing_file_of_git_comes_back(kept: Path, path: str, read: Callable[[], object], key: str) -> None:
    Path(path).unlink()
    with pytest.raises(LabError) as refused:
        read()
    apply_cure(str(refused.value), f"git checkout {path}", of=key, cwd=kept)
    read()


WRONG = [
    (
        "params.yaml",
        "seeds: 1",
        load_seed,
        "lab/core/params.py: Compare it with the committed file: git diff params.yaml",
    ),
    (
        "champion.yaml",
        "default: {version: 0}",
        lambda: read_champion("churn"),
        "lab/train/champion.py: Compare it with the committed file: git diff champion.yaml",
    ),
]


@pytest.mark.parametrize(("path", "line", "read", "key"), WRONG, ids=[path for path, *_ in WRONG])
def test_a_wrong_setting_is_shown(kept: Path, path: str, line: str, read: Callable[[], object], key: str) -> None:
    Path(path).write_text(f"{line}\n")
    with pytest.raises(LabError) as refused:
        read()
    shown = apply_cure(str(refused.value), f"git diff {path}", of=key, cwd=kept)
    assert f"+{line}" in shown.stdout


def test_a_repository_without_a_commit_gets_its_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(["git", "init", "--quiet"], cwd=tmp_path)
    Path("file").write_text("")

    def record() -> None:
        with recorded(metrics=Path("metrics.json"), plots=Path("plots"), compared=()):
            pass

    with pytest.raises(LabError) as refused:
        record()
    command = "git add -A && git commit -m 'First commit'"
    apply_cure(
        str(refused.value),
        command,
        of="lab/core/recording.py: git add -A && git commit -m 'First commit'",
        cwd=tmp_path,
    )
    record()


def test_missing_tables_come_back(kept: Path) -> None:
    shutil.rmtree("tables")
    with pytest.raises(LabError, match="tables has no Parquet file") as refused:
        read_data_files([Path("tables")])
    key = "lab/card/data_files.py: dvc checkout {}, or dvc repro"
    apply_cure(str(refused.value), "dvc checkout tables", of=key, cwd=kept)
    assert [file.path for file in read_data_files([Path("tables")])] == ["tables/rows.parquet"]


def test_an_old_task_file_is_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tasks").mkdir()
    Path("tasks/churn.yaml").write_bytes((ROOT / "tests/own/tasks/table/task.yaml").read_bytes())
    with pytest.raises(LabError) as refused:
        read_task("churn")
    key = "lab/task/schema.py: python -m ops init --move {}"
    apply_cure(str(refused.value), "python -m ops init --move churn", of=key, cwd=tmp_path)
    assert read_task("churn").features


def test_a_missing_task_is_written_for_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tasks").mkdir()
    Path("params.yaml").write_bytes((ROOT / "tests/own/params.yaml").read_bytes())
    Path("mine.csv").write_text("id,age,left\n" + "".join(f"{n},{n % 37},{n % 2}\n" for n in range(400)))
    with pytest.raises(LabError) as refused:
        read_task("mine")
    key = "lab/task/schema.py: choose one of them, or write one for your table: python -m o"
    command, fill = "python -m ops init FILE --target COLUMN", {"FILE": "mine.csv", "COLUMN": "left"}
    apply_cure(str(refused.value), command, of=key, cwd=tmp_path, fill=fill)
    assert read_task("mine").features


HELP = [
    (
        ("abtest", "--log", "log.csv", "--primary", "a", "--guardrail", "b"),
        "ops/abtest/command.py: see python -m ops abtest --help",
    ),
    (("plan", "--from", "0.1"), "ops/plan.py: see python -m ops plan --help"),
]


@pytest.mark.parametrize(("words", "key"), HELP, ids=[words[0] for words, _ in HELP])
def test_help_that_a_message_names_is_there(tmp_path: Path, words: tuple[str, ...], key: str) -> None:
    done = call(tmp_path, *words)
    assert done.returncode == 2
    shown = apply_cure(done.stderr, f"python -m ops {words[0]} --help", of=key, cwd=tmp_path)
    assert shown.stdout.startswith(f"Usage: python -m ops {words[0]}")


def write_logs() -> None:
    """Write logs of an experiment, and a table to describe, into the working directory."""
    drawn(200).to_csv("log.csv", index=False)
    drawn(200).rename(columns={"customer_id": "whom"}).to_csv("nobody.csv", index=False)
    drawn(200, arms=("x", "y")).to_csv("letters.csv", index=False)
    drawn(200, arms=("old",)).to_csv("one_arm.csv", index=False)
    drawn(200).assign(arm=lambda frame: frame.index.astype(str)).assign(group=drawn(200)["arm"]).to_csv(
        "many_arms.csv", index=False
    )
    Path("units.txt").write_text("17\n")
    Path("tasks").mkdir()
    Path("params.yaml").write_bytes((ROOT / "tests/own/params.yaml").read_bytes())
    for name, classes in (("two.csv", 2), ("three.csv", 3)):
        lines = (f"{n},{n % 37},c{n % classes}\n" for n in range(600))
        Path(name).write_text("id,age,left\n" + "".join(lines))


LOG = ("abtest", "--primary", "stayed")
ASSIGN = ("assign", "--salt", "s")
ARMS = ("--arm", "A", "--arm", "B")
# Each line: the words that are refused, the cure, and the words that the cure adds.
OPTIONS = [
    (
        ("abtest", "--log", "log.csv", "--control", "old"),
        "ops/abtest/command.py: --primary COLUMN",
        ("--primary", "stayed"),
    ),
    ((*LOG, "--log", "letters.csv"), "ops/abtest/infer_design.py: --control ARM", ("--control", "x")),
    (
        (*LOG, "--log", "nobody.csv", "--control", "old"),
        "ops/abtest/infer_design.py: {} COLUMN",
        ("--unit", "whom"),
    ),
    (
        (*LOG, "--log", "many_arms.csv", "--control", "old"),
        "ops/abtest/infer_design.py: --arm COLUMN",
        ("--arm", "group"),
    ),
    (
        (*LOG, "--log", "one_arm.csv", "--control", "old"),
        "ops/abtest/infer_design.py: give all planned arms, also those without units: --weight co",
        ("--weight", "old=1", "--weight", "new=1"),
    ),
    ((*ASSIGN, "--arm", "C", "17"), "ops/assign.py: --arm A --arm B", ARMS),
    ((*ASSIGN, *ARMS), "ops/assign.py: name units, or --file FILE with one per line", ("--file", "units.txt")),
    ((*ASSIGN, *ARMS), "ops/assign.py: name units, or --file FILE with one per line", ("17",)),
    (
        ("init", "three.csv", "--target", "left"),
        "ops/init/target.py: --positive VALUE, for that class against all others.",
        ("--positive", "c1"),
    ),
    (
        ("init", "two.csv", "--target", "left", "--positive", "c9"),
        "ops/init/target.py: correct --positive.",
        ("--positive", "c1"),
    ),
]


@pytest.mark.parametrize(("words", "key", "more"), OPTIONS)
def test_an_option_that_a_message_names_is_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], key: str, more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_logs()
    refused = call(tmp_path, *words)
    assert refused.returncode == 2
    cure = cure_in(refused.stderr, of=key)
    assert more[0] in cure or more == ("17",)
    cured = call(tmp_path, *words, *more)
    assert cured.returncode in {0, 1}, cured.stderr
    assert cured.stdout


def test_a_task_that_is_there_is_written_under_another_name_or_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_logs()
    words = ("init", "two.csv", "--target", "left")
    assert call(tmp_path, *words).returncode == 0
    cure = cure_in(
        call(tmp_path, *words).stderr, of="ops/init/new_task.py: --name ANOTHER, or --force to overwrite it."
    )
    for option in (("--name", "another"), ("--force",)):
        assert option[0] in cure
        assert call(tmp_path, *words, *option).returncode == 0


PLACES = [
    (("init", ".", "--target", "left"), "ops/init/new_task.py: name one file in it.", "two.csv"),
    (("init", "tow.csv", "--target", "left"), "ops/init/new_task.py: correct the path.", "two.csv"),
    ((*ASSIGN, *ARMS, "--file", "nuits.txt"), "ops/assign.py: check the path.", "units.txt"),
    ((*LOG, "--control", "old", "--log", "lgo.csv"), "lab/experiment/log.py: check the path.", "log.csv"),
    ((*LOG, "--control", "old", "--log", "units.txt"), "lab/experiment/log.py: convert it.", "log.csv"),
]


@pytest.mark.parametrize(("words", "key", "right"), PLACES)
def test_another_path_is_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], key: str, right: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_logs()
    refused = call(tmp_path, *words)
    assert refused.returncode == 2
    cure_in(refused.stderr, of=key)
    cured = call(
        tmp_path, *(right if word in {".", "tow.csv", "nuits.txt", "lgo.csv", "units.txt"} else word for word in words)
    )
    assert cured.returncode in {0, 1}, cured.stderr

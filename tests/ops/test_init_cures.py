"""What `init` refuses is accepted once the cure that it prints is applied."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.repro.command import jobs_of
from ops.sweep.command import _jobs
from tests.cures import cure_in, hold_to_cure
from tests.ops.toy import call
from tests.project import ROOT

Change = Callable[[], object]
INIT = ("init", "rows.csv", "--target", "left")


def lines(*, days: int = 400, moment: str = "2024-{month:02d}-{day:02d}", classes: int = 2) -> str:
    dates = [moment.format(month=1 + n * days // 600 // 28 % 12, day=1 + n * days // 600 % 28) for n in range(600)]
    rows = (f"{n},{n % 37},c{n % classes},{date}" for n, date in enumerate(dates))
    return "\n".join(["id,age,left,day", *rows, ""])


def write(name: str, text: str | bytes) -> Change:
    return lambda: Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())


def nothing() -> None:
    pass


def taken() -> None:
    write("rows.csv", lines())()
    Path("data/source/rows").mkdir(parents=True)
    Path("data/source/rows/rows.csv").write_text("other")


def two_places() -> None:
    Path("tasks/old").mkdir()
    Path("tasks/old.yaml").write_bytes((ROOT / "tests/own/tasks/table/task.yaml").read_bytes())


TIMED = (*INIT, "--time", "day")
CASES: dict[str, tuple[Change, tuple[str, ...], Change, tuple[str, ...]]] = {
    "ops/init/column_types.py: write them like that, or name another column.": (
        write("rows.csv", lines(moment="day {day}")), TIMED, write("rows.csv", lines()), TIMED
    ),
    "ops/init/csv_dialect.py: export the file again.": (write("rows.csv", ""), INIT, write("rows.csv", lines()), INIT),
    "ops/init/csv_dialect.py: save a spreadsheet as CSV, or Parquet as .parquet.": (
        write("rows.csv", b"PK\3\4\0\0"), INIT, write("rows.csv", lines()), INIT
    ),
    "ops/init/target.py: add rows of the other class, or name another --target.": (
        write("rows.csv", lines(classes=1)), INIT, write("rows.csv", lines()), INIT
    ),
    "ops/init/target.py: --above NUMBER, for the rows above it against all others.": (
        write("rows.csv", lines()), ("init", "rows.csv", "--target", "age"),
        nothing, ("init", "rows.csv", "--target", "age", "--above", "20"),
    ),
    "ops/init/inference.py: provide more history, or leave --time out.": (
        write("rows.csv", lines(days=1)), TIMED, nothing, INIT
    ),
    "ops/init/move_task.py: correct the name after --move.": (
        write("tasks/old.yaml", (ROOT / "tests/own/tasks/table/task.yaml").read_bytes()), ("init", "--move", "odl"),
        nothing, ("init", "--move", "old"),
    ),
    "ops/init/move_task.py: remove one of the two.": (
        two_places, ("init", "--move", "old"), lambda: Path("tasks/old").rmdir(), ("init", "--move", "old")
    ),
    "ops/init/new_task.py: --name ANOTHER, or --force.": (
        taken, INIT, nothing, (*INIT, "--name", "another")
    ),
    "ops/init/new_task.py: change to it.": (
        lambda: (write("rows.csv", lines())(), Path("params.yaml").rename("elsewhere.yaml")), INIT,
        lambda: Path("elsewhere.yaml").rename("params.yaml"), INIT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", CASES)
def test_the_cure_of_init(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tasks").mkdir()
    Path("params.yaml").write_bytes((ROOT / "tests/own/params.yaml").read_bytes())
    make, refused, cure, cured = CASES[key]
    make()
    done = call(tmp_path, *refused)
    assert done.returncode == 2, done.stdout
    cure_in(done.stderr, of=key)
    cure()
    again = call(tmp_path, *cured)
    assert again.returncode == 0, again.stderr


def test_a_number_of_jobs_is_the_cure_of_another_one() -> None:
    hold_to_cure("ops/repro/command.py: --jobs 2", lambda: jobs_of("many", cores=2), lambda: jobs_of("2", cores=2))
    hold_to_cure("ops/sweep/command.py: --jobs 2", lambda: _jobs(0), lambda: _jobs(2))

"""A fork does what an interpreter of its own does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from ops.dvc.import_closure import libraries
from ops.repro.commands import CommandFailedError, Commands
from ops.repro.forks import COMMAND, forkable
from tests.processes import ended
from tests.project import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="stages are forks on Linux only"),
    pytest.mark.slow,
]
TOY = "python -m stages.toy"
IMPORTED = "from pathlib import Path\nwith Path('imported').open('a') as file:\n    file.write('once ')\n"
WAITS = "import lab.core.determinism, os, time\nprint(os.getpid(), os.getppid(), flush=True)\ntime.sleep(600)\n"
VERB = f"""
import os
from pathlib import Path
from ops.repro.commands import Commands
Commands().run_stage(["sh", "-c", "{TOY}"], folder=Path.cwd(), environment=os.environ, on_line=print)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a stage `toy` to write, which has the library `known`."""
    for name in ("ops", "lab"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "stages").mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library/known.py").write_text(IMPORTED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


@pytest.fixture
def commands() -> Iterator[Commands]:
    with closing(Commands()) as commands:
        yield commands


def lines_of(commands: Commands, source: str, **environment: str) -> list[str]:
    """Return what the stage writes as a fork."""
    Path("stages/toy.py").write_text(source)
    return written_by(commands.run_stage, **environment)


def written_by(run: Callable[..., None], **environment: str) -> list[str]:
    lines: list[str] = []
    run(["sh", "-c", TOY], folder=Path.cwd(), environment={**os.environ, **environment}, on_line=lines.append)
    return lines


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nprint(__name__, sys.argv, sys.path[0], __spec__.name)\nprint('error', file=sys.stderr)",
        "import os\nprint(os.getcwd(), os.environ['DVC_STAGE'], os.read(0, 1))",
        "import atexit, threading\natexit.register(print, 'last')\nthreading.Timer(0.1, print, ['thread']).start()",
        "import sys\nprint(sorted(name for name in sys.modules if name.split('.')[0] in ('lab', 'ops', 'stages')))",
        "import sys\nsys.exit('words')",
        "print('three')\nraise SystemExit(3)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import os\nos._exit(0)",
    ],
)
def test_it_writes_and_ends_as_in_an_interpreter_of_its_own(folder: Path, commands: Commands, source: str) -> None:
    (folder / "stages/toy.py").write_text(source)
    outcomes = []
    for run in (commands.run, commands.run_stage):
        try:
            outcomes.append(tuple(written_by(run, DVC_STAGE="toy")))
        except CommandFailedError as error:
            outcomes.append((str(error), *error.lines))
    assert outcomes[0] == outcomes[1]
    assert commands._server is not None


def test_an_error_has_its_traceback(folder: Path, commands: Commands) -> None:
    with pytest.raises(CommandFailedError, match="left with 1") as failed:
        lines_of(commands, "import known\n1 / 0\n")
    assert failed.value.lines[-1] == "ZeroDivisionError: division by zero"
    assert f'{folder}/stages/toy.py", line 2, in <module>' in "".join(failed.value.lines)


def test_libraries_are_imported_once_and_code_each_time(folder: Path, commands: Commands) -> None:
    source = "import os\nimport known\nprint(os.getppid(), {})"
    first = lines_of(commands, source.format(1))
    assert lines_of(commands, source.format(2)) == [first[0].replace(" 1", " 2")]
    assert (folder / "imported").read_text() == "once "


def test_a_changed_environment_stays_in_its_stage(folder: Path, commands: Commands) -> None:
    lines_of(commands, "import os, sys\nos.environ['CHANGED'] = 'yes'\nos.chdir('/')\nsys.path.clear()")
    assert lines_of(commands, "import os\nimport known\nprint(os.environ.get('CHANGED'), os.getcwd())") == [
        f"None {folder}"
    ]


def test_a_library_that_starts_a_thread_is_imported_by_each_stage(folder: Path, commands: Commands) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    (folder / "library/known.py").write_text(IMPORTED + thread)
    assert [lines_of(commands, f"import known\nprint({number})") for number in (1, 2)] == [["1"], ["2"]]
    assert (folder / "imported").read_text() == "once " * 3


def test_a_library_that_cannot_be_imported_is_reported_by_the_stage(folder: Path, commands: Commands) -> None:
    with pytest.raises(CommandFailedError) as failed:
        lines_of(commands, "import absent")
    assert failed.value.lines[-1] == "ModuleNotFoundError: No module named 'absent'"


def test_a_stop_interrupts_all(folder: Path, commands: Commands) -> None:
    (folder / "stages/toy.py").write_text(WAITS.replace("time.sleep(600)", "try: time.sleep(600)\nfinally: print(1)"))
    failures: list[CommandFailedError] = []
    lines: list[str] = []

    def work() -> None:
        try:
            commands.run_stage(["sh", "-c", TOY], folder=folder, environment=os.environ, on_line=lines.append)
        except CommandFailedError as error:
            failures.append(error)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(lines) == 2)
    commands.stop()
    for thread in threads:
        thread.join()
    assert [error.lines[-1] for error in failures] == ["KeyboardInterrupt"] * 2
    assert ended(int(word) for line in lines[:2] for word in line.split())
    with pytest.raises(CommandFailedError, match="left with -2"):
        lines_of(commands, "print('never')")


def test_a_killed_verb_leaves_nothing_running(folder: Path) -> None:
    (folder / "stages/toy.py").write_text(WAITS)
    with subprocess.Popen([sys.executable, "-uc", VERB], stdout=subprocess.PIPE, text=True) as verb:
        assert verb.stdout is not None
        processes = [int(word) for word in verb.stdout.readline().split()]
        verb.kill()
        assert ended(processes)


def test_a_killed_server_fails_its_stages(folder: Path, commands: Commands) -> None:
    source = "import lab.core.determinism, os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)"
    with pytest.raises(CommandFailedError, match="left with 137"):
        lines_of(commands, source, DVC_STAGE="toy")
    assert lines_of(commands, "print('in an interpreter of its own')") == ["in an interpreter of its own"]


@pytest.mark.parametrize(
    "command", ["python -m stages.toy name", "python -m stages.toy; true", "python -m stages.absent", "python3 x.py"]
)
def test_another_command_is_left_to_the_shell(folder: Path, command: str) -> None:
    (folder / "stages/toy.py").touch()
    assert forkable(TOY, folder=folder, environment=os.environ) == "stages.toy"
    assert forkable(command, folder=folder, environment=os.environ) is None


def test_another_python_or_system_is_left_to_the_shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "stages/toy.py").touch()
    (folder / "python").write_text("#!/bin/sh\n")
    (folder / "python").chmod(0o755)
    assert forkable(TOY, folder=folder, environment={"PATH": str(folder)}) is None
    assert forkable(TOY, folder=folder, environment={"PATH": ""}) is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert forkable(TOY, folder=folder, environment=os.environ) is None


def test_each_stage_of_the_pipeline_can_be_a_fork() -> None:
    lines = (ROOT / "dvc.yaml").read_text().splitlines()
    commands = [line.split("cmd: ")[1] for line in lines if line.lstrip().startswith("cmd: ")]
    assert commands
    assert [command for command in commands if not COMMAND.fullmatch(command)] == []


def test_libraries_of_a_stage_are_those_of_its_rooms() -> None:
    names = {name.partition(".")[0] for name, _ in libraries("stages.prepare", root=ROOT)}
    assert {"duckdb", "pyarrow", "pydantic"} <= names
    assert not {"sklearn", "lab", "json"} & names


def wait_for(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert claim()

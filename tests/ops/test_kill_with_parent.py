"""A command and all its children die with the verb that started it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops.kill_with_parent import running, start, stop
from ops.lock import take_lock
from tests.ops.trivial import HERE, interrupted, trivial
from tests.processes import ended, is_alive
from tests.project import run

# A stage as DVC starts it, in a shell, with a worker in the background.
WORKER = "sleep 600 & echo $! $$ > pids.partial && mv pids.partial {pids}; wait"


def pids_in(*files: Path) -> list[int]:
    return [int(word) for file in files for word in file.read_text().split()]


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_command_keeps_its_exit_code_and_is_killed_when_the_pipe_closes() -> None:
    for command, code in (("exit 7", 7), ("kill -9 $$", 137)):
        with running(["sh", "-c", command]) as process:
            pass
        assert process.returncode == code
    with start(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as held:
        asleep = int(line_of(held))
        assert is_alive(asleep)
    assert held.returncode == 128 + signal.SIGKILL
    assert ended([asleep])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_may_clean_up_before_it_is_stopped(number: signal.Signals) -> None:
    for reaction, code in (("echo clean; exit 3", 3), ("", 128 + signal.SIGKILL)):
        command = f"trap '{reaction}' INT TERM; echo ready; while true; do sleep 0.01; done"
        with start(["sh", "-c", command], stdout=subprocess.PIPE, text=True) as process:
            assert line_of(process) == "ready\n"
            stop([process], number, grace=10.0 if reaction else 0.1)
            assert line_of(process) == ("clean\n" if reaction else "")
        assert process.returncode == code


def test_a_block_that_fails_stops_its_command() -> None:
    commands: list[int] = []

    def fail() -> None:
        with running(["sh", "-c", "echo $$; exec sleep 600"], stdout=subprocess.PIPE, text=True) as process:
            commands.append(int(line_of(process)))
            raise ValueError("found it")

    with pytest.raises(ValueError, match="found it"):
        fail()
    assert not any(map(is_alive, commands))


OWNER = """
import sys
from pathlib import Path
from ops.kill_with_parent import running
from ops.lock import take_lock
lock = take_lock(Path(sys.argv[1]))
with running(["sh", "-c", "echo $$; exec sleep 600"]):
    pass
"""


def test_a_lock_is_held_until_the_commands_of_a_killed_process_are_dead(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", OWNER, path], stdout=subprocess.PIPE, text=True) as process:
        asleep = int(line_of(process))
        process.kill()
    take_lock(path, wait=10.0).close()
    assert not is_alive(asleep)


def test_killed_repro_leaves_no_stage_running(tmp_path: Path) -> None:
    stages = (
        "stages:\n  each:\n    foreach: [a, b]\n    do: {cmd: 'mkdir ${item}; cd ${item}; CMD', outs: ['${item}']}\n"
    )
    folder = trivial(tmp_path / "toy", stages.replace("CMD", WORKER.format(pids="pids")))
    files = [folder / "a/pids", folder / "b/pids"]
    command = ["python", "-m", "ops", "repro", "--jobs", "2"]
    kill = signal.SIGKILL
    interrupted(command, cwd=folder, environment={}, when=lambda: all(file.exists() for file in files), by=kill)
    assert ended(pids_in(*files))
    replaced = (folder / "dvc.yaml").read_text().replace("wait", "kill $!")
    (folder / "dvc.yaml").write_text(replaced)
    run(["dvc", "repro", "--quiet"], cwd=folder)
    assert run(["dvc", "status", "--json"], cwd=folder).stdout == "{}\n"


def test_killed_sweep_leaves_no_experiment_running_and_the_same_command_goes_on(tmp_path: Path) -> None:
    at_work = WORKER.format(pids="$SHARED/pids")
    stages = f"stages:\n  only:\n    cmd: test -e $SHARED/go || ({at_work}); echo done > out/it\n"
    stages += "    params: [value]\n    outs: [out/it]\n"
    folder = trivial(tmp_path / "toy", stages, files={"params.yaml": "value: 0\n"})
    command = ["python", "-m", "ops", "sweep", "-S", "value=1,2", "--jobs", "1", "--json"]
    words = {"SHARED": str(tmp_path)}
    pids = tmp_path / "pids"
    interrupted(command, cwd=folder, environment=words, when=pids.exists, by=signal.SIGKILL)
    assert ended(pids_in(pids))
    (tmp_path / "go").touch()
    done = run(command, cwd=folder, environment={**HERE, **words})
    document = json.loads(done.stdout)
    assert document["failed"] == {}
    assert len(document["runs"]) == 2
    assert not list((folder / ".dvc/tmp/sweep").glob("clone-*"))

"""Run one stage in many folders, as forks that share its imports.

`python forked_runs.py STAGE [ARGUMENTS…] -- FOLDER…` prints the exit codes. tests/test_hermetic.py runs each stage in
a process of its own, too.
"""

import importlib
import os
import sys
from pathlib import Path


def main() -> None:
    """Print the exit code of each folder's run; the code is imported from the working directory."""
    separator = sys.argv.index("--")
    (stage, *arguments), folders = sys.argv[1:separator], sys.argv[separator + 1 :]
    sys.path[0] = str(Path.cwd())  # in place of tests/, whose package lab would hide the stage's
    module, command = importlib.import_module(stage), importlib.import_module("lab.core.command")
    for folder in folders:
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            sys.argv = [stage, *arguments]
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # standard output has the exit codes only
            _run(command.run, module.main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))  # noqa: T201 - the result


def _run(run: object, stage: object) -> None:
    """Run a stage, and exit with its code."""
    assert callable(run)
    try:
        run(stage)
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    except BaseException:  # noqa: BLE001 - the fork must not go on as a second parent
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()

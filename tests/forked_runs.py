"""Run one stage in many folders, imported once: `python forked_runs.py STAGE [ARGUMENTS…] -- FOLDER…`, exit codes told.

Importing takes longer than running, and importing a stage does nothing by itself (tests/test_hermetic.py runs each one
whole, too), so the runs may share it.
"""

import importlib
import os
import sys
from pathlib import Path


def main() -> None:
    """Print the exit code of each folder's run, a line each; the code comes from the folder that this began in."""
    separator = sys.argv.index("--")
    (stage, *arguments), folders = sys.argv[1:separator], sys.argv[separator + 1 :]
    sys.path.insert(0, str(Path.cwd()))
    module, command = importlib.import_module(stage), importlib.import_module("lab.core.command")
    for folder in folders:
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            sys.argv = [stage, *arguments]
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a stage tells is not the answer
            _run(command.run, module.main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))  # noqa: T201 - this is its answer


def _run(run: object, stage: object) -> None:
    """Run a stage as it runs itself, and end this process as it would end."""
    assert callable(run)
    try:
        run(stage)
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    except BaseException:  # noqa: BLE001 - whatever it is, this must not go on as a second parent
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()

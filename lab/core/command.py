"""Run a command: a user's mistake prints one message, a bug prints a traceback."""

import errno
import os
import sys
import traceback
from collections.abc import Callable

from lab.core.errors import LabError

MISTAKE = 2
FAILED = 1
BUG = 70  # the code of sysexits.h: 1 would read as the answer of a verb, such as "do not ship"
INTERRUPTED = 130
# DVC deletes the outputs of a stage before it runs.
RESTORE = "`python -m ops restore` brings back the last good outputs"


def run(main: Callable[[], None]) -> None:
    """Call main; exit with 2 after a user's mistake, 1 on a full disk, 130 after Ctrl-C, 70 with a traceback."""
    try:
        main()
    except LabError as error:
        leave(f"{error}{_restored()}", code=MISTAKE)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            leave(_full_disk(error), code=FAILED)
        leave(f"{traceback.format_exc()}{_restored()}", code=BUG)
    except KeyboardInterrupt:
        leave(f"Interrupted: `dvc repro` continues from here; {RESTORE}.", code=INTERRUPTED)
    except Exception:  # noqa: BLE001 - a bug in any place
        leave(f"{traceback.format_exc()}{_restored()}", code=BUG)


def _full_disk(error: OSError) -> str:
    where = error.filename or "an output"
    return (
        f"{where} could not be written: no space left on the disk. "
        f"Free some space (`dvc gc -w` removes unused cache) and run again; {RESTORE}."
    )


def _restored() -> str:
    """Return a line that names the command, where DVC runs a stage."""
    return f"\n{RESTORE}." if "DVC_STAGE" in os.environ else ""


def leave(message: str, *, code: int) -> None:
    """Print the message on standard error and exit with the code."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(code)

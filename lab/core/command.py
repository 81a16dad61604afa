"""The edge of every command: one message for a user's mistake, a traceback for ours."""

import errno
import sys
from collections.abc import Callable

from lab.core.errors import LabError

MISTAKE = 2
FAILED = 1
INTERRUPTED = 130


def run(main: Callable[[], None]) -> None:
    """Call main and leave with its exit code: 2 after a user's mistake, 1 on a full disk, 130 after Ctrl-C."""
    try:
        main()
    except LabError as error:
        leave(str(error), code=MISTAKE)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        leave(full_disk(error), code=FAILED)
    except KeyboardInterrupt:
        leave(
            "Interrupted: the last good outputs are still there. `dvc repro` goes on from here.",
            code=INTERRUPTED,
        )


def full_disk(error: OSError) -> str:
    """Return the message for a write that found no room."""
    where = error.filename or "an output"
    return (
        f"{where} could not be written: found no space left on the disk, expected room for it. "
        "The last good outputs are still there. Free some space (`dvc gc -w` drops unused cache) and run again."
    )


def leave(message: str, *, code: int) -> None:
    """Print the message on standard error and leave with the code."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(code)

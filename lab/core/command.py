"""Run a command: a user's mistake prints one message, a bug prints a traceback."""

import errno
import sys
from collections.abc import Callable

from lab.core.errors import LabError

MISTAKE = 2
FAILED = 1
INTERRUPTED = 130


def run(main: Callable[[], None]) -> None:
    """Call main; exit with 2 after a user's mistake, 1 on a full disk, 130 after Ctrl-C."""
    try:
        main()
    except LabError as error:
        leave(str(error), code=MISTAKE)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        leave(_full_disk(error), code=FAILED)
    except KeyboardInterrupt:
        leave("Interrupted: the last good outputs are unchanged. `dvc repro` continues from here.", code=INTERRUPTED)


def _full_disk(error: OSError) -> str:
    where = error.filename or "an output"
    return (
        f"{where} could not be written: no space left on the disk. "
        "The last good outputs are unchanged. Free some space (`dvc gc -w` removes unused cache) and run again."
    )


def leave(message: str, *, code: int) -> None:
    """Print the message on standard error and exit with the code."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(code)

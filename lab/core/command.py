"""Run a command: a user's mistake prints one message, a bug prints a traceback."""

import errno
import sys
import traceback
from collections.abc import Callable

from lab.core.errors import LabError

MISTAKE = 2
FAILED = 1
BUG = 70  # the code of sysexits.h: 1 would read as the answer of a verb, such as "do not ship"
INTERRUPTED = 130


def run(main: Callable[[], None]) -> None:
    """Call main; exit with 2 after a user's mistake, 1 on a full disk, 130 after Ctrl-C, 70 with a traceback."""
    try:
        main()
    except LabError as error:
        leave(str(error), code=MISTAKE)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            leave(_full_disk(error), code=FAILED)
        leave(traceback.format_exc(), code=BUG)
    except KeyboardInterrupt:
        leave("Interrupted: the last good outputs are unchanged. `dvc repro` continues from here.", code=INTERRUPTED)
    except Exception:  # noqa: BLE001 - a bug in any place
        leave(traceback.format_exc(), code=BUG)


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

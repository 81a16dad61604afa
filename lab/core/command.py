"""Run a command: a user's mistake prints one message, a bug prints a traceback."""

import errno
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from lab.core.errors import LabError

MISTAKE = 2
FAILED = 1
BUG = 70  # the code of sysexits.h: 1 would read as the answer of a verb, such as "do not ship"
INTERRUPTED = 130
# DVC deletes the outputs of a stage before it runs.
RESTORE = "`python -m ops restore` brings back the last good outputs"
TEMPORARY = "/.dvc/tmp"  # git ignores it
COSTS = "stage_costs.jsonl"
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of ru_maxrss


def run(main: Callable[[], None]) -> None:
    """Call main; exit with 2 after a user's mistake, 1 on a full disk, 130 after Ctrl-C, 70 with a traceback.

    A stage that DVC runs adds its cost to a log.
    """
    started = time.monotonic()
    try:
        _run(main)
    finally:
        if "DVC_STAGE" in os.environ:
            _log_cost(os.environ["DVC_STAGE"], wall_seconds=time.monotonic() - started)


def _log_cost(stage: str, *, wall_seconds: float) -> None:
    """Append CPU seconds and peak memory of this process and its children, imports included; wall time has none.

    A run in a clone within the folder for temporary files is in the log of the outer repository.
    """
    folder = Path(f"{os.environ.get('DVC_ROOT', '').partition(TEMPORARY)[0]}{TEMPORARY}")
    if not folder.is_dir():
        return
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cost = {
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "stage": stage,
        "baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
        "experiment": os.environ.get("DVC_EXP_NAME"),
        "cpu_seconds": round(sum(os.times()[:4]), 2),
        "peak_megabytes": round(max(peaks) * UNIT / 1e6),
        "wall_seconds": round(wall_seconds, 2),
    }
    with suppress(OSError), (folder / COSTS).open("a", encoding="utf-8") as log:  # a full disk: the stage says so
        log.write(f"{json.dumps(cost)}\n")


def _run(main: Callable[[], None]) -> None:
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

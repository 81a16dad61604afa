"""`python -m benchmarks.verify`: the cost of `ops verify` in a clone without data."""

import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import cost_of, median_cost
from ops.verify import checks
from ops.verify.state import State

ROOT = Path(__file__).parent.parent
# It exits 1 where the commit that is measured is not whole; that costs the same.
VERIFY = f'{sys.executable} -m ops verify "$@" || test $? = 1'
QUESTIONS = (
    checks.lock_is_fresh,
    checks.everything_is_pushed,
    checks.data_is_ignored,
    checks.dependencies_are_exact,
    checks.git_knows_every_file,
    checks.nothing_is_uncommitted,
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        cost_of(["git", "clone", "--quiet", str(ROOT), str(clone)], cwd=ROOT)
        (clone / ".dvc/storage").symlink_to(ROOT / ".dvc/storage")
        figures: dict[str, object] = {
            "verify, in a fresh clone, the first time": asdict(cost_of(_verify(), cwd=clone)),
            "verify, in a fresh clone, again": asdict(median_cost(_verify(), cwd=clone)),
            "verify --no-remote": asdict(median_cost(_verify("--no-remote"), cwd=clone)),
            "import": asdict(median_cost([sys.executable, "-c", "import ops.verify.command"], cwd=clone)),
            "CPU seconds of each question, in this order": _split(clone),
        }
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def _verify(*options: str) -> list[str]:
    return ["sh", "-c", VERIFY, "verify", *options]


def _split(clone: Path) -> dict[str, float]:
    """Return the seconds of each question; the first one pays for loading DVC and what all of them look at."""
    state = State(clone)
    seconds = {}
    for question in QUESTIONS:
        started = time.process_time()
        question(state)
        seconds[question.__name__] = round(time.process_time() - started, 3)
    return seconds


if __name__ == "__main__":
    main()

"""Record a run live with DVCLive, and round its files at the end."""

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from scmrepo.exceptions import SCMError

from lab.core.errors import LabError
from lab.core.optional_imports import absent
from lab.core.result_files import read_json, rounded, write_json, write_records, write_result

with absent("pynvml"):  # it would watch a graphics card
    from dvclive.live import Live

Recorder: TypeAlias = Live

POINTS = Path("plots/custom")  # where DVCLive writes the points of log_plot
HISTORIES = Path("plots/metrics")  # and the histories of log_metric


@contextmanager
def recorded(*, metrics: Path, plots: Path, compared: Sequence[str]) -> Iterator[Recorder]:
    """Yield DVCLive, which writes into the folder `plots` while the run goes on; at its end, round what it wrote.

    A file of points becomes `plots/NAME.json`; a history stays where DVCLive writes it, `plots/plots/metrics/NAME.tsv`.
    The summary becomes `metrics`; it may be nested, and need not be rounded.
    """
    shutil.rmtree(plots, ignore_errors=True)
    with _opened(plots) as live:
        yield live
    Path(live.metrics_file).unlink(missing_ok=True)  # first: a file of points may have its name
    for path in sorted((plots / POINTS).rglob("*.json")):
        write_records(read_json(path), plots / path.relative_to(plots / POINTS))
    shutil.rmtree(plots / POINTS, ignore_errors=True)
    for path in sorted((plots / HISTORIES).rglob("*.tsv")):
        _round_history(path)
    write_result(_summary(live), metrics, compared=compared)


def write_summary(live: Recorder, metrics: Path) -> None:
    """Write what is known so far, for `dvc exp show` during the run."""
    write_json(_summary(live), metrics)


def _summary(live: Recorder) -> dict[str, object]:
    return {name: value for name, value in live.summary.items() if name != "step"}


def _opened(folder: Path) -> Recorder:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Live(dir=str(folder), dvcyaml=False, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise LabError(
            f"DVCLive cannot record: found {error}, expected a git repository with at least one commit. "
            "Cure: git add -A && git commit -m 'First commit'"
        ) from error


def _round_history(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\n").writerows([_number(cell) for cell in row] for row in rows)
    path.write_bytes(buffer.getvalue().encode())


def _number(cell: str) -> object:
    try:
        return int(cell) if cell.lstrip("-").isdecimal() else rounded(float(cell))
    except ValueError:
        return cell

"""Record a run with DVCLive and publish its outputs only after success."""

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from dvclive.live import Live
from scmrepo.exceptions import SCMError

from lab.core.atomic_outputs import replaced_folder
from lab.core.errors import LabError
from lab.core.result_files import read_json, rounded, write_records, write_result

Recorder: TypeAlias = Live

POINTS = Path("plots/custom")  # where DVCLive writes the points of log_plot
HISTORIES = Path("plots/metrics")  # and the histories of log_metric


@contextmanager
def recorded(*, metrics: Path, plots: Path, compared: Sequence[str]) -> Iterator[Recorder]:
    """Yield DVCLive; its summary becomes `metrics`, its curves and histories the folder `plots`, rounded and sorted.

    While it runs it writes beside `plots`, so a run that fails leaves both as they were. A file of points is
    `plots/NAME.json`, a history is `plots/NAME.tsv`. What is put into `live.summary` need not be rounded, and may be
    nested.
    """
    scratch = plots.with_name(f".{plots.name}.live.partial")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with _opened(scratch) as live:
            yield live
        _publish(scratch, plots=plots)
        summary = {name: value for name, value in live.summary.items() if name != "step"}
        write_result(summary, metrics, compared=compared)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _opened(scratch: Path) -> Recorder:
    scratch.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Live(dir=str(scratch), dvcyaml=False, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise LabError(
            f"DVCLive cannot record: found {error}, expected a git repository with at least one commit. "
            "Cure: git add -A && git commit -m 'First commit'"
        ) from error


def _publish(scratch: Path, *, plots: Path) -> None:
    with replaced_folder(plots) as folder:
        for path in sorted((scratch / POINTS).rglob("*.json")):
            write_records(read_json(path), folder / path.relative_to(scratch / POINTS))
        for path in sorted((scratch / HISTORIES).rglob("*.tsv")):
            _write_history(path, folder / path.relative_to(scratch / HISTORIES))


def _write_history(source: Path, target: Path) -> None:
    with source.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\n").writerows([_number(cell) for cell in row] for row in rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(buffer.getvalue().encode())


def _number(cell: str) -> object:
    try:
        return int(cell) if cell.lstrip("-").isdecimal() else rounded(float(cell))
    except ValueError:
        return cell

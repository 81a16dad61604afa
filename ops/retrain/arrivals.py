"""Map files of new data to their paths below data/source/TASK."""

from collections.abc import Sequence
from pathlib import Path

from lab.core.errors import SourceError
from lab.dataset.source import FilesSource, Source, SqlSource, SyntheticSource

INSTEAD = {
    SyntheticSource: "generates its data from settings: use -S seed=NUMBER or -S world.customers=NUMBER",
    SqlSource: "reads its database on every run: leave out --data",
}


def arrivals_of(data: Path | None, source: Source, *, task: str) -> dict[str, Path]:
    """Return the new files by their path below data/source/TASK; of a folder, every file that the task reads."""
    if data is None:
        return {}
    if not isinstance(source, FilesSource):
        raise SourceError(f"--data {data}: the task {task} reads no files; it {INSTEAD[type(source)]}.")
    places = sorted({table.path for table in source.tables.values()})
    if data.is_dir():
        return _of_folder(data, places, task=task)
    if not data.is_file():
        raise SourceError(f"--data {data} is missing, expected a file or a folder of new data. Cure: check the path.")
    return {_place_of(data, places, task=task): data}


def _of_folder(data: Path, places: Sequence[str], *, task: str) -> dict[str, Path]:
    found = {place: data / place for place in places if (data / place).is_file()}
    if not found:
        raise SourceError(
            f"--data {data} holds {sorted(path.name for path in data.iterdir())}, expected one or more of "
            f"{list(places)}, which tasks/{task}/task.yaml reads. Cure: rename the files."
        )
    return found


def _place_of(data: Path, places: Sequence[str], *, task: str) -> str:
    named = [place for place in places if Path(place).name == data.name]
    fitting = named if len(places) > 1 else list(places)
    if len(fitting) != 1:
        raise SourceError(
            f"--data {data} matches no single file: tasks/{task}/task.yaml reads {list(places)}. "
            "Cure: rename the file to one of them, or give a folder that holds them."
        )
    if Path(fitting[0]).suffix.lower() != data.suffix.lower():
        raise SourceError(
            f"--data {data} ends with {data.suffix!r}, expected {Path(fitting[0]).suffix!r}, because it replaces "
            f"{fitting[0]} in tasks/{task}/task.yaml. Cure: convert it, or change the task file in a commit."
        )
    return fitting[0]

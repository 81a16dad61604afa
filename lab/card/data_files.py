"""Read the fingerprint and the columns of each data file, without its rows."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.errors import SourceError


@dataclass(frozen=True)
class DataFile:
    """One Parquet file: its path in the repository, SHA-256, bytes, rows, and the Arrow type of each column."""

    path: str
    sha256: str
    size: int
    rows: int
    columns: Mapping[str, pa.DataType]


def read_data_files(folders: Iterable[Path]) -> list[DataFile]:
    """Return the Parquet files of the folders, sorted within each; a folder without any is refused."""
    return [_read(path) for folder in folders for path in _paths(folder)]


def _paths(folder: Path) -> list[Path]:
    if found := sorted(folder.glob("*.parquet")):
        return found
    raise SourceError(f"{folder} has no Parquet file, expected one or more. Cure: dvc checkout {folder}, or dvc repro")


def _read(path: Path) -> DataFile:
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            found = pq.ParquetFile(stream)
            columns = {column.name: column.type for column in found.schema_arrow}
            return DataFile(path.as_posix(), digest, path.stat().st_size, found.metadata.num_rows, columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{path} cannot be read as Parquet: {error}. "
            "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."
        ) from error

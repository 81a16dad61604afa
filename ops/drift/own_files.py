"""Read a batch as the task's source is read: delimiter, missing marks, encoding, compression."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.stage_files import load_section, section_path
from lab.dataset.features import FeaturesSection
from lab.dataset.source import FilesSource, SourceSection
from lab.ingest.files import PARQUET, names_in, open_table

JSON_LINES = {".jsonl", ".ndjson"}


def read_like_source(path: Path, features: Collection[str]) -> pa.Table | None:
    """Return the rows of a text file, read as the first table of the source that finds a feature in it, else None."""
    if path.suffix.lower() in PARQUET | JSON_LINES or not section_path("source").is_file():
        return None
    source = load_section("source", SourceSection).source
    for table in source.tables.values() if isinstance(source, FilesSource) else ():
        try:
            names = [table.rename.get(name, name) for name in names_in(path, table)]
        except SourceError:  # another table of the source, or the plain reader, may fit
            continue
        if set(features) & set(names):
            return pa.concat_tables(open_table(path, table)[1])
    return None


def own_label() -> str | None:
    """Return the name of the task's column of labels; None where the task is not known."""
    return load_section("features", FeaturesSection).features.label if section_path("features").is_file() else None

"""The `source` section of a task file: files, a database, or synthetic tables."""

from typing import Annotated, Literal

from pydantic import Field

from lab.core.params import Params

MISSING_MARKS = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "None", "nan", "NaN", "NaT", "-")


class SyntheticSource(Params):
    """Tables in data/world/tables, made by a stage of this repository."""

    kind: Literal["synthetic"]


class FileTable(Params):
    """One CSV or Parquet file below data/source/TASK; delimiter, encoding, decimal and missing are for CSV only.

    With a comma as decimal, 3,14 is read as 3.14. `rename` renames columns on reading; names that differ only in case,
    and reserved names, need it. `names` are the columns of a CSV file without a header; empty: the first line has them.
    """

    path: str = Field(min_length=1)
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = Field(default=MISSING_MARKS, strict=False)
    names: tuple[str, ...] = Field(default=(), strict=False)
    rename: dict[str, str] = Field(default_factory=dict)


class FilesSource(Params):
    """Tables from files below data/source/TASK."""

    kind: Literal["files"]
    tables: dict[str, FileTable] = Field(min_length=1)


class QueryTable(Params):
    """One table: the result of a query file below data/source/TASK."""

    query: str = Field(pattern=r"\.sql$")


class SqlSource(Params):
    """Tables from a database; an environment variable holds the SQLAlchemy URL.

    Each query is stopped after `minutes` where the driver can cancel one, such as those of PostgreSQL, SQLite, DuckDB.
    """

    kind: Literal["sql"]
    url_variable: str = Field(default="DATABASE_URL", pattern=r"^[A-Z][A-Z0-9_]*$")
    minutes: float = Field(default=60, gt=0, le=10_080)
    tables: dict[str, QueryTable] = Field(min_length=1)


Source = Annotated[SyntheticSource | FilesSource | SqlSource, Field(discriminator="kind")]


class SourceSection(Params):
    """The `source` section of a task file."""

    source: Source

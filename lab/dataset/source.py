"""Where the tables of a task come from: files, a database, or a stage of this repository."""

from typing import Annotated, Literal

from pydantic import Field

from lab.core.params import Params

MISSING_MARKS = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "None", "nan", "NaN", "NaT", "-")


class SyntheticSource(Params):
    """Tables in data/world/tables, made by a stage of this repository."""

    kind: Literal["synthetic"]


class FileTable(Params):
    """One CSV or Parquet file below data/source/TASK; delimiter, encoding, decimal and missing are for CSV only.

    A value such as 3,14 is read as 3.14 where decimal is a comma. `rename` gives columns another name as they are read:
    names that differ in capital letters only, and names that the feature tables use themselves, need one.
    """

    path: str = Field(min_length=1)
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = Field(default=MISSING_MARKS, strict=False)
    rename: dict[str, str] = Field(default_factory=dict)


class FilesSource(Params):
    """Tables from files below data/source/TASK."""

    kind: Literal["files"]
    tables: dict[str, FileTable] = Field(min_length=1)


class QueryTable(Params):
    """One table: the rows of a query file below data/source/TASK."""

    query: str = Field(pattern=r"\.sql$")


class SqlSource(Params):
    """Tables from a database; the SQLAlchemy URL stands in an environment variable, never in a file."""

    kind: Literal["sql"]
    url_variable: str = Field(default="DATABASE_URL", pattern=r"^[A-Z][A-Z0-9_]*$")
    tables: dict[str, QueryTable] = Field(min_length=1)


Source = Annotated[SyntheticSource | FilesSource | SqlSource, Field(discriminator="kind")]


class SourceSection(Params):
    """The `source` section of a task file."""

    source: Source

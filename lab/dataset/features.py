"""The `features` section of a task file: unit, moment, label, groups and query."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params

ROW = "row"  # the number of a row in its file, where the table has no key

# Column names that feature tables, queries and predictions use themselves.
RESERVED = frozenset({"label", "moment", "split", "file_row_number", "champion_score", "challenger_score", ROW})


class Features(Params):
    """One row per unit (and moment), from one flat table or from a query over several.

    The query reads the prepared tables as views, and also `snapshots(moment)` (every `snapshot_every_days` back from
    the newest moment with a known label, after at least `history_days`) and `windows(split, starts, ends)`. After
    `minutes` it is stopped.
    """

    question: str
    unit: tuple[str, ...] = Field(default=(), strict=False)
    moment: str | None = None
    label: str
    positive: str | int | bool
    groups: tuple[str, ...] = Field(default=(), strict=False)
    table: str | None = None
    query: str | None = None
    snapshot_every_days: int | None = Field(default=None, gt=0, le=366)
    history_days: int = Field(default=0, ge=0, le=36_500)
    high_missing_columns: Literal["drop", "keep"] = "drop"
    minutes: float = Field(default=60, gt=0, le=10_080)

    @model_validator(mode="after")
    def has_one_origin(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table (one flat table) or query (SQL over several), exactly one of them")
        if self.snapshot_every_days is not None and self.query is None:
            raise ValueError("snapshot_every_days needs a query that reads the view snapshots")
        return self


class FeaturesSection(Params):
    """The `features` section of a task file."""

    features: Features


def with_query(content: dict[str, Any], query: str | None) -> dict[str, Any]:
    """Return the content of a task file with the text of its SQL file as `features.query`."""
    features = content.get("features")
    if query is None or not isinstance(features, dict):
        return content
    return {**content, "features": {**features, "query": query.rstrip("\n")}}

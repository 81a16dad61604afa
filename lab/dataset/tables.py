"""The `tables` section of a task file: the schema of each table."""

from datetime import date, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params

ColumnType = Literal[
    "identifier", "integer", "number", "money", "cents", "boolean", "category", "date", "timestamp", "ignore"
]
Bound = int | float | date | datetime
NUMERIC: frozenset[str] = frozenset({"integer", "number", "money", "cents"})
ORDERED: frozenset[str] = NUMERIC | {"date", "timestamp"}


class Limits(Params):
    """Rules on one column; an absent rule is not checked."""

    minimum: Bound | None = None
    maximum: Bound | None = None
    allowed: tuple[str, ...] | None = Field(default=None, strict=False)
    missing_share: float | None = Field(default=None, ge=0, le=1)


class Column(Limits):
    """One column: its type, rules that are errors, and under `warn` rules that are warnings.

    `money` is a decimal amount and becomes integer cents; `cents` is an integer already. Columns of type `identifier`
    and `ignore` are no features. `references` names a table whose key contains every value. `on_violation` says what
    happens to a value that breaks a rule, up to a `violation_share` of the rows. Values of a `private` column are not
    shown when revisions are compared.
    """

    type: ColumnType
    private: bool = False
    format: str | None = None
    references: str | None = None
    repair: Literal["none", "nearest"] = "none"
    on_violation: Literal["refuse", "drop_row", "set_missing"] = "refuse"
    violation_share: float = Field(default=0.0, ge=0, le=1)
    warn: Limits = Limits()

    @model_validator(mode="after")
    def rules_fit_the_type(self) -> Self:
        for limits in (self, self.warn):
            if self.type not in ORDERED and (limits.minimum is not None or limits.maximum is not None):
                raise ValueError(f"minimum and maximum need a number or a date, this column is a {self.type}")
            if self.type != "category" and limits.allowed is not None:
                raise ValueError(f"allowed needs a category, this column is a {self.type}")
        if self.repair == "nearest" and not self.allowed:
            raise ValueError("repair: nearest needs the values to repair to, under allowed")
        if self.format is not None and self.type not in {"date", "timestamp"}:
            raise ValueError(f"format needs a date or a timestamp, this column is a {self.type}")
        return self


class Table(Params):
    """One table: its columns, its key, and rules on the table.

    `duplicate_share` limits the rows that repeat a key; the first of them is kept. A table without a key may repeat
    rows.
    """

    columns: dict[str, Column] = Field(min_length=1)
    key: tuple[str, ...] = Field(default=(), strict=False)
    duplicate_share: float = Field(default=0.0, ge=0, le=1)
    minimum_rows: int = Field(default=1, ge=1)
    newest: str | None = None
    fresh_within_days: int | None = Field(default=None, ge=0, le=36_500)
    minimum_days: int | None = Field(default=None, ge=1, le=36_500)
    missing_share: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def named_columns_exist(self) -> Self:
        named = {*self.key, *([self.newest] if self.newest else [])}
        if unknown := sorted(named - set(self.columns)):
            raise ValueError(f"key and newest name {unknown}, the columns are {sorted(self.columns)}")
        if (self.fresh_within_days, self.minimum_days) != (None, None) and self.newest is None:
            raise ValueError("fresh_within_days and minimum_days need newest: the column that dates the rows")
        return self


class TablesSection(Params):
    """The `tables` section of a task file."""

    tables: dict[str, Table] = Field(min_length=1)

    @model_validator(mode="after")
    def referenced_tables_have_one_key_column(self) -> Self:
        for name, table in self.tables.items():
            for label, column in table.columns.items():
                if column.references and len(getattr(self.tables.get(column.references), "key", ())) != 1:
                    raise ValueError(
                        f"{name}.{label} references {column.references!r}, which is no table with a key of one column"
                    )
        return self

    @model_validator(mode="after")
    def references_that_drop_rows_end(self) -> Self:
        dropping = {
            name: {each.references for each in table.columns.values() if each.on_violation == "drop_row"} - {None}
            for name, table in self.tables.items()
        }
        try:
            tuple(TopologicalSorter(dropping).static_order())
        except CycleError as error:
            raise ValueError(
                f"references with on_violation: drop_row form a circle of {error.args[1]}, expected an end. "
                "Cure: set_missing on one of them"
            ) from error
        return self

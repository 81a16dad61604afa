"""Strict types of requests from the features of the loaded models, also for OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, create_model, model_validator

from serving.models import Kind

LARGEST_NUMBER = 1e30  # larger numbers are refused; the pipeline would treat them as missing
LONGEST_TEXT = 1_000
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

Number = Annotated[float, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Unit = Annotated[str, Field(min_length=1, max_length=200, description="The unit (customer); it decides the arm.")]
Moment = Annotated[
    str,
    Field(
        max_length=40,
        pattern=r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$",
        description="The time of the row; for the log.",
    ),
]
TYPES: Mapping[Kind, Any] = {"number": Number, "boolean": StrictBool, "category": Text}
MISSING = "null: the value is not known"
MOST_REASONS = 10


@dataclass(frozen=True)
class RequestTypes:
    """The types of the requests to /predict, /predict/batch and /explain."""

    row: TypeAdapter[Any]
    batch: TypeAdapter[Any]
    explain: TypeAdapter[Any]


class BatchRules(BaseModel):
    """The rules of every batch: rows, or columns of equal length."""

    model_config = STRICT

    rows: Any = None
    columns: Any = None
    units: Any = None
    moments: Any = None

    @model_validator(mode="after")
    def rows_or_columns(self) -> Self:
        if (self.rows is None) == (self.columns is None):
            raise ValueError("expected either rows or columns")
        if self.columns is None and (self.units is not None or self.moments is not None):
            raise ValueError("units and moments belong to columns; each row has its own unit and moment")
        columns = [] if self.columns is None else vars(self.columns).values()
        lengths = {len(values) for values in (*columns, self.units, self.moments) if values is not None}
        if len(lengths) > 1:
            raise ValueError(f"columns, units and moments have the lengths {sorted(lengths)}, expected equal lengths")
        return self


def request_types(features: Mapping[str, Kind], *, most_rows: int) -> RequestTypes:
    """Return the request types for rows with exactly these features."""
    values = create_model("Features", __config__=STRICT, **{name: _value(kind) for name, kind in features.items()})
    lists: dict[str, Any] = {
        name: (_list(TYPES[kind] | None, most_rows, fewest=1), ...) for name, kind in features.items()
    }
    columns = create_model("Columns", __config__=STRICT, **lists)
    row = create_model(
        "Row", __config__=STRICT, features=(values, ...), unit=(Unit | None, None), moment=(Moment | None, None)
    )
    batch = create_model(
        "Batch",
        __base__=BatchRules,
        rows=(_list(row, most_rows, fewest=1) | None, None),
        columns=(columns | None, None),
        units=(_list(Unit, most_rows) | None, None),
        moments=(_list(Moment, most_rows) | None, None),
    )
    most = Annotated[int, Field(ge=1, le=MOST_REASONS, description="The maximum number of reasons.")]
    explain = create_model("RowToExplain", __base__=row, most=(most, 3))
    return RequestTypes(TypeAdapter(row), TypeAdapter(batch), TypeAdapter(explain))


def _value(kind: Kind) -> Any:
    return (TYPES[kind] | None, Field(description=MISSING))


def _list(of: Any, most: int, *, fewest: int = 0) -> Any:
    return Annotated[list[of], Field(min_length=fewest, max_length=most)]

"""Strict types of requests from the features of the loaded models, also for OpenAPI."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, defstruct
from msgspec.json import Decoder, schema_components
from msgspec.structs import astuple

from serving.errors import Detail, wrong_field
from serving.models import Kind
from serving.strict_json import check_keys, check_length, check_moments, decoded

LARGEST_NUMBER = 2.0**63 - 1024  # in the range of 64-bit integers; the pipeline would treat 1e30 as missing
LARGEST_WHOLE_NUMBER = 2.0**53  # above it, not every integer is a float
LONGEST_TEXT, MOST_LABELS = 1_000, 10_000
MOST_REASONS, USUAL_REASONS = 10, 3
SCHEMAS = "#/components/schemas/{name}"
DAY, TIME, ZONE = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?",
    "Z|[+-][0-9]{2}:[0-9]{2}",
)
NOT_SENT = Raw(b"null")

Number = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
WholeNumber = Annotated[float, Meta(ge=-LARGEST_WHOLE_NUMBER, le=LARGEST_WHOLE_NUMBER, multiple_of=1)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Unit = Annotated[str, Meta(min_length=1, max_length=200, description="The unit (customer); it decides the arm.")]
Moment = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=f"^{DAY}([T ]{TIME}({ZONE})?)?$",
        description="The time of the row, in the calendar; for the log.",
    ),
]
MostReasons = Annotated[int, Meta(ge=1, le=MOST_REASONS, description="The maximum number of reasons; 3 if not given.")]
Identifier = Annotated[str, Meta(min_length=1, max_length=80, description="The id in the answer of the prediction.")]
MISSING = Meta(description="null: the value is not known")
TYPES: Mapping[Kind, Any] = {"number": Number, "boolean": bool, "category": Text}


class Feedback(Struct, frozen=True, forbid_unknown_fields=True):
    """The true label of a row."""

    id: Identifier
    label: bool


class FeedbackBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """The true labels of many rows."""

    ids: Annotated[list[Identifier], Meta(min_length=1, max_length=MOST_LABELS)]
    labels: Annotated[list[bool], Meta(min_length=1, max_length=MOST_LABELS)]


class SentLabels(Struct, frozen=True, forbid_unknown_fields=True):
    """The lists of labels before they are decoded."""

    ids: Raw
    labels: Raw


class SentBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """The parts of a batch before they are decoded: their lengths are checked first."""

    rows: Raw = NOT_SENT
    columns: Raw = NOT_SENT
    units: Raw = NOT_SENT
    moments: Raw = NOT_SENT


@dataclass(frozen=True)
class Rows:
    """Rows as columns; units and moments are None where the request gives none."""

    columns: Mapping[str, Sequence[Any]]
    units: Sequence[str | None]
    moments: Sequence[str | None]


@dataclass(frozen=True)
class RowToExplain:
    """A row, and the maximum number of its reasons."""

    rows: Rows
    most: int


FEEDBACK, SENT_LABELS, BATCH = Decoder(Feedback), Decoder(SentLabels), Decoder(SentBatch)
UNITS, MOMENTS = Decoder(list[Unit]), Decoder(list[Moment])
IDENTIFIERS, LABELS = Decoder(list[Identifier]), Decoder(list[bool])


def read_feedback(body: bytes) -> Feedback:
    """Return the label in a body."""
    found: Feedback = decoded(FEEDBACK, body)
    check_keys(body, 2)
    return found


def read_feedback_batch(body: bytes) -> FeedbackBatch:
    """Return the labels in a body."""
    sent: SentLabels = decoded(SENT_LABELS, body)
    ids, labels = (
        _decoded_list(decoder, part, MOST_LABELS, at=at)
        for decoder, part, at in ((IDENTIFIERS, sent.ids, ".ids"), (LABELS, sent.labels, ".labels"))
    )
    if not 1 <= len(ids) == len(labels) <= MOST_LABELS:
        rule = f"Expected equal lengths from 1 to {MOST_LABELS}, got {len(ids)} ids and {len(labels)} labels"
        raise _wrong("labels", rule)
    check_keys(body, 2)
    return FeedbackBatch(ids, labels)


class RequestTypes:
    """The types of requests for rows with exactly these features, of which `whole` are whole numbers.

    Decoding stops at the first mistake, so a refusal takes less time than an answer.
    """

    def __init__(self, features: Mapping[str, Kind], *, whole: Collection[str], most_rows: int) -> None:
        values = {
            name: WholeNumber if kind == "number" and name in whole else TYPES[kind] for name, kind in features.items()
        }
        self._names, self._most_rows = list(values), most_rows
        own = _struct("Features", {name: Annotated[value | None, MISSING] for name, value in values.items()})
        row = _struct("Row", {"features": own}, {"unit": Unit, "moment": Moment})
        to_explain = _struct("RowToExplain", {"features": own}, {"unit": Unit, "moment": Moment, "most": MostReasons})
        lists = {name: _list(value | None) for name, value in values.items()}
        self._row, self._row_to_explain, self._rows = Decoder(row), Decoder(to_explain), Decoder(_list(row))
        self._columns = Decoder(_struct("SentColumns", dict.fromkeys(values, Raw)))
        self._lists = {name: Decoder(values_of_one) for name, values_of_one in lists.items()}
        some, few = Meta(min_length=1, max_length=most_rows), Meta(max_length=most_rows)
        parts = {
            "rows": Annotated[_list(row), some],
            "columns": _struct("Columns", {name: Annotated[each, some] for name, each in lists.items()}),
            "units": Annotated[list[Unit], few],
            "moments": Annotated[list[Moment], few],
        }
        batch = _struct("Batch", {}, parts)
        labels = {"/feedback": Feedback, "/feedback/batch": FeedbackBatch}
        self.documented = {"/predict": row, "/predict/batch": batch, "/explain": to_explain, **labels}

    def read_row(self, body: bytes) -> Rows:
        """Return the row in a body of /predict."""
        return self._one(body, decoded(self._row, body), others=0)

    def read_row_to_explain(self, body: bytes) -> RowToExplain:
        """Return the row in a body of /explain."""
        found = decoded(self._row_to_explain, body)
        rows = self._one(body, found, others=found.most is not UNSET)
        return RowToExplain(rows, found.most or USUAL_REASONS)

    def read_batch(self, body: bytes) -> Rows:
        """Return the rows in a body of /predict/batch, sent as rows or as columns."""
        sent: SentBatch = decoded(BATCH, body)
        parts = [name for name in SentBatch.__struct_fields__ if getattr(sent, name) != NOT_SENT]
        if len({"rows", "columns"} & {*parts}) != 1:
            raise _wrong("", "Expected either rows or columns")
        if "rows" in parts and len(parts) > 1:
            raise _wrong(parts[-1], "units and moments belong to columns; each row has its own unit and moment")
        rows, keys = self._by_rows(sent.rows) if "rows" in parts else self._by_columns(sent)
        check_keys(body, keys + len(astuple(sent)) - astuple(sent).count(NOT_SENT))
        return rows

    def _one(self, body: bytes, row: Any, *, others: int) -> Rows:
        rows, keys = self._table([row], at="")
        check_keys(body, keys + others)
        return rows

    def _by_rows(self, sent: Raw) -> tuple[Rows, int]:
        check_length(sent, self._most_rows, at=".rows")
        found = decoded(self._rows, sent, at=".rows")
        self._check_count(len(found), "rows")
        return self._table(found, at=".rows")

    def _table(self, rows: Sequence[Any], *, at: str) -> tuple[Rows, int]:
        """Return rows as columns, and the number of keys that they have in JSON."""
        columns = zip(*(astuple(row.features) for row in rows), strict=True)
        units, moments = [row.unit for row in rows], [row.moment for row in rows]
        keys = len(rows) * (3 + len(self._names)) - units.count(UNSET) - moments.count(UNSET)
        found = Rows(dict(zip(self._names, columns, strict=True)), _known(units), _known(moments))
        check_moments(found.moments, at=f"{at}.moment")
        return found, keys

    def _by_columns(self, sent: SentBatch) -> tuple[Rows, int]:
        parts = decoded(self._columns, sent.columns, at=".columns")
        columns = {
            name: _decoded_list(self._lists[name], part, self._most_rows, at=f".columns.{name}")
            for name, part in zip(self._names, astuple(parts), strict=True)
        }
        units, moments = (
            None if part == NOT_SENT else _decoded_list(decoder, part, self._most_rows, at=at)
            for decoder, part, at in ((UNITS, sent.units, ".units"), (MOMENTS, sent.moments, ".moments"))
        )
        lengths = {len(values) for values in (*columns.values(), units, moments) if values is not None}
        if len(lengths) > 1:
            raise _wrong(
                "columns", f"columns, units and moments have the lengths {sorted(lengths)}, expected equal lengths"
            )
        self._check_count(count := lengths.pop(), "columns")
        nothing = [None] * count
        check_moments(moments or (), at=".moments")
        return Rows(columns, units or nothing, moments or nothing), len(columns)

    def _check_count(self, count: int, field: str) -> None:
        if not 1 <= count <= self._most_rows:
            raise _wrong(field, f"Expected at least 1 and at most {self._most_rows} rows")


def schema_of(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a request, and the schemas that it refers to."""
    (own,), others = schema_components([kind], ref_template=SCHEMAS)
    return own, others


def _decoded_list(decoder: Decoder[Any], part: Raw, most: int, *, at: str) -> list[Any]:
    check_length(part, most, at=at)
    found: list[Any] = decoded(decoder, part, at=at)
    return found


def _list(items: Any) -> Any:
    return GenericAlias(list, (items,))


def _struct(name: str, needed: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Any:
    """Return a strict type; names of features need not be identifiers, so fields are numbered."""
    if optional is None:
        fields = [(f"field_{place}", kind) for place, kind in enumerate(needed.values())]
        names = {field: name for (field, _), name in zip(fields, needed, strict=True)}
        return defstruct(name, fields, rename=names, frozen=True, forbid_unknown_fields=True)
    more = [(name, kind | None | UnsetType, UNSET) for name, kind in optional.items()]
    return defstruct(name, [*needed.items(), *more], frozen=True, forbid_unknown_fields=True)


def _known(values: Sequence[Any]) -> list[str | None]:
    return [None if value is UNSET else value for value in values]


def _wrong(field: str, rule: str) -> Exception:
    return wrong_field("wrong_value", Detail(field=field, value="", rule=rule))

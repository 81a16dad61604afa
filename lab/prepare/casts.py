"""SQL that casts raw columns to the types of their contract; other values become null."""

from lab.dataset.tables import Column
from lab.engine.engine import quoted, text_literal

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")
WHOLE_TYPES = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
WHOLE_NUMBER = r"[+-]?\d+"


def cast_sql(name: str, column: Column, raw_type: str) -> str:  # noqa: PLR0911 - one return a type
    """Return the SQL that casts a raw column to its declared type."""
    value = quoted(name)
    text = f"trim(cast({value} as varchar))"
    if direct := _without_text(value, column.type, raw_type):
        return direct
    match column.type:
        case "integer" | "cents":
            return _whole_number(text)
        case "number":
            return _finite_number(text)
        case "money":
            return f"cast(round(try_cast({text} as decimal(28, 6)) * 100) as bigint)"
        case "boolean":
            return _boolean(text)
        case "date":
            return f"cast({_moment(value, raw_type, column.format)} as date)"
        case "timestamp":
            return _moment(value, raw_type, column.format)
        case "identifier":
            return value
        case _:
            return text


def is_missing_sql(name: str, raw_type: str) -> str:
    """Return the SQL that is true where a raw column is null or NaN."""
    value = quoted(name)
    return f"({value} is null or isnan({value}))" if raw_type in {"DOUBLE", "FLOAT"} else f"({value} is null)"


def _without_text(value: str, kind: str, raw_type: str) -> str | None:
    """Return the SQL for a column that has its declared type already and is not cast by way of text."""
    if kind in {"integer", "cents"} and raw_type in WHOLE_TYPES:
        return f"cast({value} as bigint)"
    if kind == "number" and raw_type in {"DOUBLE", *WHOLE_TYPES}:
        return f"case when isfinite(cast({value} as double)) then cast({value} as double) end"
    return value if kind == "boolean" and raw_type == "BOOLEAN" else None


def _whole_number(text: str) -> str:
    plain = f"regexp_full_match({text}, {text_literal(WHOLE_NUMBER)})"
    number = f"try_cast({text} as double)"
    whole = f"abs({number}) < 9007199254740992 and {number} = floor({number})"
    return f"case when {plain} then try_cast({text} as bigint) when {whole} then cast({number} as bigint) end"


def _finite_number(text: str) -> str:
    number = f"try_cast({text} as double)"
    return f"case when isfinite({number}) then {number} end"


def _boolean(text: str) -> str:
    words = f"lower({text})"
    true, false = (", ".join(text_literal(word) for word in group) for group in (TRUE_WORDS, FALSE_WORDS))
    return f"case when {words} in ({true}) then true when {words} in ({false}) then false end"


def _moment(value: str, raw_type: str, form: str | None) -> str:
    if raw_type != "VARCHAR":
        return value if raw_type.startswith("TIMESTAMP WITH") else f"cast({value} as timestamp)"
    text = f"trim({value})"
    if form:
        return f"try_strptime({text}, {text_literal(form)})"
    # timestamptz first, so that 10:00+02:00 becomes 08:00; a time without offset is unchanged.
    return f"cast(try_cast({text} as timestamptz) as timestamp)"

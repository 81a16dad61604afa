"""Decode JSON up to the first mistake; refuse repeated keys and long lists."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec
from msgspec import DecodeError, Raw, ValidationError
from msgspec.json import Decoder

from serving.errors import Detail, Refused, refused, wrong_field

STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
KEYS_AND_BRACES = re.compile(rb"(" + STRING + rb")\s*(:)?|[{}]", re.DOTALL)
ITEMS = re.compile(rb"(" + STRING + rb'|[^\s,\[\]"]+)', re.DOTALL)
OBJECTS = re.compile(STRING + rb"|(\{)", re.DOTALL)
SPACED_COLONS = (b" :", b"\t:", b"\n:", b"\r:")
NAMED = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
PLACES = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
BYTE, NOT_FINITE = re.compile(r"\(byte (\d+)\)"), re.compile(rb"-?(?:NaN|Infinity)")
ANY_LIST = Decoder(list[Raw])
AT_ONCE = 65_536  # bytes
MOST_SHOWN = 400  # bytes; the refusal cuts the text
WHOLE, PLAIN_WHOLE = "`float` that's a multiple of 1.0", "a whole number"


def decoded(decoder: Decoder[Any], body: bytes | Raw, *, at: str = "") -> Any:
    """Return a decoded body, or a part of one that stands `at` a path such as `.columns.amount`."""
    try:
        return decoder.decode(body)
    except ValidationError as error:
        raise _wrong(str(error), body, at) from None
    except RecursionError:
        raise refused(HTTPStatus.BAD_REQUEST, "not_json", "The body is nested too deeply.") from None
    except DecodeError as error:
        if (name := _name_of_not_finite(bytes(body), str(error))) is not None:
            rule = "Expected a finite number, or null if it is not known"
            raise wrong_field("not_finite", Detail(field=name, value="NaN or Infinity", rule=rule)) from None
        raise refused(HTTPStatus.BAD_REQUEST, "not_json", f"The body is not JSON: {error}.") from None


def _name_of_not_finite(body: bytes, message: str) -> str | None:
    """Return the name of the field whose value is NaN or Infinity, if that is why the body is not JSON."""
    place = BYTE.search(message)
    if place is None or not NOT_FINITE.match(body, start := int(place[1])):
        return None
    end = body.rfind(b'":', 0, start)
    return body[body.rfind(b'"', 0, max(end, 0)) + 1 : max(end, 0)].decode(errors="replace")


def check_keys(body: bytes, expected: int) -> None:
    """Refuse a decoded body in which a key is repeated; without repetitions it has `expected` keys.

    Counting the ends of keys is fast, and exact unless a text looks like one. Only then all keys are read.
    """
    if body.count(b'":') == expected and not any(mark in body for mark in SPACED_COLONS):
        return
    if (key := _repeated_key(body)) is not None:
        raise wrong_field("repeated_field", Detail(field=key, value="repeated", rule="Expected each field once"))


def check_length(part: bytes | Raw, most: int, *, at: str) -> None:
    """Refuse a list of more than `most` items before it is decoded, because its items take more memory than its text.

    Its items are texts, numbers, booleans or null; those of `rows` are objects that contain one object each.
    """
    text = memoryview(part)
    if len(text) <= 2 * most:  # an item and its comma
        return
    mark, pattern, limit = (b"{", OBJECTS, 2 * most) if at == ".rows" else (b",", ITEMS, most)
    if _count(mark, text) > limit and next(islice(filter(_first_group, pattern.finditer(text)), limit, None), None):
        rule = f"Expected `array` of length <= {most}"
        raise wrong_field("wrong_value", Detail(field=_field(at), value="a longer array", rule=rule))


def _count(mark: bytes, text: memoryview) -> int:
    """Return how often one byte occurs, without a second copy of a large text."""
    return sum(bytes(text[start : start + AT_ONCE]).count(mark) for start in range(0, len(text), AT_ONCE))


def _first_group(found: re.Match[bytes]) -> bytes | None:
    return found[1]


def check_moments(moments: Sequence[str | None], *, at: str) -> None:
    """Refuse a moment that is no date or time of the calendar."""
    for moment in set(moments) - {None}:
        try:
            datetime.fromisoformat(str(moment))
        except ValueError as error:
            rule = f"Expected a date of the calendar: {error}"
            raise wrong_field("wrong_value", Detail(field=_field(at), value=str(moment), rule=rule)) from None


def _repeated_key(body: bytes) -> str | None:
    """Return the first key that an object has twice, None without one."""
    objects: list[set[str]] = []
    for found in KEYS_AND_BRACES.finditer(body):
        if found[2]:
            key: str = msgspec.json.decode(found[1])
            if key in objects[-1]:
                return key
            objects[-1].add(key)
        elif found[0] == b"{":
            objects.append(set())
        elif found[0] == b"}":
            objects.pop()
    return None


def _wrong(message: str, body: bytes | Raw, at: str) -> Refused:
    """Return the refusal of a body by the decoder's message, such as "Expected `str`, got `int` - at `$.unit`"."""
    rule, _, place = message.rpartition(" - at `$") if message.endswith("`") else (message, "", "`")
    if not rule:  # the message is about the body as a whole, and ends with a name
        rule, place = message, "`"
    place = place[:-1]
    if (named := NAMED.fullmatch(rule)) is None:
        reason, rule = "wrong_value", rule.replace(WHOLE, PLAIN_WHOLE)
    elif named[1] == "missing required":
        detail = Detail(field=_field(f"{at}{place}.{named[2]}"), value="nothing", rule="Expected this field")
        return wrong_field("missing_field", detail)
    else:
        reason, rule, place = "unknown_field", "Expected only the fields of the schema", f"{place}.{named[2]}"
    return wrong_field(reason, Detail(field=_field(at + place), value=_value_at(body, place), rule=rule))


def _field(path: str) -> str:
    """Return a path as it is shown.

    >>> _field(".rows[3].features.amount")
    'rows.3.features.amount'
    """
    return path.replace("[", ".").replace("]", "").removeprefix(".")


def _value_at(body: bytes | Raw, path: str) -> str:
    """Return the JSON text at a path; the fields beside it are skipped, not decoded."""
    try:
        for name, place in PLACES.findall(path):
            body = ANY_LIST.decode(body)[int(place)] if place else _field_decoder(name).decode(body).value
    except (DecodeError, IndexError, RecursionError, ValueError):  # ValueError: no field may have such a name
        return "not shown"
    return bytes(memoryview(body)[:MOST_SHOWN]).decode(errors="replace")


@lru_cache(maxsize=256)
def _field_decoder(name: str) -> Decoder[Any]:
    return Decoder(msgspec.defstruct("Field", [("value", Raw)], rename={"value": name}))

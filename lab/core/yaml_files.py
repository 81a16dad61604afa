"""Read YAML 1.2 as DVC does: `1e-3` is a number, `yes` a string."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from lab.core.errors import ParamsError

# Limits of a file whose aliases are expanded: nested ones make 1 KB into gigabytes, nested lists overflow the C stack.
MOST_CHARACTERS = 1_000_000
VALUE = 20  # what a value counts at least: 50,000 of them take some seconds
DEEPEST = 40
LARGEST_NUMBER = 2**53  # larger integers do not fit into the numbers of every reader
STARTS, ENDS = (MappingStartEvent, SequenceStartEvent), (MappingEndEvent, SequenceEndEvent)


def read_yaml(path: Path, *, cure: str) -> dict[str, Any]:
    """Return the mapping in a YAML file; an empty file is an empty mapping."""
    try:
        with path.open(encoding="utf-8") as stream:
            content = load_yaml(stream.read(MOST_CHARACTERS + 1))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing, expected a YAML file. {cure}") from None
    except (YAMLError, ValueError, OSError) as error:
        raise ParamsError(f"{path} is not YAML: {error}. {cure}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ParamsError(f"{path} contains a {type(content).__name__}, expected `key: value` lines. {cure}")
    return content


def load_yaml(text: str) -> Any:
    """Return the content of YAML text; text that is too large or too deep, or has too large a number, is an error."""
    _check_size(text)
    try:
        content = YAML(typ="safe").load(text)
    except KeyError as error:
        raise ValueError(f"a value does not fit its tag: {error}") from error
    _check_values(content)
    return content


def _check_size(text: str) -> None:
    """Refuse text before anything is built from it; an alias counts as what it repeats."""
    too_large = f"found more than {MOST_CHARACTERS:,} characters with all aliases (a value counts as {VALUE} or more)"
    if len(text) > MOST_CHARACTERS:
        raise ValueError(too_large)
    size, anchored, open_parts = 0, dict[str | None, int](), list[tuple[str | None, int]]()
    for event in YAML(typ="safe").parse(text):
        if isinstance(event, STARTS):
            open_parts.append((event.anchor, size))
        elif isinstance(event, ENDS):
            anchor, before = open_parts.pop()
            anchored[anchor] = size - before
        elif isinstance(event, ScalarEvent):
            anchored[event.anchor] = VALUE + len(event.value)
            size += anchored[event.anchor]
        elif isinstance(event, AliasEvent):
            size += anchored.get(event.anchor, MOST_CHARACTERS + 1)  # within what it repeats: it has no end
        if size > MOST_CHARACTERS:
            raise ValueError(too_large)
        if len(open_parts) > DEEPEST:
            raise ValueError(f"found more than {DEEPEST} nested lists or mappings")


def _check_values(content: Any) -> None:
    if isinstance(content, str) and "\0" in content:
        raise ValueError("found a NUL character in a text, expected none")
    if isinstance(content, int) and abs(content) > LARGEST_NUMBER:
        raise ValueError(f"found a number of {len(str(abs(content)))} digits, expected at most {LARGEST_NUMBER:,}")
    if isinstance(content, dict | list | set):
        for part in content:
            _check_values(part)
    if isinstance(content, dict):
        for part in content.values():
            _check_values(part)

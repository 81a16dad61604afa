"""Collect where a value of a result comes from, by dvc.lock and git."""

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from posixpath import normpath
from typing import Any

from lab.core.errors import SourceError
from ops.revisions.lock import Item, LockedStage
from ops.revisions.paths import inside, inside_any
from ops.revisions.snapshot import Snapshot
from ops.why.last_move import Moved, last_move
from ops.why.values import children_of, leaves, lines_with, lookup, names_of

CODE = ("lab/", "stages/", "serving/", "ops/")
PINS = "requirements.txt"
MOST_KEYS = 40  # that a message lists
LINE = 90  # characters of a line that a message lists
SHORT = 7  # characters of a fingerprint
Lock = Mapping[str, LockedStage]


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: what its stage ran with, by dvc.lock, and its last move; notes say what is not sure."""

    result: str
    value: Any
    stage: str
    command: str
    scripts: dict[str, str]
    rooms: dict[str, str]
    params: dict[str, Any]
    data: dict[str, str]
    pins: dict[str, str]
    before: tuple[str, ...]
    moved: Moved | None
    notes: tuple[str, ...]


def origin_of(result: str, here: Snapshot) -> Origin:
    """Return where the value of FILE:KEY in the working tree comes from."""
    name, _, key = result.partition(":")
    path = normpath(name)
    stage = _writer(path, here.lock)
    if stage is None:
        near = get_close_matches(path, [out for each in here.lock.values() for out in each.outputs], n=3)
        raise SourceError(
            f"{path} is not the output of a stage in dvc.lock, expected one"
            + (f", such as {', '.join(near)}" if near else "; `dvc stage list` shows what each stage writes")
        )
    key, words, value = _value(path, key, here, stage) if path.endswith(".json") else _line(path, key, here, stage)
    items = stage.dependencies.values()
    code = [each for each in items if each.path.startswith(CODE) and _writer(each.path, here.lock) is None]
    moved, unsaved = last_move(path, words, here)
    return Origin(
        result=f"{path}:{key}",
        value=value,
        stage=stage.name,
        command=stage.command,
        scripts=_short(each for each in code if not each.is_folder),
        rooms=_short(each for each in code if each.is_folder),
        params=dict(pair for file in stage.params.values() for pair in leaves(file, lists=False)),
        data=_short(each for each in items if each not in code and each.path != PINS),
        pins=_short(each for each in items if each.path == PINS),
        before=tuple(_before(stage, here.lock)),
        moved=moved,
        notes=(*unsaved, *_edited(path, stage, here)),
    )


def _missing(path: str, stage: LockedStage) -> SourceError:
    return SourceError(
        f"{path}, expected as an output of stage {stage.name}, is not here. "
        f"Cure: git checkout -- {path}, or dvc repro {stage.name}"
    )


def _line(path: str, words: str, here: Snapshot, stage: LockedStage) -> tuple[str, str, str]:
    """Return the number of the line, the words that find it in other commits, and the line."""
    content = here.read(path)
    if content is None:
        raise _missing(path, stage)
    try:
        lines = lines_with(content.decode(), words)
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is no text, expected a JSON or text file: {error}.") from error
    if len(lines) != 1:
        shown = "".join(f"\n  {path}:{at}  {line[:LINE]}" for at, line in list(lines.items())[:MOST_KEYS])
        raise SourceError(
            f"{path} has {len(lines)} lines with {words!r}, expected one. Add a line's number or its words.{shown}"
        )
    ((at, line),) = lines.items()
    return str(at), line if words.isdecimal() else words, line


def _value(path: str, key: str, here: Snapshot, stage: LockedStage) -> tuple[str, str, Any]:
    document = here.result(path)
    if document is None:
        raise _missing(path, stage)
    found = lookup(document, key)
    if not found:
        known = [name for name, _ in leaves(document)]
        alike = [name for name in known if f".{name}".endswith(f".{key.rpartition('.')[2]}")]
        near = "".join(get_close_matches(key, alike or known, n=1, cutoff=0))
        raise SourceError(f"{path} has no key {key}. Cure: python -m ops why {shlex.quote(f'{path}:{near}')}")
    if children_of(found[0]):
        names = ", ".join(names_of(found[0])[:MOST_KEYS])
        raise SourceError(f"{path}:{key} holds several values, expected one. Add one of its keys: {names}")
    return key, key, found[0]


def _writer(path: str, lock: Lock) -> LockedStage | None:
    return next((each for each in lock.values() if inside_any(path, each.outputs)), None)


def _before(stage: LockedStage, lock: Lock) -> list[str]:
    """Return the stages before a stage, each after those that it needs."""
    found: dict[str, None] = {}

    def visit(one: LockedStage) -> None:
        for path in one.dependencies:
            for each in lock.values():
                if each.name not in found and any(inside(path, out) or inside(out, path) for out in each.outputs):
                    visit(each)
                    found[each.name] = None

    visit(stage)
    return list(found)


def _edited(path: str, stage: LockedStage, here: Snapshot) -> tuple[str, ...]:
    item, content = stage.outputs.get(path), here.read(path)
    if item is None or hashlib.md5(content or b"", usedforsecurity=False).hexdigest() == item.md5:
        return ()
    return (f"{path} is not what dvc.lock records: `dvc status` says what changed",)


def _short(items: Iterable[Item]) -> dict[str, str]:
    return {each.path: each.md5[:SHORT] for each in items}

"""Whether a revision's results belong to its code, settings and data, by its dvc.lock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from lab.core.errors import LabError
from ops.compare.changes import in_one_line
from ops.compare.predicted import Store
from ops.compare.stages import commands_of
from ops.dvc.fingerprints import folder_md5
from ops.revisions.files import Tree
from ops.revisions.lock import Item, LockedStage

ABSENT = object()


@dataclass(frozen=True)
class StaleStage:
    """A stage whose results are not of this revision, and what differs since it last ran."""

    stage: str
    differs: tuple[str, ...]


@dataclass(frozen=True)
class _Facts:
    """A revision: the MD5 of each file and folder in git, the settings, the commands, and each output's record."""

    in_git: Mapping[str, str]
    params: Mapping[str, Mapping[str, Any]]
    commands: Mapping[str, str]
    written: Mapping[str, Item]


def stale_stages(store: Store) -> tuple[StaleStage, ...]:
    """Return the stale stages without reading data: for outputs that DVC keeps, the record counts.

    A revision without dvc.yaml has none.
    """
    stages, facts = store.stages, _facts_of(store)
    missing = [StaleStage(name, ("it never ran",)) for name in facts.commands if name not in stages]
    found = [StaleStage(name, tuple(_differences(stage, facts))) for name, stage in stages.items()]
    return tuple(each for each in [*missing, *found] if each.differs)


def _facts_of(store: Store) -> _Facts:
    stages, snapshot = store.stages, store.snapshot
    written = {path: item for stage in stages.values() for path, item in stage.outputs.items()}
    items = [*written.values(), *(item for stage in stages.values() for item in stage.dependencies.values())]
    named = {name for stage in stages.values() for name in stage.params}
    return _Facts(
        Tree(snapshot).md5s(items),
        {name: snapshot.yaml(name) or {} for name in named},
        commands_of(snapshot),
        _with_parents(written, store),
    )


def _with_parents(written: Mapping[str, Item], store: Store) -> dict[str, Item]:
    """Return the outputs, and with them each folder that a stage reads and that stages write into.

    Such a folder's record follows from theirs and from what git has there; without their listings it counts as
    unchanged.
    """
    tree = Tree(store.snapshot)
    read = {path: item for stage in store.stages.values() for path, item in stage.dependencies.items()}
    parents = {
        path: item for path, item in read.items() if item.is_folder and path not in written and _below(path, written)
    }
    return {**written, **{path: _joined(item, _below(path, written), store, tree) for path, item in parents.items()}}


def _below(folder: str, written: Mapping[str, Item]) -> list[Item]:
    return [item for path, item in written.items() if path.startswith(f"{folder}/")]


def _joined(folder: Item, parts: list[Item], store: Store, tree: Tree) -> Item:
    files = tree.files_below(folder)
    try:
        for part in parts:
            inside = part.path[len(folder.path) + 1 :]
            listing = json.loads(store.listing(part.path)) if part.is_folder else [{"md5": part.md5, "relpath": ""}]
            files |= {f"{inside}/{entry['relpath']}".rstrip("/"): str(entry["md5"]) for entry in listing}
    except LabError:
        return folder
    return replace(folder, md5=folder_md5(files))


def _differences(stage: LockedStage, facts: _Facts) -> list[str]:
    command = facts.commands[stage.name]
    return [
        *(["its command"] if command != stage.command and "${" not in command else []),
        *(f"{name} in {file}" for file, names in stage.params.items() for name in _settings(names, facts.params[file])),
        *(item.path for item in stage.dependencies.values() if _differs(item, facts)),
        *(
            f"{item.path}, which it wrote"
            for item in stage.outputs.values()
            if facts.in_git.get(item.path) not in {None, item.md5}
        ),
    ]


def _settings(recorded: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    return [name for name, value in recorded.items() if in_one_line(_setting(name, content)) != in_one_line(value)]


def _setting(name: str, content: Any) -> Any:
    for part in name.split("."):
        content = content.get(part, ABSENT) if isinstance(content, Mapping) else ABSENT
    return content


def _differs(item: Item, facts: _Facts) -> bool:
    if item.path in facts.written:
        return facts.written[item.path].md5 != item.md5
    if any(str(folder) in facts.written for folder in PurePosixPath(item.path).parents):
        return False  # a file in a folder that DVC keeps: the folder's own record was compared with its readers
    return facts.in_git.get(item.path) != item.md5

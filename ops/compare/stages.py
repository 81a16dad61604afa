"""The stages that a revision's dvc.yaml names, with the commands that it gives them."""

import re
from collections.abc import Mapping
from typing import Any

from ops.revisions.lock import LockedStage
from ops.revisions.snapshot import Snapshot

PLACE = re.compile(r"\$\{([^}]+)\}")


def commands_of(snapshot: Snapshot) -> dict[str, str]:
    """Return the command of each stage, of foreach stages by key; unknown `${…}` stay as they are."""
    params = snapshot.yaml("params.yaml") or {}
    stages = (snapshot.yaml("dvc.yaml") or {}).get("stages", {})
    return {name: command for stage, body in stages.items() for name, command in _resolved(stage, body, params).items()}


def locked_stages(snapshot: Snapshot) -> dict[str, LockedStage]:
    """Return the lock's entries of the stages that dvc.yaml names, because DVC keeps those of removed stages."""
    named = commands_of(snapshot)
    return {name: stage for name, stage in snapshot.lock.items() if name in named}


def _resolved(stage: str, body: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, str]:
    if "foreach" not in body:
        return {stage: _filled(str(body.get("cmd", "")), params)}
    items = _items(body["foreach"], params)
    command = str(body.get("do", {}).get("cmd", ""))
    each = {"key": items} if isinstance(items, Mapping) else {"item": list(items)}
    return {
        f"{stage}@{item}": _filled(command, {**params, kind: item}) for kind, found in each.items() for item in found
    }


def _items(foreach: object, params: Mapping[str, Any]) -> Any:
    if isinstance(foreach, str) and (place := PLACE.fullmatch(foreach)):
        return _value(place.group(1), params) or {}
    return foreach if isinstance(foreach, Mapping | list) else {}


def _filled(command: str, params: Mapping[str, Any]) -> str:
    def value(place: re.Match[str]) -> str:
        found = _value(place.group(1), params)
        return place.group() if found is None else str(found)

    return PLACE.sub(value, command)


def _value(name: str, params: Mapping[str, Any]) -> Any:
    found: Any = params
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found

"""Whether an entry of dvc.lock is up to date, and if not, what has changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.pages.markdown import listed
from ops.dvc.stages import files_read, fingerprint_of, is_setting, path_of
from ops.revisions.lock import Entry
from ops.verify.fingerprints import Outputs

LONGEST = 40


def inputs_changed(stage: Any, entry: Entry, outputs: Outputs) -> list[str]:
    """Return what differs from an entry: command, settings, files; nothing when it is up to date.

    The stage has the entry. Of a frozen one only the command counts, as in DVC.
    """
    if not entry:
        return ["never ran"]
    changes = ["another command"] if stage.cmd_changed else []
    if stage.is_callback or stage.always_changed:
        changes.append("runs every time")
    if not stage.frozen:
        changes += [*_settings(stage), *_files(stage, outputs)]
    return changes + list(_forgotten(stage, entry))


def outputs_changed(stage: Any) -> list[str]:
    """Return the outputs in the working tree that are not as the entry says; a cached one need not be there."""
    words = {"deleted": "is gone", "modified": "is not what it wrote", "new": "was never recorded"}
    found = []
    for out in stage.outs:
        if out.use_cache and not out.exists:
            if not out.hash_info:
                found.append(f"{path_of(out)} was never recorded")
            continue
        found += [f"{path_of(out)} {words.get(what, what)}" for what in out.workspace_status().values()]
    return found


def overlooked(stage: Any, in_git: Mapping[str, str], outputs: Outputs) -> list[str]:
    """Return what differs from the entry by git's files and not by DVC's check, which trusts size and time.

    So DVC misses a file changed inside a folder when both stay the same (treeverse/dvc #11099).
    """
    read = [] if stage.frozen else [each for each in files_read(stage) if not outputs.touches(path_of(each))]
    items = [*read, *(out for out in stage.outs if not out.use_cache)]
    suspects = [item for item in items if in_git.get(path_of(item), "") not in {"", fingerprint_of(item)}]
    return [
        f"{path_of(item)} changed, and DVC overlooks it: `touch` its files before `dvc repro`"
        for item in suspects
        if not item.workspace_status()
    ]


def _settings(stage: Any) -> Iterator[str]:
    for dependency in filter(is_setting, stage.deps):
        found: Any = next(iter(dependency.workspace_status().values()), {})
        if isinstance(found, str):
            yield f"{dependency.def_path} is {'gone' if found == 'deleted' else 'not recorded'}"
            continue
        if found:
            before, now = dependency.hash_info.value or {}, dependency.read_params()
            yield from (f"{name} {_change(name, before, now)}" for name in found)


def _change(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if name not in now:
        return "is gone from the settings"
    if name not in before:
        return "is a new setting"
    old, new = str(before[name]), str(now[name])
    return f"is {new}, it ran with {old}" if max(len(old), len(new)) <= LONGEST else "changed"


def _files(stage: Any, outputs: Outputs) -> Iterator[str]:
    for dependency in files_read(stage):
        path = path_of(dependency)
        if outputs.touches(path):
            expected, found = outputs.fingerprint(dependency), fingerprint_of(dependency)
            if strays := outputs.strays(dependency):
                yield f"{path} holds {listed(strays)}, which no stage writes: remove it"
            if not found:
                yield f"{path} is a new dependency"
            elif expected is None and outputs.doubt_is_change:
                yield f"{path} may not be what it read"
            elif expected is not None and expected != found:
                yield f"{path} is not what it read"
            continue
        words = {"deleted": "is gone", "modified": "changed" if dependency.hash_info else "is a new dependency"}
        yield from (f"{path} {words.get(what, what)}" for what in dependency.workspace_status().values())


def _forgotten(stage: Any, entry: Entry) -> Iterator[str]:
    """Yield what an entry records and dvc.yaml no longer declares: DVC ignores it, and keeps it."""
    declared = {path_of(item) for item in (*files_read(stage), *stage.outs)}
    recorded = {item["path"] for item in (*entry.get("deps", []), *entry.get("outs", []))}
    settings = {item.def_path: item.params for item in stage.deps if is_setting(item)}
    for path, values in entry.get("params", {}).items():
        known = settings.get(path)
        recorded |= {f"{path}: {name}" for name in values if known is None or (known and name not in known)}
    yield from (f"{name} is recorded and no longer declared" for name in sorted(recorded - declared))

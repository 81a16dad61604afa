"""Find an incomplete dvc.lock or rwlock, left by a killed DVC or a full disk."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from ops.dvc.config import read_config
from ops.dvc.stages import Pipeline, files_read, path_of
from ops.revisions.git import content_at, lines_of
from ops.revisions.lock import LOCK, Entry, entries_of

RWLOCK = Path(".dvc/tmp/rwlock")
MARK = b"<<<<<<< "
PID = re.compile(r'"pid": (\d+)')
MENDED = f"Removed {RWLOCK}: a killed DVC or a full disk left it incomplete, and nobody holds it."
INDEX = ""  # as git writes it before a colon


class TornFileError(LabError):
    """A file of DVC is incomplete."""


def check_files_of_dvc(root: Path, *, say: Callable[[str], None]) -> None:
    """Before DVC runs: remove an unreadable rwlock, and raise an error if dvc.lock is incomplete."""
    if mend_rwlock(root):
        say(MENDED)
    refuse_torn_lock(root)


def refuse_torn_lock(root: Path) -> None:
    """Raise an error with its cure if dvc.lock is incomplete. Most incomplete ones are valid YAML to DVC."""
    if lost := what_is_lost(root):
        raise TornFileError(
            f"{LOCK} is incomplete: {lost}, expected all that DVC wrote. A killed DVC or a full disk leaves it so. "
            f"Cure: {_cure(root)}"
        )


def what_is_lost(root: Path) -> str:
    """Return what dvc.lock lacks; nothing if it is complete, absent, or has conflict markers."""
    content = (root / LOCK).read_bytes() if (root / LOCK).is_file() else None
    in_git = [known for commit in (INDEX, "HEAD") if (known := content_at(commit, LOCK, root=root))]
    if content is None or content in in_git or MARK in content:
        return ""
    return breaks_off(content) or _lost_entries(content, [known for known in in_git if not breaks_off(known)], root)


def breaks_off(content: bytes) -> str:
    """Return how the text of a dvc.lock shows by itself that its end is missing; nothing where it does not."""
    if not content:
        return "it is empty"
    if not content.endswith(b"\n"):
        return "it ends within a line"
    try:
        entries = entries_of(content)
    except LabError:
        return "it is no YAML"
    if not re.match(rb"schema: ['\"]|\{", content):
        return "it has no schema"
    return next(_incomplete(list(entries.items())[-1:]), "")


def mend_rwlock(root: Path) -> bool:
    """Remove an rwlock that DVC cannot read and nobody holds; return whether there was one."""
    if _readable(root / RWLOCK):
        return False
    from dvc.lock import LockError, make_lock  # noqa: PLC0415 - DVC takes a quarter of a second to import

    hardlink = bool(read_config(root)["core"].get("hardlink_lock"))
    guard = make_lock(str(root / f"{RWLOCK}.lock"), tmp_dir=str(root / RWLOCK.parent), hardlink_lock=hardlink)
    try:
        with guard:  # DVC writes the file only while it holds this
            if _readable(root / RWLOCK):
                return False
            named = PID.findall((root / RWLOCK).read_text(encoding="utf-8", errors="replace"))
            if running := [pid for pid in named if _is_running(int(pid))]:
                raise TornFileError(
                    f"{RWLOCK} is incomplete, and a process that it names is running: {running[0]}. Cure: wait for its "
                    f"end and call this again; if it is no DVC: rm {RWLOCK}"
                )
            (root / RWLOCK).unlink()
    except LockError as error:
        raise TornFileError(f"{RWLOCK} is being written by another DVC. Cure: call this again") from error
    return True


def _readable(path: Path) -> bool:
    if not path.is_file():
        return True
    from dvc.rwlock import SCHEMA  # noqa: PLC0415 - as above
    from voluptuous import Invalid  # noqa: PLC0415 - as above

    with suppress(ValueError, Invalid):
        SCHEMA(json.loads(path.read_bytes()))
        return True
    return False


def _is_running(process: int) -> bool:
    with suppress(PermissionError):  # that of another user
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


def _incomplete(entries: list[tuple[str, Any]]) -> Iterator[str]:
    """Yield what an entry lacks that every entry of DVC's has."""
    for name, entry in entries:
        if not isinstance(entry, Mapping) or not entry.get("cmd"):
            yield f"{name} has no command"
            return
        sections = [entry[key] for key in ("deps", "params", "outs") if key in entry]
        items = sections[-1] if sections else []
        last = items[-1] if isinstance(items, list) and items else {"path": "", "md5": "", "size": 0}
        folder = str(last.get("md5") or "").endswith(".dir")
        if sections and (not items or (isinstance(items, Mapping) and None in items.values())):
            yield f"a section of {name} is empty"
        elif len(last) == 1 or last.get("hash", "path") not in last or ("md5" in last and "size" not in last):
            yield f"{name} has no hash or size of {last.get('path')}"
        elif folder and "nfiles" not in last:
            yield f"{name} has no count of files of {last.get('path')}"


def _lost_entries(content: bytes, in_git: list[bytes], root: Path) -> str:
    """Return what the file lacks at its end by comparison with git's versions and dvc.yaml."""
    now, known = entries_of(content), [entries_of(each) for each in in_git]
    pipeline = Pipeline(root)
    for before in known:
        absent = [name for name in before if name not in now]
        behind = list(before)[max([list(before).index(name) for name in before if name in now], default=-1) + 1 :]
        if (lost := [name for name in absent if name in pipeline.names]) and set(lost) <= set(behind):
            return f"it has no entry of {', '.join(lost)}, which git's version has"
    name = list(now)[-1] if now else ""
    if name in pipeline.names and all(before.get(name) != now[name] for before in known):
        return _lost_items(pipeline.stages[name], name, now[name])
    return ""


def _lost_items(stage: Any, name: str, entry: Entry) -> str:
    """Return the outputs that the last entry lacks behind those that it has; DVC sorts them by path."""
    written = [str(out["path"]) for out in entry.get("outs", [])]
    lost = sorted({path_of(out) for out in stage.outs} - set(written))
    if lost and (not written or lost[0] > max(written)):
        return f"the entry of {name} has no {', '.join(lost)}"
    read = [str(dependency["path"]) for dependency in entry.get("deps", [])]
    absent = sorted({path_of(item) for item in files_read(stage)} - set(read))
    return f"the entry of {name} has no {', '.join(absent)}" if absent and not stage.outs else ""


def _cure(root: Path) -> str:
    if lines_of("ls-files", "--unmerged", "--", LOCK, root=root):
        return "python -m ops resolve"
    whole = [commit for commit in (INDEX, "HEAD") if not breaks_off(content_at(commit, LOCK, root=root) or b"")]
    restore = {INDEX: f"git checkout -- {LOCK}", "HEAD": f"git checkout HEAD -- {LOCK}"}
    if not whole:
        return f"rm {LOCK}; the next run computes every stage again, because git has no complete version"
    return f"{restore[whole[0]]}; the next run computes again what that version does not record"

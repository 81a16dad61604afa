"""Read and write entries of champion.yaml, leaving all other bytes unchanged."""

import hashlib
import io
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ParamsError
from lab.core.yaml_files import load_yaml
from lab.model_files.manifest import Manifest
from lab.model_files.specification import Specification
from lab.train.champion import CURE, FILE, Champion, champion_in
from ops.revisions.snapshot import Snapshot

PROMOTION = ("replaces", "because", "gain", "overruled")
ORDER = ("version", *PROMOTION, *Specification.model_fields, "trained_until")


def entry_at(snapshot: Snapshot, task: str) -> Champion:
    """Return a task's champion in the champion.yaml of a revision."""
    content = snapshot.yaml(str(FILE))
    if not isinstance(content, dict):
        raise ParamsError(
            f"{FILE} at {snapshot.name} has no entry, expected one of {task}. Cure: git checkout {FILE}, or another "
            "revision"
        )
    return champion_in(content, task, file=f"{FILE} at {snapshot.name}")[1]


def entry_of(manifest: Manifest, **promotion: Any) -> Champion:
    """Return the entry that derives a model again, with open settings filled in.

    `features: null` would include columns that a task gains later, and "best" might choose another calibration. Later
    rows are excluded by the last day on which a label of the training rows became known.
    """
    written_out = manifest.specification.model_dump() | {
        "features": tuple(manifest.inputs.features),
        "calibration": manifest.calibration,
    }
    return Champion.model_validate(written_out | {"trained_until": known_until(manifest)} | promotion)


def known_until(manifest: Manifest) -> date | None:
    """Return the day when the label of the newest training row became known; None without a time column."""
    if manifest.training.last_moment is None:
        return None
    newest = datetime.fromisoformat(manifest.training.last_moment)
    return (newest + timedelta(days=manifest.inputs.folds.horizon_days)).date()


def same_model(one: Champion, other: Champion) -> bool:
    """Return whether two entries specify the same model; a missing day matches any."""
    days = {one.trained_until, other.trained_until} - {None}
    return one.specification == other.specification and len(days) <= 1


def is_derived_from_entry(snapshot: Snapshot) -> bool:
    """Return whether the model in a revision's dvc.lock was derived from its champion.yaml."""
    md5 = hashlib.md5(snapshot.read(str(FILE)) or b"", usedforsecurity=False).hexdigest()
    found = [stage.dependencies[str(FILE)].md5 for stage in snapshot.lock.values() if str(FILE) in stage.dependencies]
    return bool(found) and set(found) == {md5}


def write_entry(path: Path, task: str, entry: Champion) -> None:
    """Write an entry into champion.yaml, atomically; only the task's old entry changes."""
    fresh = with_entry(path.read_text(encoding="utf-8"), task, entry)
    with replaced_file(path) as partial:
        partial.write_text(fresh, encoding="utf-8", newline="")


def with_entry(text: str, task: str, entry: Champion) -> str:
    """Return the text of champion.yaml with the task's entry replaced, or appended."""
    lines = text.splitlines(keepends=True)
    start, end = _place(lines, task)
    before = "".join(lines[:start])
    if before and not before.endswith("\n"):
        before += "\n"
    fresh = before + _text_of(task, entry) + "".join(lines[end:])
    _check(text, fresh, task, entry)
    return fresh


def _place(lines: list[str], task: str) -> tuple[int, int]:
    """Return the lines of the task's entry: from its key to its last line of content."""
    key = re.compile(rf"""(["']?){re.escape(task)}\1[ \t]*:(?=[ \t\r\n]|$)""")
    start = next((place for place, line in enumerate(lines) if key.match(line)), None)
    if start is None:
        return len(lines), len(lines)
    end = start + 1
    for place in range(start + 1, len(lines)):
        if lines[place].strip() and not lines[place].startswith("#"):
            if not lines[place][0].isspace():
                break
            end = place + 1
    return start, end


def _text_of(task: str, entry: Champion) -> str:
    said = entry.model_dump()
    said["features"] = None if entry.features is None else list(entry.features)
    kept = {name: said[name] for name in ORDER if name not in PROMOTION or said[name] is not None}
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = False, 1_000_000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump({task: kept}, stream)
    return stream.getvalue()


def _check(old: str, fresh: str, task: str, entry: Champion) -> None:
    """Refuse a text that does not parse to the expected entries."""
    expected = {name: body for name, body in (_parsed(old) or {}).items() if name != task}
    found = _parsed(fresh)
    others = {name: body for name, body in found.items() if name != task} if isinstance(found, dict) else None
    if others != expected or champion_in(found, task, file=str(FILE))[1] != entry:
        raise ParamsError(
            f"{FILE} has a form in which the entry of {task} cannot be replaced, expected its key at a line start "
            "and its lines indented below. Correct it there."
        )


def _parsed(text: str) -> Any:
    try:
        return load_yaml(text)
    except (ValueError, YAMLError) as error:
        raise ParamsError(f"{FILE} is not YAML: {error}. {CURE}") from error

"""Make revisions of a project with a past by hand, without running anything."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.history import commit_all
from tests.project import change_params, run

PREDICTIONS = "data/predictions/test.parquet"
FEATURES = "data/features/test.parquet"


def revision(
    folder: Path,
    name: str,
    *,
    of: str = "first",
    outputs: Mapping[str, bytes] | None = None,
    files: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
) -> str:
    """Commit a branch of a revision with other outputs, files or settings; return its name."""
    run(["git", "checkout", "--quiet", "-b", name, of], cwd=folder)
    for path, content in (outputs or {}).items():
        put_output(folder, path, content)
    for path, text in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if params:
        change_params(folder, params)
    commit_all(folder, name)
    return name


def put_output(folder: Path, path: str, content: bytes) -> None:
    """Put a file in place of an output's into the cache and the lock, as if a stage had written it."""
    lock = (folder / "dvc.lock").read_text()
    parent, _, name = path.rpartition("/")
    listing_md5 = recorded(folder, parent)
    listing = json.loads(cached(folder, listing_md5).read_bytes())
    old = next(entry["md5"] for entry in listing if entry["relpath"] == name)
    new = _keep(folder, content)
    entries = [{"md5": new if each["relpath"] == name else each["md5"], "relpath": each["relpath"]} for each in listing]
    changed = _keep(folder, json.dumps(entries, sort_keys=True).encode(), suffix=".dir")
    (folder / "dvc.lock").write_text(lock.replace(old, new).replace(listing_md5, changed))


def recorded(folder: Path, path: str) -> str:
    """Return the MD5 that the lock records for a path."""
    lines = (folder / "dvc.lock").read_text().splitlines()
    place = lines.index(f"    - path: {path}")
    return next(line.split()[-1] for line in lines[place:] if line.strip().startswith("md5:"))


def cached(folder: Path, md5: str) -> Path:
    """Return where the cache keeps an object."""
    return folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def pushed(folder: Path, md5: str) -> Path:
    """Return where the default remote keeps an object."""
    return folder / ".dvc/storage/files/md5" / md5[:2] / md5[2:]


def output_table(folder: Path, path: str) -> pa.Table:
    """Return a table among the outputs of the revision that is checked out, from the cache."""
    parent, _, name = path.rpartition("/")
    listing = json.loads(cached(folder, recorded(folder, parent)).read_bytes())
    md5 = next(entry["md5"] for entry in listing if entry["relpath"] == name)
    return pq.read_table(pa.BufferReader(cached(folder, md5).read_bytes()))


def parquet(table: pa.Table) -> bytes:
    """Return a table as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _keep(folder: Path, content: bytes, *, suffix: str = "") -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
    for place in (cached(folder, md5), pushed(folder, md5)):
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_bytes(content)
    return md5

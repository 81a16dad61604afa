"""The in-toto statement of a registered version: SHA-256 of model, metrics and lock."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import SourceError
from lab.core.result_files import json_bytes
from ops.registry.tags import Tag
from ops.revisions.git import contents_at, lines_of
from ops.revisions.lock import LOCK
from ops.revisions.objects import Objects
from ops.revisions.snapshot import Snapshot

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
COMMAND = "https://dvc.org/doc/command-reference/repro"
BUILDER = "urn:tabular-lab:signer"  # the machine of each signer: the signature names the person
MODEL, METRICS, PINS = "models/champion", "metrics", "requirements.txt"


def statement_of(tag: Tag, *, root: Path) -> bytes:
    """Return the statement; it has no clock, host or path, so equal bytes give an equal statement.

    Git has lock and metrics, the cache or the remote has the model; the working tree is not read.
    """
    kept = lines_of("ls-tree", "-r", "-z", "--name-only", tag.commit, "--", METRICS, LOCK, root=root)
    files = contents_at(tag.commit, kept, root=root) | _model(tag, root=root)
    commit = {"name": "commit", "digest": {"gitCommit": tag.commit}}
    pins = contents_at(tag.commit, [PINS], root=root)
    statement = {
        "_type": STATEMENT,
        "subject": _digests(files),
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": COMMAND,
                "externalParameters": {"command": "dvc repro --force", "version": tag.name},
                "resolvedDependencies": [commit, *_digests(pins)],
            },
            "runDetails": {"builder": {"id": BUILDER}},
        },
    }
    return json_bytes(statement)


def subjects_of(statement: bytes, *, where: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that a statement names, and its commit."""
    try:
        found: Any = json.loads(statement)
        named = {str(each["name"]): str(each["digest"]["sha256"]) for each in found["subject"]}
        commit = found["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SourceError(
            f"{where} cannot be read: {error!r}, expected an in-toto statement. Cure: git checkout {where}"
        ) from error
    return {**named, "commit": str(commit)}


def changed_here(tag: Tag, subjects: Mapping[str, str], *, root: Path) -> list[str]:
    """Return the files of the working tree that are not as the statement says; none where HEAD has another dvc.lock."""
    locks = [contents_at(commit, [LOCK], root=root) for commit in ("HEAD", tag.commit)]
    if locks[0] != locks[1]:
        return []
    paths = {name: root / name for name in subjects if (root / name).is_file()}
    return sorted(name for name, path in paths.items() if sha256(path.read_bytes()) != subjects[name])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _model(tag: Tag, *, root: Path) -> dict[str, bytes]:
    stages, objects = Snapshot(tag.name, tag.commit, root).lock, Objects(root)
    items = [stage.outputs[MODEL] for stage in stages.values() if MODEL in stage.outputs]
    if not items:
        raise SourceError(
            f"{LOCK} at {tag.name} records no {MODEL}, expected the model of the version. "
            "Cure: name a version that has one; python -m ops history lists them."
        )
    listing = json.loads(objects.read(items[0].md5, what=MODEL))
    paths = {f"{MODEL}/{entry['relpath']}": entry["md5"] for entry in listing}
    return {path: objects.read(md5, what=path) for path, md5 in paths.items()}


def _digests(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [{"name": name, "digest": {"sha256": sha256(files[name])}} for name in sorted(files)]

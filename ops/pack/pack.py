"""Write a model's compiled form and its facts to a folder, atomically."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq

from lab.compiled.files import MANIFEST, read_compiled
from lab.core.errors import ModelError, SourceError
from lab.core.result_files import json_bytes
from lab.model_files.compiled_names import ARRAYS, PROGRAM
from ops.pack.source import Source
from ops.revisions.objects import Objects

ABOUT = "about.json"
REFERENCE, WORDS = "data/explanations/reference.parquet", "data/task/words.json"
STAGE = "explain"
SHOWN = ("roc_auc", "average_precision", "brier", "accuracy", "precision", "recall", "f1")


def pack(source: Source, output: Path, *, root: Path) -> None:
    """Write a new folder, check that it can be served, and point the link `output` to it.

    A link can be replaced atomically; the folder that it pointed to before is removed.
    """
    if output.exists() and not output.is_symlink():
        raise SourceError(f"{output} is a folder, expected a link made by `pack`. Cure: another --output.")
    output.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        made.chmod(0o755)
        for name, content in _files(source, root=root).items():
            (made / name).write_bytes(content)
        read_compiled(made)
        _point(output, made)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _point(output: Path, made: Path) -> None:
    old = output.resolve() if output.is_symlink() else None
    link = made.with_name(f"{made.name}.link")
    link.symlink_to(made.name)
    os.replace(link, output)
    if old is not None and old.parent == output.parent.resolve():
        shutil.rmtree(old, ignore_errors=True)


def _files(source: Source, *, root: Path) -> dict[str, bytes]:
    objects, stages = Objects(root), source.snapshot.lock
    folder = f"models/{source.model}"
    manifest = objects.output(stages, f"{folder}/{MANIFEST}")
    named = json.loads(manifest)["files"]
    found = {name: objects.output(stages, f"{folder}/{name}") for name in (PROGRAM, ARRAYS) if name in named}
    model = {MANIFEST: manifest, **found}
    explaining = _reasons(source, model, root=root) if ARRAYS in found else {}
    about = _about(source, json.loads(objects.output(stages, WORDS)), explaining)
    about["whole_numbers"] = _whole_numbers(objects.output(stages, REFERENCE)) if STAGE in stages else []
    return {**model, **explaining, ABOUT: json_bytes(about)}


def _whole_numbers(table: bytes) -> list[str]:
    """Return the integer columns of a feature table; the server refuses 2.5 for them."""
    schema = pq.read_schema(pa.BufferReader(table))
    return sorted(column.name for column in schema if pa.types.is_integer(column.type))


def _reasons(source: Source, model: Mapping[str, bytes], *, root: Path) -> dict[str, bytes]:
    """Return the files that explain the model; empty, with a message, if they would differ from the stage."""
    try:
        return _explained(source, model, root=root)
    except ModelError as error:
        click.echo(f"packed without reasons, so POST /explain is refused: {error}", err=True)
        return {}


def _explained(source: Source, model: Mapping[str, bytes], *, root: Path) -> dict[str, bytes]:
    if STAGE not in source.snapshot.lock:
        raise ModelError(
            f"the stage {STAGE} has not run in that revision. Cure: dvc repro, commit, and pack that commit."
        )
    from ops.pack.reasons import reasons_files  # noqa: PLC0415 - brings scikit-learn, and shap for trees

    return reasons_files(source, model, root=root)


def _about(source: Source, words: Mapping[str, Any], explaining: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the server says about the model, and the wording of reasons."""
    evaluated = source.snapshot.result("metrics/evaluate.json") or {}
    test = evaluated.get(source.model, {}).get("test", {})
    metrics = {name: {"value": test[name], "interval_95": test.get(f"{name}_95")} for name in SHOWN if name in test}
    return {
        "task": source.task,
        "version": source.version,
        "commit": source.snapshot.commit,
        "model": source.model,
        "metrics": metrics,
        "words": words,
        "reasons": {name: hashlib.sha256(content).hexdigest() for name, content in explaining.items()},
    }

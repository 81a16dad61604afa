"""Read the predictions of a revision: from the working tree, the cache or the remote."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.errors import LabError, SourceError
from lab.core.params import parse_json
from lab.core.schema import FeatureSchema
from lab.predictions.predictions import LABEL, MODELS, score_column
from ops.compare.stages import locked_stages
from ops.revisions.lock import Item, LockedStage
from ops.revisions.objects import Objects, UnavailableError
from ops.revisions.snapshot import Snapshot

PREDICTIONS = "data/predictions/test.parquet"
DESCRIBED = "data/predictions/models.json"
FEATURES = "data/features/test.parquet"
SCHEMA = "data/features/schema.json"
MONEY = "data/task/money.json"


@dataclass(frozen=True)
class Predictions:
    """Every row of the test window with its label and both models' scores; the keys name a row."""

    table: pa.Table
    thresholds: Mapping[str, float]
    schema: FeatureSchema

    @property
    def keys(self) -> list[str]:
        return self.schema.keys


@dataclass(frozen=True)
class Store:
    """One revision with the outputs that DVC keeps of it."""

    snapshot: Snapshot
    objects: Objects

    @cached_property
    def stages(self) -> dict[str, LockedStage]:
        return locked_stages(self.snapshot)

    def md5(self, path: str) -> str | None:
        """Return the recorded fingerprint of a file or folder that a stage reads or writes, where there is one."""
        found = (
            item
            for stage in self.stages.values()
            for item in (stage.outputs.get(path), stage.dependencies.get(path))
            if isinstance(item, Item)
        )
        return next((item.md5 for item in found), None)

    def content(self, path: str) -> bytes:
        """Return an output as recorded; the working tree's file only if it is the same."""
        md5 = self.md5(path)
        if md5 is None:
            return self.objects.output(self.stages, path)
        kept = self.snapshot.read(path) if self.snapshot.commit is None else None
        if kept is not None and hashlib.md5(kept, usedforsecurity=False).hexdigest() == md5:
            return kept
        return self.objects.read(md5, what=path)

    def listing(self, folder: str) -> bytes:
        """Return DVC's listing of a folder."""
        md5 = self.md5(folder)
        if md5 is None:
            raise UnavailableError(f"{folder} is no output in dvc.lock, expected a folder. Cure: dvc repro")
        return self.objects.read(md5, what=folder)

    def table(self, path: str) -> pa.Table:
        """Return a table."""
        try:
            return pq.ParquetFile(pa.BufferReader(self.content(path))).read()  # read_table imports twice as much
        except pa.ArrowInvalid as error:
            raise SourceError(
                f"{path} cannot be read as Parquet, expected a table: {error}. Cure: dvc repro"
            ) from error


def predictions_of(store: Store) -> Predictions:
    """Return a revision's predictions of the test window; each row has a label and two scores."""
    where = f"at {store.snapshot.name}"
    schema = parse_json(store.content(SCHEMA).decode(), kind=FeatureSchema, where=f"{SCHEMA} {where}", cure="dvc repro")
    table, described = store.table(PREDICTIONS), json_of(store, DESCRIBED)
    needed = [*schema.keys, LABEL, *map(score_column, MODELS)]
    if absent := [name for name in needed if name not in table.column_names]:
        raise SourceError(f"{PREDICTIONS} {where} lacks {absent}, expected {needed}. Cure: dvc repro evaluate")
    if empty := [name for name in needed if table[name].null_count]:
        raise SourceError(f"{PREDICTIONS} {where} lacks values in {empty}, expected none. Cure: dvc repro evaluate")
    try:
        thresholds = {model: float(described[model]["threshold"]) for model in MODELS}
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{DESCRIBED} {where} gives no thresholds, expected two. Cure: dvc repro evaluate") from error
    return Predictions(table, thresholds, schema)


def json_of(store: Store, path: str) -> Any:
    """Return the content of a JSON file among the outputs."""
    try:
        return json.loads(store.content(path))
    except ValueError as error:
        raise SourceError(f"{path} cannot be read as JSON, expected what its stage writes. Cure: dvc repro") from error


def unavailable(error: LabError, store: Store, *, output: str) -> SourceError:
    """Return an error that also names the revision, and the command that fetches or derives the output."""
    commit = store.snapshot.commit
    command = "dvc repro" if commit is None else f"python -m ops derive {commit[:12]} --output {output}"
    return SourceError(f"{briefly(error)} (at {store.snapshot.name}); `{command}` gets it")


def briefly(error: LabError) -> str:
    """Return what an error found, without expectation, cure or a library's words, which may name a machine.

    >>> briefly(LabError("data/x (0a1b) is not there, expected the bytes that dvc.lock records. Cure: dvc push"))
    'data/x (0a1b) is not there'
    """
    return re.split(r", expected|: |\. ", str(error), maxsplit=1)[0]

"""Write the files that explain a model, and compare them with the pipeline's reasons."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.compiled.files import MANIFEST, Compiled, arrays_bytes, program_bytes, read_compiled
from lab.core.params import parse_json
from lab.core.schema import SCHEMA, FeatureSchema
from lab.core.tables import read_table
from lab.model_files.compiled_names import REASONS, REASONS_ARRAYS
from lab.model_files.manifest import PIPELINE, fingerprint_of
from lab.models.models import load_model
from lab.task.words import WordsSection
from ops.pack.compile_reasons import Drawn, check_reasons, compile_reasons
from ops.pack.reasoning import Reasoning, reasoning_of
from ops.pack.source import Source
from ops.revisions.lock import LockedStage
from ops.revisions.objects import Objects

STAGE = "explain"
REFERENCE = "data/explanations/reference.parquet"
WORDS = "data/task/words.json"
ROWS_CHECKED = 40
FEWER_ROWS_CHECKED = 4  # of a permutation explainer, which scores a row a thousand times


@dataclass(frozen=True)
class _Kept:
    """What a revision keeps of a model and of its stage explain."""

    compiled: Compiled
    reference: pa.Table
    reasoning: Reasoning
    drawn: Drawn


def reasons_files(source: Source, model_files: Mapping[str, bytes], *, root: Path) -> dict[str, bytes]:
    """Return reasons.json and reasons.npz; refuse models whose reasons would differ from the stage's.

    `model_files` are the manifest and the compiled form.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = _kept(source, model_files, Path(folder), root=root)
    fingerprint = fingerprint_of(model_files[MANIFEST])
    compiled = compile_reasons(kept.reasoning, kept.reference, kept.compiled, drawn=kept.drawn, fingerprint=fingerprint)
    check_reasons(kept.reasoning, compiled, kept.compiled, _hard_rows(kept))
    program, arrays = compiled
    return {REASONS: program_bytes(program), REASONS_ARRAYS: arrays_bytes(arrays)}


def _kept(source: Source, model_files: Mapping[str, bytes], folder: Path, *, root: Path) -> _Kept:
    objects, stages = Objects(root), source.snapshot.lock
    own = folder / source.model
    own.mkdir()
    pipeline = objects.output(stages, f"models/{source.model}/{PIPELINE}")
    for name, content in {**model_files, PIPELINE: pipeline}.items():
        (own / name).write_bytes(content)
    (folder / "reference.parquet").write_bytes(objects.output(stages, REFERENCE))
    reference, drawn = read_table(folder / "reference.parquet"), _drawn(stages[STAGE])
    features = _parsed(objects, stages, str(SCHEMA), FeatureSchema).features
    words = _parsed(objects, stages, WORDS, WordsSection).words
    reasoning = reasoning_of(load_model(own), reference, features, words, walks=drawn.walks, seed=drawn.seed)
    return _Kept(read_compiled(own), reference, reasoning, drawn)


def _parsed(objects: Objects, stages: dict[str, LockedStage], path: str, kind: type[Any]) -> Any:
    text = objects.output(stages, path).decode()
    return parse_json(text, kind=kind, where=path, cure="Cure: dvc repro, in the model's revision")


def _drawn(stage: LockedStage) -> Drawn:
    """Return the settings of the stage's random walks by dvc.lock, not by params.yaml."""
    ran_with = {name: value for values in stage.params.values() for name, value in values.items()}
    return Drawn(walks=int(ran_with["explain"]["walks"]), seed=int(ran_with["seed"]))


def _hard_rows(kept: _Kept) -> pa.Table:
    """Return some rows of the reference, and one with all values missing."""
    walked = kept.reasoning.explainer.method == "permutation"
    some = kept.reference.slice(0, FEWER_ROWS_CHECKED if walked else ROWS_CHECKED)
    return pa.concat_tables([some, pa.Table.from_pylist([{}], schema=some.schema)])

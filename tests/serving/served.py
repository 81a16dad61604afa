"""Small packed models, and rows to score."""

import hashlib
import json
from pathlib import Path
from typing import Any

from lab.compile.write import write_compiled
from lab.compiled.files import arrays_bytes, program_bytes, read_compiled
from lab.model_files.compiled_names import REASONS, REASONS_ARRAYS
from lab.models.frames import frame_of
from lab.models.models import save_model
from lab.task.words import FeatureWords
from ops.pack.compile_reasons import Drawn, compile_reasons
from ops.pack.reasoning import Reasoning, reasoning_of
from tests.fitted import OTHER_ROWS, SCHEMA, model_of
from tests.fitted import ROWS as TRAINING_ROWS

ROWS: list[dict[str, Any]] = OTHER_ROWS.select(sorted(SCHEMA.features)).to_pylist()
COLUMNS: dict[str, list[Any]] = OTHER_ROWS.select(sorted(SCHEMA.features)).to_pydict()
WORDS = {"visits": FeatureWords(says=("came {visits:.0f} times",), missing=("never came",))}
DRAWN = Drawn(walks=4, seed=7)


def model_folder(folder: Path, variant: str = "logistic_regression") -> Path:
    """Return a folder with a packed model; a model that is there is replaced atomically."""
    made = folder.with_name(f".{folder.name}.new")
    made.mkdir(parents=True)
    model = model_of(variant)
    write_compiled(model.pipeline, frame_of(OTHER_ROWS, SCHEMA.features), made)
    save_model(model, made)
    link, target = folder.with_name(f"{folder.name}.link"), folder.with_name(f"{folder.name}-{variant}")
    made.rename(target)
    link.symlink_to(target)
    link.replace(folder)
    return folder


def explained_folder(folder: Path, variant: str = "logistic_regression") -> Path:
    """Return a folder with a packed model and its explanation files."""
    model_folder(folder, variant)
    fingerprint = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    program, arrays = compile_reasons(
        reasoning(variant), TRAINING_ROWS, read_compiled(folder), drawn=DRAWN, fingerprint=fingerprint
    )
    files = {REASONS: program_bytes(program), REASONS_ARRAYS: arrays_bytes(arrays)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    named = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    (folder / "about.json").write_text(json.dumps({"task": "visits", "reasons": named}))
    return folder


def reasoning(variant: str) -> Reasoning:
    """Return the explainer of the pipeline, without compiled files."""
    return reasoning_of(model_of(variant), TRAINING_ROWS, SCHEMA.features, WORDS, walks=DRAWN.walks, seed=DRAWN.seed)

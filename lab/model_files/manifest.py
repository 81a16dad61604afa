"""The manifest of a model folder: specification, training rows, and the fingerprint of each file."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from pydantic import Field

from lab.core.errors import ModelError
from lab.core.params import Params, parse_json
from lab.core.result_files import write_text
from lab.core.schema import FeatureSchema
from lab.model_files.specification import Specification

MANIFEST = "manifest.json"
PIPELINE = "pipeline.skops"
OUT_OF_FOLD = "out_of_fold.parquet"
SEARCH = "search.json"
LEARNING_CURVE = "learning_curve.json"
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
CURE = "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."


class TrainingRows(Params):
    """The number, period and fingerprint of the rows that a model was fitted on."""

    rows: int
    positives: int
    first_moment: str | None
    last_moment: str | None
    fingerprint: str


class FoldSize(Params):
    """The number of training and validation rows of one fold."""

    train: int
    validation: int


class Manifest(Params):
    """The description of a model without its fitted parameters."""

    specification: Specification
    inputs: FeatureSchema
    threshold: float
    threshold_rule: str
    calibration: str = "none"  # the chosen method when the specification says `best`
    training: TrainingRows
    folds: tuple[FoldSize, ...] = Field(strict=False)
    libraries: dict[str, str] = Field(default_factory=lambda: {name: version(name) for name in LIBRARIES})
    files: dict[str, str] = Field(default_factory=dict)
    overruled: dict[str, str] | None = None  # a champion's gates that a person overruled, with the reason


def fingerprint_of(content: bytes) -> str:
    """Return the SHA-256 of content as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest of a folder with the fingerprint of every file in it.

    Numbers keep all digits, since they are settings, not metrics.
    """
    files = {item.name: fingerprint_of(item.read_bytes()) for item in sorted(folder.iterdir()) if item.name != MANIFEST}
    unset = None if manifest.overruled else {"overruled"}
    document = manifest.model_copy(update={"files": files}).model_dump(mode="json", exclude=unset)
    write_text(json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False), folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder, after all files are verified; unlisted files are an error.

    Listed files may be absent, except for the pipeline: a challenger has no out-of-fold scores.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read, expected the manifest of a model: {error}. {CURE}") from error
    manifest = parse_json(text, kind=Manifest, where=str(path), cure=CURE)
    present = {item.name for item in folder.iterdir()} - {MANIFEST}
    if extra := sorted(present - set(manifest.files)):
        raise ModelError(f"{folder} contains {extra}, expected only {sorted(manifest.files)} of its manifest. {CURE}")
    for name in sorted(present | {PIPELINE}):
        _check(folder / name, expected=manifest.files.get(name))
    return manifest


def _check(path: Path, *, expected: str | None) -> None:
    try:
        found = fingerprint_of(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected a file of the model: {error}. {CURE}") from error
    if found != expected:
        raise ModelError(f"{path} has the fingerprint {found}, expected {expected} of its manifest. {CURE}")

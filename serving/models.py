"""Load a packed model from its folder and verify its fingerprints."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from lab.compiled.files import (
    MANIFEST,
    MOST_BYTES,
    MOST_JSON_BYTES,
    Compiled,
    damage_as_model_error,
    read_compiled,
    read_limited,
)
from lab.core.errors import ModelError
from lab.reasons.reasons import Reasoner, read_reasons
from serving.metrics import seconds_of

ABOUT = "about.json"
CURE = "Cure: `python -m ops pack` writes a folder that can be served."
MOST_FEATURES = 5_000
Kind = Literal["number", "boolean", "category"]


def _known_moment(moment: str) -> str:
    seconds_of(moment)
    return moment


Moment = Annotated[str, AfterValidator(_known_moment)]


class _Feature(BaseModel):
    kind: Kind


class _Inputs(BaseModel):
    question: str
    features: dict[str, _Feature] = Field(min_length=1, max_length=MOST_FEATURES)


class _Training(BaseModel):
    rows: int
    first_moment: Moment | None
    last_moment: Moment | None


class _Specification(BaseModel):
    estimator: str


class _Manifest(BaseModel):
    """The fields of manifest.json that the server needs; lab/model_files/manifest.py imports more libraries."""

    inputs: _Inputs
    threshold: FiniteFloat
    training: _Training
    specification: _Specification


class About(BaseModel):
    """The content of about.json, written by `python -m ops pack`; the file is optional."""

    model_config = ConfigDict(extra="ignore")

    task: str | None = None
    version: str | None = None
    metrics: dict[str, Any] = {}
    words: dict[str, Any] = {}
    whole_numbers: list[str] = []  # the features that are integers in the feature tables
    reasons: dict[str, str] = {}  # fingerprints of the explanation files; empty without explanations


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. Its fingerprint is that of the manifest, which contains those of the other files."""

    compiled: Compiled
    reasoner: Reasoner | None
    features: Mapping[str, Kind]
    threshold: float
    fingerprint: str
    question: str
    estimator: str
    training: Mapping[str, Any]
    about: About


def load_model(folder: Path, *, most_bytes: int = MOST_BYTES) -> LoadedModel:
    """Return the model of a folder, after its fingerprints are verified and test rows are scored."""
    with damage_as_model_error(folder):
        return _loaded(folder.resolve(), most_bytes=most_bytes)  # a link may change to another model meanwhile


def _loaded(folder: Path, *, most_bytes: int) -> LoadedModel:
    content = read_limited(folder / MANIFEST, MOST_JSON_BYTES)
    try:
        manifest = _Manifest.model_validate_json(content)
        about = About.model_validate_json(_about_bytes(folder))
    except ValidationError as error:
        raise ModelError(f"{folder} is not a model folder: {error}. {CURE}") from error
    compiled, fingerprint = read_compiled(folder, most_bytes=most_bytes), fingerprint_of(content)
    return LoadedModel(
        compiled=compiled,
        reasoner=read_reasons(folder, compiled, fingerprint=fingerprint, named=about.reasons, most_bytes=most_bytes)
        if about.reasons
        else None,
        features={name: feature.kind for name, feature in sorted(manifest.inputs.features.items())},
        threshold=manifest.threshold,
        fingerprint=fingerprint,
        question=manifest.inputs.question,
        estimator=manifest.specification.estimator,
        training=manifest.training.model_dump(),
        about=about,
    )


def _about_bytes(folder: Path) -> bytes:
    """Return about.json, or an empty object without the file."""
    return read_limited(folder / ABOUT, MOST_JSON_BYTES) if (folder / ABOUT).exists() else b"{}"


def fingerprint_of(manifest: bytes) -> str:
    """Return the fingerprint of a model: the SHA-256 of its manifest."""
    return hashlib.sha256(manifest).hexdigest()


def describe(model: LoadedModel) -> dict[str, Any]:
    """Return the answer of GET /model for one model."""
    return {
        "task": model.about.task,
        "version": model.about.version,
        "fingerprint": model.fingerprint,
        "question": model.question,
        "estimator": model.estimator,
        "threshold": model.threshold,
        "trained_on": dict(model.training),
        "explained": model.reasoner is not None,
        "metrics": json.loads(json.dumps(model.about.metrics)),
        "features": dict(model.features),
    }

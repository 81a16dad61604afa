"""Load a packed model from its folder and verify its fingerprints."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lab.compiled.files import MANIFEST, Compiled, read_compiled
from lab.core.errors import ModelError
from lab.reasons.reasons import Reasoner, read_reasons

ABOUT = "about.json"
CURE = "Cure: `python -m ops pack` writes a folder that can be served."
Kind = Literal["number", "boolean", "category"]


class _Feature(BaseModel):
    kind: Kind


class _Inputs(BaseModel):
    question: str
    features: dict[str, _Feature]


class _Training(BaseModel):
    rows: int
    first_moment: str | None
    last_moment: str | None


class _Specification(BaseModel):
    estimator: str


class _Manifest(BaseModel):
    """The fields of manifest.json that the server needs; lab/model_files/manifest.py imports more libraries."""

    inputs: _Inputs
    threshold: float
    training: _Training
    specification: _Specification


class About(BaseModel):
    """The content of about.json, written by `python -m ops pack`; the file is optional."""

    model_config = ConfigDict(extra="ignore")

    task: str | None = None
    version: str | None = None
    metrics: dict[str, Any] = {}
    words: dict[str, Any] = {}
    reasons: dict[str, str] = {}  # fingerprints of the explanation files; empty without explanations


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. Its fingerprint is that of the manifest, which contains those of the other files.

    `state` changes with every change in the folder, such as another registered version of the same model.
    """

    compiled: Compiled
    reasoner: Reasoner | None
    features: Mapping[str, Kind]
    threshold: float
    fingerprint: str
    state: str
    question: str
    estimator: str
    training: Mapping[str, Any]
    about: About


def load_model(folder: Path) -> LoadedModel:
    """Return the model of a folder, after its fingerprints are verified."""
    folder = folder.resolve()  # a link may change to another model meanwhile
    content, about_content = _bytes(folder / MANIFEST), _about_bytes(folder)
    try:
        manifest = _Manifest.model_validate_json(content)
        about = About.model_validate_json(about_content)
    except ValidationError as error:
        raise ModelError(f"{folder} is not a model folder: {error}. {CURE}") from error
    compiled, fingerprint = read_compiled(folder), fingerprint_of(content)
    return LoadedModel(
        compiled=compiled,
        reasoner=read_reasons(folder, compiled, fingerprint=fingerprint, named=about.reasons)
        if about.reasons
        else None,
        features={name: feature.kind for name, feature in sorted(manifest.inputs.features.items())},
        threshold=manifest.threshold,
        fingerprint=fingerprint,
        state=_state_of(content, about_content),
        question=manifest.inputs.question,
        estimator=manifest.specification.estimator,
        training=manifest.training.model_dump(),
        about=about,
    )


def state_in(folder: Path) -> str:
    """Return the current state of a folder; two of its files contain the fingerprints of all others."""
    return _state_of(_bytes(folder / MANIFEST), _about_bytes(folder))


def _state_of(manifest: bytes, about: bytes) -> str:
    return fingerprint_of(manifest) + fingerprint_of(about)


def _about_bytes(folder: Path) -> bytes:
    """Return about.json, or an empty object without the file."""
    return _bytes(folder / ABOUT) if (folder / ABOUT).exists() else b"{}"


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


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected a file of a packed model: {error}. {CURE}") from error

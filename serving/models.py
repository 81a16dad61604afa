"""The models that answer: read from their folders, checked, and exchanged for newer ones while requests go on."""

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
    """What the server needs of a manifest; lab/model_files/manifest.py writes more, and would bring more libraries."""

    inputs: _Inputs
    threshold: float
    training: _Training
    specification: _Specification


class About(BaseModel):
    """What the registry knows of a model; a folder without about.json is served all the same."""

    model_config = ConfigDict(extra="ignore")

    task: str | None = None
    version: str | None = None
    metrics: dict[str, Any] = {}
    words: dict[str, Any] = {}
    reasons: dict[str, str] = {}  # the fingerprints of what explains the model; none where nothing does


@dataclass(frozen=True)
class Served:
    """A model that can answer. The fingerprint is the manifest's, which names those of the model's other files.

    `state` is another whenever anything in the folder is, such as the version as which the same model is registered.
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


def read_served(folder: Path) -> Served:
    """Return the model of a folder, its fingerprints verified."""
    folder = folder.resolve()  # a link may be turned to another model in between
    content, told = _bytes(folder / MANIFEST), _told(folder)
    try:
        manifest = _Manifest.model_validate_json(content)
        about = About.model_validate_json(told)
    except ValidationError as error:
        raise ModelError(f"{folder} does not describe a model: {error}. {CURE}") from error
    compiled, fingerprint = read_compiled(folder), fingerprint_of(content)
    return Served(
        compiled=compiled,
        reasoner=read_reasons(folder, compiled, fingerprint=fingerprint, named=about.reasons)
        if about.reasons
        else None,
        features={name: feature.kind for name, feature in sorted(manifest.inputs.features.items())},
        threshold=manifest.threshold,
        fingerprint=fingerprint,
        state=_state_of(content, told),
        question=manifest.inputs.question,
        estimator=manifest.specification.estimator,
        training=manifest.training.model_dump(),
        about=about,
    )


def state_in(folder: Path) -> str:
    """Return the state of the folder as it is now; manifest and about.json name the fingerprints of the rest."""
    return _state_of(_bytes(folder / MANIFEST), _told(folder))


def _state_of(manifest: bytes, told: bytes) -> str:
    return fingerprint_of(manifest) + fingerprint_of(told)


def _told(folder: Path) -> bytes:
    """Return about.json; a folder without one is served all the same."""
    return _bytes(folder / ABOUT) if (folder / ABOUT).exists() else b"{}"


def fingerprint_of(manifest: bytes) -> str:
    """Return a model's fingerprint: the SHA-256 of its manifest."""
    return hashlib.sha256(manifest).hexdigest()


def described(served: Served) -> dict[str, Any]:
    """Return what GET /model says of a model."""
    return {
        "task": served.about.task,
        "version": served.about.version,
        "fingerprint": served.fingerprint,
        "question": served.question,
        "estimator": served.estimator,
        "threshold": served.threshold,
        "trained_on": dict(served.training),
        "explained": served.reasoner is not None,
        "metrics": json.loads(json.dumps(served.about.metrics)),
        "features": dict(served.features),
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected what describes a model: {error}. {CURE}") from error

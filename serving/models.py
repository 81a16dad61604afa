"""The models that answer: read from their folders, checked, and exchanged for newer ones while requests go on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lab.compiled.files import MANIFEST, Compiled, read_compiled
from lab.errors import ModelError

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
    """What the server needs of a manifest; lab/manifest.py writes more, and would bring more libraries."""

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


@dataclass(frozen=True)
class Served:
    """A model that can answer. The fingerprint is the manifest's, which names those of all other files."""

    compiled: Compiled
    features: Mapping[str, Kind]
    threshold: float
    fingerprint: str
    question: str
    estimator: str
    training: Mapping[str, Any]
    about: About


def read_served(folder: Path) -> Served:
    """Return the model of a folder, its fingerprints verified."""
    content = _bytes(folder / MANIFEST)
    try:
        manifest = _Manifest.model_validate_json(content)
        about = About.model_validate_json((folder / ABOUT).read_bytes()) if (folder / ABOUT).exists() else About()
    except ValidationError as error:
        raise ModelError(f"{folder} does not describe a model: {error}. {CURE}") from error
    return Served(
        compiled=read_compiled(folder),
        features={name: feature.kind for name, feature in sorted(manifest.inputs.features.items())},
        threshold=manifest.threshold,
        fingerprint=fingerprint_of(content),
        question=manifest.inputs.question,
        estimator=manifest.specification.estimator,
        training=manifest.training.model_dump(),
        about=about,
    )


def fingerprint_in(folder: Path) -> str:
    """Return the fingerprint of the model that lies in a folder now, read or not."""
    return fingerprint_of(_bytes(folder / MANIFEST))


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
        "metrics": json.loads(json.dumps(served.about.metrics)),
        "features": dict(served.features),
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected the manifest of a model: {error}. {CURE}") from error

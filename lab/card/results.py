"""Read the results of the earlier stages for the model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.errors import SourceError
from lab.core.result_files import read_result
from lab.core.schema import FeatureSchema
from lab.core.stage_files import read_stage_file
from lab.model_files.manifest import Manifest
from lab.task.money import Money

Document = Mapping[str, Any]

# The fields that the card needs, by stage.
NEEDED = {
    "ingest": ("source", "tables"),
    "prepare": ("quality", "rows", "split", "warnings"),
    "featurize": ("left_out", "positive_share", "rows", "without_label"),
    "select": ("by", "challenger", "in_words", "scores", "search"),
    "evaluate": ("champion", "challenger", "groups_not_in_training", "rows", "undefined", "units"),
    "explain": ("challenger", "correlated", "notes"),
    "validate": ("failed", "gates", "window", "within_noise"),
    "drift": ("columns", "models", "reference", "verdict", "verdicts"),
    "abtest": ("answer", "offline", "online"),
}
MODELS = ("challenger", "champion")


@dataclass(frozen=True)
class Results:
    """The metrics of each stage (`found`), evaluate's points by group, and the manifests of both models."""

    found: Mapping[str, Document]
    groups: Sequence[Document]
    manifests: Mapping[str, Manifest]
    money: Money
    schema: FeatureSchema

    def of(self, stage: str) -> Document:
        """Return the metrics of a stage."""
        return self.found[stage]

    def measured(self, model: str, window: str) -> Document:
        """Return a model's metrics on a window."""
        measured: Document = self.found["evaluate"][model][window]
        return measured

    @property
    def challenger(self) -> Manifest:
        return self.manifests["challenger"]

    @property
    def judged(self) -> str:
        """The window of the gates."""
        return str(self.found["validate"]["window"])


def read_found(paths: Mapping[str, Path]) -> dict[str, Document]:
    """Return the metrics of each stage; a file without the needed fields is refused."""
    return {stage: _read(path, stage) for stage, path in paths.items()}


def read_groups(path: Path) -> list[Document]:
    return list(_json(path, "evaluate"))


def read_manifests(paths: Mapping[str, Path]) -> dict[str, Manifest]:
    """Return the manifest of each model by name, without loading its pipeline."""
    stages = {"challenger": "select", "champion": "champion"}
    return {model: read_stage_file(path, kind=Manifest, stage=stages[model]) for model, path in paths.items()}


def _read(path: Path, stage: str) -> Document:
    document: Document = _json(path, stage)
    if lacking := [name for name in NEEDED[stage] if name not in document]:
        raise SourceError(f"{path} lacks {lacking}; it has {sorted(document)}. Cure: dvc repro --force {stage}")
    return document


def _json(path: Path, stage: str) -> Any:
    try:
        return read_result(path)
    except (FileNotFoundError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as JSON: {error!r}. Cure: dvc repro {stage}") from error

"""Save and load fitted models: canonical skops files with a manifest."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ModelError
from lab.core.schema import Feature
from lab.model_files.archive import NUMBERS_TEXTS_AND_RECORDS, members_of
from lab.model_files.canonical import canonical_bytes, with_current_modules
from lab.model_files.manifest import CURE, PIPELINE, Manifest, read_manifest, write_manifest
from lab.model_files.skops_io import UntrustedTypesFoundException, skops_io
from lab.models.calibrated import CalibratedScores
from lab.models.neighbours import NearestNeighbours
from lab.models.selection import KeepBest
from lab.models.trees import check_trees

CHAMPION = Path("models/champion")
CHALLENGER = Path("models/challenger")
# Our own steps, by class, so that the imports above list what a loaded model needs.
OWN = (CalibratedScores, KeepBest, NearestNeighbours)
# Types allowed beside those that skops trusts. None of them runs code that the file chooses: each holds numbers, texts
# and other parts of the file.
ALLOWED = (
    *(f"{kind.__module__}.{kind.__qualname__}" for kind in OWN),
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",  # calls its classifier, then its sigmoids
    "sklearn.calibration._SigmoidCalibration",  # two numbers
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # lab/models/trees.py checks its indices
    "sklearn.model_selection._split.StratifiedKFold",  # used only by fit
    "sklearn.tree._tree.Tree",  # lab/models/trees.py checks its indices
)
MOST_GROWTH = 20  # of a compressed file; ours are not compressed
FITTED_BY = "scikit-learn"
# Modules that older model files name, and their current names.
MOVED = {
    "lab.calibrated": "lab.models.calibrated",
    "lab.neighbours": "lab.models.neighbours",
    "lab.selection": "lab.models.selection",
}


@dataclass(frozen=True)
class Model:
    """A fitted pipeline with its manifest; scores at or above the threshold are predicted positive."""

    pipeline: Any
    manifest: Manifest

    def promoted(self, overruled: Mapping[str, str] | None) -> "Model":
        """Return the model with the gates that a person overruled for its promotion."""
        return replace(self, manifest=self.manifest.model_copy(update={"overruled": overruled}))

    @property
    def threshold(self) -> float:
        return self.manifest.threshold

    @property
    def features(self) -> Mapping[str, Feature]:
        return self.manifest.inputs.features


def save_model(model: Model, folder: Path) -> None:
    """Write a model into an existing folder; the manifest also lists the files that are there already."""
    with replaced_file(folder / PIPELINE) as partial:
        partial.write_bytes(canonical_bytes(model.pipeline))
    write_manifest(model.manifest, folder)


def load_model(folder: Path) -> Model:
    """Return the model of a folder after checking its fingerprints, library version and types.

    The manifest is not signed: it protects against damage and mix-ups. The list of types protects against malicious
    files.
    """
    manifest = read_manifest(folder)
    if (found := version(FITTED_BY)) != manifest.libraries.get(FITTED_BY):
        raise ModelError(
            f"{folder} was fitted with {FITTED_BY} {manifest.libraries.get(FITTED_BY)}, found {found} installed. "
            "Cure: make setup installs the pinned version; dvc repro fits the model again."
        )
    pipeline = load_pipeline(folder / PIPELINE)
    check_trees(pipeline)
    return Model(pipeline, manifest)


def load_pipeline(path: Path) -> Any:
    """Return the pipeline in a skops file that holds no type but the allowed ones."""
    try:
        content = path.read_bytes()
        members_of(content, kinds=NUMBERS_TEXTS_AND_RECORDS, most_growth=MOST_GROWTH)
        return skops_io.loads(with_current_modules(content, MOVED), trusted=list(ALLOWED))
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path} contains types that are not allowed in a model: {error}. {CURE}") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise ModelError(f"{path} is not a model in the skops format: {error!r}. {CURE}") from error

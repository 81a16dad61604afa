"""Keep a fitted model in a folder and bring it back: canonical skops beside a manifest that says what it is."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ModelError
from lab.core.schema import Feature
from lab.model_files.canonical import canonical_bytes, with_current_modules
from lab.model_files.manifest import CURE, PIPELINE, Manifest, read_manifest, write_manifest
from lab.models.calibrated import CalibratedScores
from lab.models.neighbours import NearestNeighbours
from lab.models.selection import KeepBest
from lab.models.trees import check_trees

CHAMPION = Path("models/champion")
CHALLENGER = Path("models/challenger")
# Our own steps, named by class so that what a reader of models imports is told by the imports above.
OWN = (CalibratedScores, KeepBest, NearestNeighbours)
# What a file may hold beyond the estimators and number types that skops itself lets pass. None of these runs code that
# the file chooses, when it is made or applied: each holds numbers, texts and other members of the file.
ALLOWED = (
    *(f"{kind.__module__}.{kind.__qualname__}" for kind in OWN),
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",  # asks its classifier, then its sigmoids
    "sklearn.calibration._SigmoidCalibration",  # two numbers
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # lab/models/trees.py checks its indices
    "sklearn.model_selection._split.StratifiedKFold",  # only a fit would use it
    "sklearn.tree._tree.Tree",  # lab/models/trees.py checks its indices
)
FITTED_BY = "scikit-learn"
# Modules that older model files name, and their current names.
MOVED = {
    "lab.calibrated": "lab.models.calibrated",
    "lab.neighbours": "lab.models.neighbours",
    "lab.selection": "lab.models.selection",
}


@dataclass(frozen=True)
class Model:
    """A fitted pipeline with its manifest; a row is decided positive when its score is at least the threshold."""

    pipeline: Any
    manifest: Manifest

    @property
    def threshold(self) -> float:
        return self.manifest.threshold

    @property
    def features(self) -> Mapping[str, Feature]:
        return self.manifest.inputs.features


def save_model(model: Model, folder: Path) -> None:
    """Write a model into a folder that exists; the manifest names the files that lie there already, too."""
    with replaced_file(folder / PIPELINE) as partial:
        partial.write_bytes(canonical_bytes(model.pipeline))
    write_manifest(model.manifest, folder)


def load_model(folder: Path) -> Model:
    """Return the model of a folder, once its fingerprints, its library and every type in it have been checked.

    The manifest is not signed: it guards against damage and mix-ups; the list of types, against what could do harm.
    """
    manifest = read_manifest(folder)
    if (found := version(FITTED_BY)) != manifest.libraries.get(FITTED_BY):
        raise ModelError(
            f"{folder} was fitted with {FITTED_BY} {manifest.libraries.get(FITTED_BY)}, found {found} installed. "
            "Cure: make setup installs what is pinned; dvc repro fits it anew."
        )
    pipeline = load_pipeline(folder / PIPELINE)
    check_trees(pipeline)
    return Model(pipeline, manifest)


def load_pipeline(path: Path) -> Any:
    """Return the pipeline in a skops file that holds no type but the allowed ones."""
    try:
        return skops.io.loads(with_current_modules(path.read_bytes(), MOVED), trusted=list(ALLOWED))
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path} holds types that no model of ours has: {error}. {CURE}") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise ModelError(f"{path} is not a model in the skops format: {error!r}. {CURE}") from error

"""A compiled model in its folder: deterministic bytes, no executable content, refused when changed."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from lab.compile.write import save_both_forms, write_compiled
from lab.compiled.files import MANIFEST, read_compiled
from lab.core.errors import ModelError
from lab.model_files.compiled_names import ARRAYS, PROGRAM
from lab.model_files.manifest import read_manifest
from lab.models.frames import frame_of
from lab.models.models import save_model
from lab.models.scoring import score_rows
from tests.fitted import OTHER_ROWS, SCHEMA, fit, model_of
from tests.project import ROOT


def saved(folder: Path, variant: str = "histogram_gradient_boosting") -> Path:
    folder.mkdir(parents=True)
    model = model_of(variant)
    write_compiled(model.pipeline, frame_of(OTHER_ROWS, SCHEMA.features), folder)
    save_model(model, folder)
    return folder


def test_scores_are_those_of_the_pipeline(tmp_path: Path) -> None:
    frame = frame_of(OTHER_ROWS, SCHEMA.features)
    scores = read_compiled(saved(tmp_path / "model")).scores({str(name): frame[name].to_numpy() for name in frame})
    assert scores.tolist() == score_rows(model_of("histogram_gradient_boosting"), OTHER_ROWS).tolist()


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "first"), saved(tmp_path / "second")
    for name in (PROGRAM, ARRAYS, MANIFEST):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_manifest_names_both_files(tmp_path: Path) -> None:
    assert {PROGRAM, ARRAYS} <= set(read_manifest(saved(tmp_path / "model")).files)


@pytest.mark.parametrize("name", [PROGRAM, ARRAYS])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / "model") / name
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(ModelError, match="has the fingerprint"):
        read_compiled(path.parent)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    (folder / ARRAYS).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        read_compiled(folder)


def test_arrays_that_would_run_code_are_refused_even_when_the_manifest_names_them(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    buffer = io.BytesIO()
    np.savez(buffer, a0=np.array([object()], dtype=object), allow_pickle=True)
    (folder / ARRAYS).write_bytes(buffer.getvalue())
    save_model(model_of("histogram_gradient_boosting"), folder)
    with pytest.raises(ModelError, match="no plain arrays"):
        read_compiled(folder)


def test_a_family_without_compiled_form_has_the_reason(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", "nearest_neighbours")
    assert not (folder / ARRAYS).exists()
    assert json.loads((folder / PROGRAM).read_text())["model"] is None
    with pytest.raises(ModelError, match="is not compiled: no bit-identical compiled form of NearestNeighbours"):
        read_compiled(folder)


@pytest.mark.parametrize("module", ["lab.compiled.files", "lab.reasons.reasons"])
def test_reading_a_compiled_model_needs_only_numpy(module: str) -> None:
    asks = f"import {module}, sys; print(sorted({{name.split('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in ("sklearn", "shap", "pandas", "scipy", "dvc", "pyarrow", "skops", "pydantic"):
        assert f"'{heavy}'" not in loaded


def test_a_forest_is_compiled_also_with_threads(tmp_path: Path) -> None:
    """With threads the order of a forest's sum varies, and it would differ from its compiled form."""
    model = replace(model_of("random_forest"), pipeline=fit(estimator="random_forest", settings={"trees": 100}))
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with joblib.parallel_config(backend="threading", n_jobs=4):
            save_both_forms(model, OTHER_ROWS, folder)
        assert json.loads((folder / PROGRAM).read_text())["reason"] == ""

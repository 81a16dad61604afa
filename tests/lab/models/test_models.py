"""A model folder: deterministic bytes, and only files that its manifest lists."""

import io
import json
import pickle
import shutil
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from lab.core.errors import ModelError
from lab.model_files.canonical import canonical_bytes
from lab.model_files.manifest import MANIFEST, PIPELINE, fingerprint_of, read_manifest
from lab.models.frames import frame_of
from lab.models.models import ALLOWED, load_model, save_model
from lab.models.scoring import score_rows
from lab.models.trees import check_trees
from lab.train.calibration import with_calibration
from tests.fitted import OTHER_ROWS, SCHEMA, VARIANTS, bytes_of, fitted, model_of
from tests.serving.bad_models import compressed_zeros, declared

LABELS = np.tile(np.array([0, 1, 1], dtype=np.int8), 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(model_of("logistic_regression"), tmp_path)
    return tmp_path


def rewrite(folder: Path, content: bytes) -> None:
    """Replace the pipeline in a folder and its fingerprint in the manifest."""
    (folder / PIPELINE).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][PIPELINE] = fingerprint_of(content)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_loaded_model_gives_the_same_scores(variant: str, tmp_path: Path) -> None:
    save_model(model_of(variant), tmp_path)
    back = load_model(tmp_path)
    assert score_rows(back, OTHER_ROWS).tolist() == score_rows(model_of(variant), OTHER_ROWS).tolist()
    assert back.manifest.model_copy(update={"files": {}}) == model_of(variant).manifest


def test_a_manifest_keeps_the_gates_that_a_person_overruled_and_only_those(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "overruled").mkdir()
    save_model(model_of("dummy").promoted(None), tmp_path / "plain")
    assert "overruled" not in json.loads((tmp_path / "plain" / MANIFEST).read_text())
    save_model(model_of("dummy").promoted({"recall": "why"}), tmp_path / "overruled")
    assert read_manifest(tmp_path / "overruled").overruled == {"recall": "why"}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_plain_skops_loads_the_canonical_form_with_bit_identical_predictions(variant: str) -> None:
    back = skops.io.loads(bytes_of(variant), trusted=list(ALLOWED))
    frame = frame_of(OTHER_ROWS, SCHEMA.features)
    assert back.predict_proba(frame).tobytes() == fitted(variant).predict_proba(frame).tobytes()


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_loaded_model_is_written_to_the_same_bytes(variant: str) -> None:
    content = bytes_of(variant)
    assert canonical_bytes(skops.io.loads(content, trusted=list(ALLOWED))) == content


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_plain_skops_would_not_give_the_same_bytes(variant: str) -> None:
    again = skops.io.loads(bytes_of(variant), trusted=list(ALLOWED))
    assert skops.io.dumps(again) != skops.io.dumps(fitted(variant))


def test_every_allowed_type_is_used_by_a_model() -> None:
    contents = [canonical_bytes(with_calibration(fitted("dummy"), "sigmoid", LABELS, LABELS / 2 + 0.25))]
    contents += [bytes_of(variant) for variant in VARIANTS]
    assert {kind for content in contents for kind in skops.io.get_untrusted_types(data=content)} == set(ALLOWED)


def test_bytes_between_the_fields_of_a_node_do_not_matter() -> None:
    forest = RandomForestClassifier(1, random_state=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    tree = forest.estimators_[0].tree_
    clean = canonical_bytes(forest)
    state = tree.__getstate__()
    soiled = np.frombuffer(bytearray(state["nodes"].tobytes()), dtype=state["nodes"].dtype).copy()
    soiled.view(np.uint8).reshape(len(soiled), -1)[:, -7:] = 0xAB
    tree.__setstate__({**state, "nodes": soiled})
    assert canonical_bytes(forest) == clean


def test_one_flipped_bit_is_refused(folder: Path) -> None:
    content = bytearray((folder / PIPELINE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / PIPELINE).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"pipeline\.skops has the fingerprint .*, expected .* Cure: `dvc checkout"):
        load_model(folder)


def test_a_file_that_the_manifest_does_not_name_is_refused(folder: Path) -> None:
    (folder / "extra.txt").write_text("?")
    with pytest.raises(ModelError, match=r"contains \['extra\.txt'\], expected only \['pipeline\.skops'\]"):
        load_model(folder)


@pytest.mark.parametrize("name", [PIPELINE, MANIFEST])
def test_a_folder_without_its_files_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} cannot be read"):
        load_model(folder)


def test_a_manifest_with_an_unknown_field_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "author": "?"}))
    with pytest.raises(ValueError, match="author: Extra inputs are not permitted"):
        load_model(folder)


def test_a_pickle_is_refused_even_with_its_own_fingerprint(folder: Path) -> None:
    rewrite(folder, pickle.dumps(fitted("logistic_regression")))
    with pytest.raises(ModelError, match="not a model in the skops format"):
        load_model(folder)


@pytest.mark.parametrize("content", [compressed_zeros(50), declared((10**12,))], ids=["compressed", "declared"])
def test_sizes_that_are_only_declared_are_refused_before_they_take_memory(folder: Path, content: bytes) -> None:
    rewrite(folder, content)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="not a model in the skops format: ValueError"):
            load_model(folder)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_type_that_is_not_on_the_list_is_refused(folder: Path) -> None:
    rewrite(folder, skops.io.dumps(FunctionTransformer(shutil.rmtree)))
    with pytest.raises(ModelError, match=r"types that are not allowed in a model: .*shutil\.rmtree"):
        load_model(folder)


def test_a_model_of_another_library_version_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["libraries"]["scikit-learn"] = "0.1"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"fitted with scikit-learn 0\.1, found .* installed"):
        load_model(folder)


def test_a_file_of_the_manifest_may_be_absent(folder: Path) -> None:
    (folder / "note.txt").write_text("?")
    save_model(model_of("logistic_regression"), folder)
    assert sorted(read_manifest(folder).files) == ["note.txt", "pipeline.skops"]
    (folder / "note.txt").unlink()
    assert load_model(folder).threshold == model_of("logistic_regression").threshold


def loaded(variant: str) -> Any:
    return skops.io.loads(bytes_of(variant), trusted=list(ALLOWED))


def trees_of(variant: str, pipeline: Any) -> Any:
    """Return one estimator that contains a tree of scikit-learn."""
    estimate = pipeline[-1]
    if variant == "decision_tree":
        return estimate
    if variant in {"voting", "stacking"}:
        return estimate.estimators_[1][-1].estimators_[0]
    return np.ravel(np.asarray(estimate.estimators_, dtype=object))[-1]


def change_nodes(variant: str, field: str, value: int) -> Any:
    """Return a fitted pipeline of which one node of one tree was changed by hand."""
    pipeline = loaded(variant)
    if variant == "histogram_gradient_boosting":
        pipeline[-1]._predictors[-1][0].nodes[field][0] = value
        return pipeline
    tree = trees_of(variant, pipeline).tree_
    state = tree.__getstate__()
    state["nodes"][field][0] = value
    tree.__setstate__(state)
    return pipeline


TREES = ["ada_boost", "decision_tree", "extra_trees", "gradient_boosting", "random_forest", "stacking", "voting"]


@pytest.mark.parametrize(
    ("variant", "field", "value", "what"),
    [
        *((variant, "left_child", 10_000, "a node") for variant in TREES),
        *((variant, "right_child", 0, "a node") for variant in TREES),
        *((variant, "feature", 10_000, "a feature") for variant in TREES),
        ("histogram_gradient_boosting", "left", 10_000, "a node"),
        ("histogram_gradient_boosting", "right", 0, "a node"),
        ("histogram_gradient_boosting", "feature_idx", 10_000, "a feature"),
    ],
)
def test_a_tree_with_indices_out_of_range_or_a_cycle_is_refused(
    variant: str, field: str, value: int, what: str
) -> None:
    with pytest.raises(ModelError, match=f"points to {what} that does not exist"):
        check_trees(change_nodes(variant, field, value))


def test_a_tree_of_more_features_than_its_forest_is_refused() -> None:
    pipeline = loaded("random_forest")
    forest = pipeline[-1]
    forest.n_features_in_ = int(max(tree.tree_.feature.max() for tree in forest.estimators_))
    with pytest.raises(ModelError, match="points to a feature that does not exist"):
        check_trees(pipeline)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_n_support", np.array([-1, 2**30], dtype=np.int32)),
        ("_n_support", np.array([1], dtype=np.int32)),
        ("_dual_coef_", np.zeros((1, 1))),
        ("_intercept_", np.zeros(0)),
        ("support_", np.zeros(1, dtype=np.int32)),
        ("n_features_in_", 3),
        ("kernel", "precomputed"),
        ("_sparse", True),
    ],
)
def test_inconsistent_support_vectors_are_refused(name: str, value: Any) -> None:
    pipeline = loaded("support_vector_machine")
    check_trees(pipeline)
    setattr(pipeline[-1].calibrated_classifiers_[0].estimator, name, value)
    with pytest.raises(ModelError, match="inconsistent support vectors"):
        check_trees(pipeline)


def test_the_canonical_form_has_no_time_and_no_compression() -> None:
    with zipfile.ZipFile(io.BytesIO(bytes_of("random_forest"))) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}

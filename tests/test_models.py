"""A model folder: the same bytes from any process, and nothing in it that its manifest does not name."""

import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from lab.canonical import canonical_bytes
from lab.errors import ModelError
from lab.estimators import ESTIMATORS
from lab.frames import frame_of
from lab.manifest import MANIFEST, PIPELINE, Manifest, fingerprint_of, read_manifest
from lab.models import ALLOWED, Model, load_model, save_model
from lab.scoring import score_rows
from lab.specification import Specification
from lab.task.money import Money
from lab.threshold import ThresholdRule
from lab.training import Rules, train_model
from lab.trees import check_trees
from tests.tables import feature_rows, schema_of

ROOT = Path(__file__).parent.parent
SMALL: dict[str, dict[str, Any]] = {
    "dummy": {},
    "histogram_gradient_boosting": {"trees": 5},
    "logistic_regression": {},
    "random_forest": {"trees": 5},
}
ROWS = feature_rows(np.random.default_rng(1), 300)
OTHER_ROWS = feature_rows(np.random.default_rng(2), 120, part="test")
RULES = Rules(3, ThresholdRule(rule="best_f1"), Money(), seed=11)


@cache
def trained(estimator: str) -> Model:
    specification = Specification(estimator=estimator, settings=SMALL[estimator])
    return train_model(ROWS, schema_of("time"), specification, rules=RULES, where="test", report=lambda _: None).model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(trained("logistic_regression"), tmp_path)
    return tmp_path


def rewrite(folder: Path, content: bytes) -> None:
    """Put another pipeline into a folder, and its fingerprint into the manifest."""
    (folder / PIPELINE).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][PIPELINE] = fingerprint_of(content)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_every_estimator_is_tried() -> None:
    assert set(SMALL) == set(ESTIMATORS)


@pytest.mark.parametrize("estimator", sorted(SMALL))
def test_a_model_comes_back_with_the_same_scores(estimator: str, tmp_path: Path) -> None:
    save_model(trained(estimator), tmp_path)
    back = load_model(tmp_path)
    assert score_rows(back, OTHER_ROWS).tolist() == score_rows(trained(estimator), OTHER_ROWS).tolist()
    assert back.manifest.model_copy(update={"files": {}}) == trained(estimator).manifest


@pytest.mark.parametrize("estimator", sorted(SMALL))
def test_stock_skops_loads_the_form_and_predicts_the_same_to_the_last_bit(estimator: str) -> None:
    model = trained(estimator)
    back = skops.io.loads(canonical_bytes(model.pipeline), trusted=list(ALLOWED))
    frame = frame_of(OTHER_ROWS, schema_of("time").features)
    assert back.predict_proba(frame).tobytes() == model.pipeline.predict_proba(frame).tobytes()


@pytest.mark.parametrize("estimator", sorted(SMALL))
def test_a_model_that_came_back_is_written_as_it_was(estimator: str) -> None:
    content = canonical_bytes(trained(estimator).pipeline)
    assert canonical_bytes(skops.io.loads(content, trusted=list(ALLOWED))) == content


@pytest.mark.parametrize("estimator", sorted(SMALL))
def test_plain_skops_would_not_give_the_same_bytes(estimator: str) -> None:
    again = skops.io.loads(canonical_bytes(trained(estimator).pipeline), trusted=list(ALLOWED))
    assert skops.io.dumps(again) != skops.io.dumps(trained(estimator).pipeline)


@pytest.mark.slow
def test_other_processes_hash_seeds_and_threads_give_the_same_bytes() -> None:
    program = (
        "import lab.determinism\n"
        "import lab.fitting\n"
        "lab.fitting.FEWEST_ROWS_FOR_OPENMP = 0\n"
        "from lab.canonical import canonical_bytes\n"
        "from lab.manifest import fingerprint_of\n"
        "from tests.test_models import SMALL, trained\n"
        "for name in sorted(SMALL): print(name, fingerprint_of(canonical_bytes(trained(name).pipeline)))\n"
    )
    here = [f"{name} {fingerprint_of(canonical_bytes(trained(name).pipeline))}" for name in sorted(SMALL)]
    for hash_seed, threads in (("0", "1"), ("12345", "4")):
        environment = {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads, "LOKY_MAX_CPU_COUNT": threads}
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert ended.stdout.splitlines() == here


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
    with pytest.raises(ModelError, match=r"holds \['extra\.txt'\], expected only \['pipeline\.skops'\]"):
        load_model(folder)


@pytest.mark.parametrize("name", [PIPELINE, MANIFEST])
def test_a_folder_without_its_files_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} cannot be read"):
        load_model(folder)


def test_a_manifest_with_a_word_too_many_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "author": "?"}))
    with pytest.raises(ValueError, match="author: Extra inputs are not permitted"):
        load_model(folder)


def test_a_pickle_is_refused_even_with_its_own_fingerprint(folder: Path) -> None:
    rewrite(folder, pickle.dumps(trained("logistic_regression").pipeline))
    with pytest.raises(ModelError, match="not a model in the skops format"):
        load_model(folder)


def test_a_type_that_is_not_on_the_list_is_refused(folder: Path) -> None:
    rewrite(folder, skops.io.dumps(FunctionTransformer(shutil.rmtree)))
    with pytest.raises(ModelError, match=r"types that no model of ours has: .*shutil\.rmtree"):
        load_model(folder)


def test_a_model_of_another_library_version_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["libraries"]["scikit-learn"] = "0.1"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"fitted with scikit-learn 0\.1, found .* installed"):
        load_model(folder)


def test_a_file_that_the_manifest_names_may_be_left_behind(folder: Path) -> None:
    (folder / "note.txt").write_text("?")
    save_model(trained("logistic_regression"), folder)
    assert sorted(read_manifest(folder).files) == ["note.txt", "pipeline.skops"]
    (folder / "note.txt").unlink()
    assert load_model(folder).threshold == trained("logistic_regression").threshold


def misled(change: Callable[[Any], None], estimator: str) -> Any:
    """Return a fitted pipeline whose tree nodes were changed by hand."""
    pipeline = skops.io.loads(canonical_bytes(trained(estimator).pipeline), trusted=list(ALLOWED))
    if estimator == "random_forest":
        tree = pipeline[-1].estimators_[0].tree_
        state = tree.__getstate__()
        change(state["nodes"])
        tree.__setstate__(state)
    else:
        change(pipeline[-1]._predictors[0][0].nodes)
    return pipeline


@pytest.mark.parametrize(
    ("estimator", "field", "value", "what"),
    [
        ("random_forest", "left_child", 10_000, "a node"),
        ("random_forest", "right_child", 0, "a node"),
        ("random_forest", "feature", 10_000, "a feature"),
        ("histogram_gradient_boosting", "left", 10_000, "a node"),
        ("histogram_gradient_boosting", "right", 0, "a node"),
        ("histogram_gradient_boosting", "feature_idx", 10_000, "a feature"),
    ],
)
def test_a_tree_that_leads_out_of_itself_or_in_a_circle_is_refused(
    estimator: str, field: str, value: int, what: str
) -> None:
    def change(nodes: Any) -> None:
        nodes[field][0] = value

    with pytest.raises(ModelError, match=f"points to {what} that it does not have"):
        check_trees(misled(change, estimator))


def test_the_form_holds_no_clock_and_no_compression() -> None:
    with zipfile.ZipFile(io.BytesIO(canonical_bytes(trained("random_forest").pipeline))) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}


def test_the_manifest_says_what_the_model_is() -> None:
    manifest: Manifest = trained("random_forest").manifest
    assert manifest.specification.settings["trees"] == 5
    assert manifest.training.rows == 300
    assert manifest.training.positives == sum(ROWS["label"].to_pylist())
    assert manifest.training.first_moment == "2024-01-01T00:00:00"

"""A packed model gives its revision's reasons, or is packed without any."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from lab.core.schema import FeatureSchema
from lab.explain.walks import columns_of
from lab.models.frames import frame_of
from serving.models import load_model
from tests.history import commit_all, copy_of_history
from tests.project import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("history")]
REASONS = [f"reason_{place}" for place in (1, 2, 3)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("reasons") / "project")


def pack(project: Path, *arguments: str) -> str:
    done = run(["python", "-m", "ops", "pack", *arguments], cwd=project)
    return done.stdout + done.stderr


def explained_rows(project: Path, model: str) -> tuple[FeatureSchema, pa.Table, list[dict[str, Any]]]:
    """Return the test rows that the stage explained, as features, and the recorded explanations."""
    schema = FeatureSchema.model_validate_json((project / "data/features/schema.json").read_text())
    recorded = pq.read_table(project / f"data/explanations/{model}/test.parquet")
    rows = pq.read_table(project / "data/features/test.parquet")
    kept = recorded.select(schema.keys).append_column("explained", pa.array(range(recorded.num_rows)))
    joined = rows.join(kept, schema.keys, join_type="inner").sort_by("explained")
    assert pc.all(pc.equal(joined["explained"], pa.array(range(recorded.num_rows)))).as_py()
    return schema, joined, recorded.to_pylist()


@pytest.mark.parametrize("model", ["champion", "challenger"])
def test_every_explained_row_has_the_contributions_and_the_reasons_that_are_kept(project: Path, model: str) -> None:
    said = pack(project, "--revision", "first", "--model", model, "--output", f"served/{model}")
    assert "without reasons" not in said
    reasoner = load_model(project / "served" / model).reasoner
    assert reasoner is not None
    schema, rows, recorded = explained_rows(project, model)
    found = reasoner.explain(columns_of(frame_of(rows, schema.features)), most=3)
    assert len(found) == len(recorded) > 50
    for one, kept in zip(found, recorded, strict=True):
        assert one.contributions == pytest.approx(kept["contributions"], abs=1e-6)
        assert (one.base, one.output) == pytest.approx((kept["base"], kept["output"]), abs=1e-6)
        assert [reason.text for reason in one.reasons] == [kept[name] for name in REASONS if kept[name]]


def test_a_revision_that_explained_nothing_is_packed_without_reasons_and_says_so(project: Path) -> None:
    yaml = YAML()
    lock = yaml.load((project / "dvc.lock").read_text())
    del lock["stages"]["explain"]
    yaml.dump(lock, project / "dvc.lock")
    commit_all(project, "Explain nothing")
    said = pack(project, "--output", "served/unexplained")
    assert "packed without reasons, so POST /explain is refused: the stage explain has not run" in said
    folder = project / "served/unexplained"
    assert json.loads((folder / "about.json").read_text())["reasons"] == {}
    assert not list(folder.glob("reasons.*"))
    assert load_model(folder).reasoner is None

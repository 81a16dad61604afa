"""A pipeline from before its classes moved to other modules loads and scores equally."""

import zipfile
from pathlib import Path

import numpy as np

from lab.models.frames import frame_of
from lab.models.models import MOVED, load_pipeline
from tests.fitted import OTHER_ROWS, SCHEMA

# Written at commit 3167bf6: nearest neighbours on four selected features, calibrated by a sigmoid.
OLD = Path(__file__).with_name("first_modules.skops")
SCORES = [0.5503836358324072, 0.5503836358324072, 0.9269840332202186, 0.9269840332202186, 0.7649099810395572]


def test_the_old_file_names_every_moved_module() -> None:
    schema = zipfile.ZipFile(OLD).read("schema.json").decode()
    assert [name for name in MOVED if f'"__module__":"{name}"' not in schema] == []


def test_it_gives_the_scores_that_the_old_code_gave() -> None:
    pipeline = load_pipeline(OLD)
    found = pipeline.predict_proba(frame_of(OTHER_ROWS.slice(0, 5), SCHEMA.features))[:, 1]
    assert np.array_equal(found, SCORES)

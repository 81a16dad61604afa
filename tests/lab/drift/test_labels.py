"""Refused files of labels, and their printed cures."""

from pathlib import Path

import pytest

from lab.core.errors import SourceError
from lab.drift.labels import read_labels
from tests.cures import cure_in

LINE = '{"id": "a", "received": "2025-11-02T00:00:00+00:00", "label": %s}\n'
# Each line: file name, content that is refused, cure, content after the cure.
REFUSED = [
    ("labels.csv", "id,label\na,1,2\n", "lab/drift/labels.py: correct the file.", "id,label\na,1\n"),
    ("labels.csv", "who,label\na,1\n", "lab/drift/labels.py: rename the columns.", "id,label\na,1\n"),
    ("labels.csv", "id,label\n,0\na,1\n", "lab/drift/labels.py: drop them.", "id,label\na,1\n"),
    (
        "labels.csv",
        "id,label\na,1\nb,soon\n",
        "lab/drift/labels.py: drop labels that are not known yet.",
        "id,label\na,1\n",
    ),
    ("labels.jsonl", LINE % "2", "lab/drift/labels.py: correct the line.", LINE % "1"),
]


@pytest.mark.parametrize(("name", "content", "key", "cured"), REFUSED)
def test_a_refused_file_of_labels_is_read_after_its_cure(
    tmp_path: Path, name: str, content: str, key: str, cured: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(SourceError) as refused:
        read_labels(path)
    cure_in(str(refused.value), of=key)
    path.write_text(cured)
    assert read_labels(path).to_pydict() == {"id": ["a"], "label": [1.0]}


def test_a_file_of_labels_that_is_missing_is_read_at_its_right_path(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,label\na,1\n")
    with pytest.raises(SourceError) as refused:
        read_labels(tmp_path / "lables.csv")
    cure_in(str(refused.value), of="lab/drift/labels.py: check the path.")
    assert read_labels(tmp_path / "labels.csv").num_rows == 1

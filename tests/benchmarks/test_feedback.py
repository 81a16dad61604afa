"""The measurement of labels sends as many as it says, both ways."""

from pathlib import Path

from benchmarks.feedback import measured
from tests.serving.served import model_folder
from tests.serving.server import served
from tests.serving.test_log import lines_in


def test_both_ways_write_every_label(tmp_path: Path) -> None:
    log, champion = tmp_path / "log", model_folder(tmp_path / "champion")
    with served(tmp_path, champion=str(champion), log=str(log)) as address:
        figures = measured(address.removeprefix("http://"), 150)
    written = lines_in(log, "feedback")
    assert list(figures) == ["one by one", "in batches"]
    assert len({line["id"] for line in written}) == len(written) == 300

"""Requests of all workers are counted once, and gauges of batch jobs are included."""

import calendar
import contextlib
import os
import resource
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import Histogram
from pydantic import SecretStr

from lab.core.result_files import write_text
from serving.app import create_application
from serving.metrics import SHARES, Metrics, ModelLabels, seconds_of
from serving.multiprocess import MULTIPROCESS_DIR, forget_dead, shared_metrics_folder
from serving.settings import Settings
from tests.serving.asking import ask, name_of, numbers_at, numbers_in, wait_until
from tests.serving.served import COLUMNS, ROWS, model_folder
from tests.serving.server import served

SECRET = "not a secret: the key of the tests"  # noqa: S105 - it opens nothing
COUNTED = "lab-metrics-*/gauge_livesum_*.db"
GAUGES = """# HELP lab_drift_drifted_share The share of columns that drifted.
# TYPE lab_drift_drifted_share gauge
lab_drift_drifted_share{task="churn"} 0.25 1000
"""


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("served") / "champion")


def test_two_workers_are_aggregated_and_an_earlier_model_is_not_shown(champion: Path, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "champion")
    log = str(tmp_path / "log")
    with served(tmp_path, workers=2, champion=str(folder), log=log, seconds_between_looks="0.1") as address:
        wait_until(lambda: numbers_at(address).get("lab_workers{}") == 2, lambda: numbers_at(address))
        for _ in range(30):
            assert ask(address, {"features": ROWS[0]}) == 200
        for _ in range(5):
            assert ask(address, {"features": {}}) == 422
        counted = {
            "lab_requests_total{path=/predict,status=200}": 30,
            "lab_request_seconds_count{path=/predict}": 35,
            "lab_refused_total{reason=missing_field}": 5,
            "lab_scores_count{arm=champion}": 30,
        }
        wait_until(lambda: counted.items() <= numbers_at(address).items(), lambda: numbers_at(address))
        found = numbers_at(address)

        model_folder(folder, "random_forest")

        def models() -> dict[str, float]:
            return {name: value for name, value in numbers_at(address).items() if name.startswith("lab_model{")}

        before = {name: value for name, value in found.items() if name.startswith("lab_model{")}
        wait_until(lambda: list(models().values()) == [2] and models().keys() != before.keys(), models)
        wait_until(
            lambda: numbers_at(address).get("lab_log_written_lines_total{log=predictions}") == 30,
            lambda: numbers_at(address),
        )

        killed = next(int(path.stem.rpartition("_")[2]) for path in tmp_path.glob(COUNTED))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: f"gauge_livesum_{killed}.db" not in files_after_scrape(address, tmp_path), str)
        wait_until(lambda: list(models().values()) == [2] and numbers_at(address)["lab_workers{}"] == 2, models)
        assert numbers_at(address)["lab_requests_total{path=/predict,status=200}"] == 30
    assert list(tmp_path.glob("lab-metrics-*")) == []


def files_after_scrape(address: str, folder: Path) -> list[str]:
    """Return the files after a scrape, which removes the gauges of stopped workers."""
    with contextlib.suppress(urllib.error.URLError, ConnectionError):  # the killed worker had taken the connection
        numbers_at(address)
    return [path.name for path in folder.glob(COUNTED)]


def test_several_workers_get_a_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MULTIPROCESS_DIR, "")
    with shared_metrics_folder(2):
        made = Path(os.environ[MULTIPROCESS_DIR])
        assert made.is_dir()
    assert not made.exists()
    assert MULTIPROCESS_DIR not in os.environ


def test_one_worker_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROCESS_DIR, raising=False)
    with shared_metrics_folder(1):
        assert MULTIPROCESS_DIR not in os.environ


def test_files_of_an_earlier_run_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "counter_7.db").write_bytes(b"old")
    monkeypatch.setenv(MULTIPROCESS_DIR, str(tmp_path))
    with shared_metrics_folder(1):
        assert list(tmp_path.iterdir()) == []


def test_gauges_of_stopped_workers_are_removed_and_their_counters_stay(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    for name in (f"gauge_livesum_{child}.db", f"gauge_livesum_{os.getpid()}.db", f"counter_{child}.db"):
        (tmp_path / name).write_bytes(b"")
    forget_dead(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"gauge_livesum_{os.getpid()}.db", f"counter_{child}.db"}


def test_gauges_of_a_batch_job_are_shown_beside_the_servers_metrics(champion: Path, tmp_path: Path) -> None:
    (tmp_path / "churn.prom").write_text(GAUGES)
    (tmp_path / "other.prom").write_text(GAUGES.replace("churn", "other"))
    os.utime(tmp_path / "churn.prom", (5000, 5000))
    with TestClient(create_application(Settings(champion=champion, gauges=tmp_path))) as client:
        text = client.get("/metrics").text
    found = numbers_in(text)
    assert found["lab_drift_drifted_share{task=churn}"] == 0.25
    assert found["lab_drift_drifted_share{task=other}"] == 0.25
    assert found["lab_gauges_written_seconds{file=churn.prom}"] == 5000
    assert text.count("# TYPE lab_drift_drifted_share") == 1
    assert " 1000" not in text  # a sample's own time would be refused by Prometheus as too old


@pytest.mark.parametrize(
    "content",
    [b"lab_drift_drifted_share{ 1\n", b"\xff\xfe", b"# TYPE x counter\nx_total 1\n", b"# " + b"x" * 1_000_000],
)
def test_an_unreadable_file_is_reported_and_breaks_nothing(champion: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.prom").write_bytes(content)
    (tmp_path / "whole.prom").write_text(GAUGES)
    with TestClient(create_application(Settings(champion=champion, gauges=tmp_path))) as client:
        found = numbers_in(client.get("/metrics").text)
    assert found["lab_gauges_unreadable{file=broken.prom}"] == 1
    assert found["lab_gauges_unreadable{file=whole.prom}"] == 0
    assert found["lab_drift_drifted_share{task=churn}"] == 0.25
    assert found["lab_workers{}"] == 1


def test_a_changed_file_is_read_again_and_a_deleted_one_is_not_shown(tmp_path: Path) -> None:
    name, path, metrics = "lab_drift_drifted_share{task=churn}", tmp_path / "churn.prom", Metrics(tmp_path)
    for share in ("0.25", "0.75"):
        write_text(GAUGES.replace("0.25", share), path)
        assert [numbers_in(metrics.text().decode())[name] for _ in range(2)] == [float(share)] * 2
    path.unlink()
    assert name not in numbers_in(metrics.text().decode())


def test_a_file_cannot_override_the_servers_own_metrics(champion: Path, tmp_path: Path) -> None:
    (tmp_path / "false.prom").write_text("# TYPE lab_workers gauge\nlab_workers 9\n")
    with TestClient(create_application(Settings(champion=champion, gauges=tmp_path))) as client:
        assert numbers_in(client.get("/metrics").text)["lab_workers{}"] == 1


def test_prometheus_sends_the_key_as_bearer_token_and_has_no_rate_limit(champion: Path) -> None:
    settings = Settings(champion=champion, api_key=SecretStr(SECRET), requests_per_second=2)
    with TestClient(create_application(settings)) as client:
        assert client.get("/metrics").status_code == 401
        for _ in range(10):
            assert client.get("/metrics", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200


def test_the_log_reports_its_lag(champion: Path, tmp_path: Path) -> None:
    with TestClient(create_application(Settings(champion=champion, log=tmp_path))) as client:
        client.post("/predict/batch", json={"columns": COLUMNS})
        found = numbers_in(client.get("/metrics").text)
        assert found["lab_log_lag_seconds{log=predictions}"] == 0
        assert found["lab_log_written_lines_total{log=predictions}"] == len(ROWS)
        assert found["lab_log_failed_lines_total{log=feedback}"] == 0


def test_the_end_of_the_training_rows_is_shown_while_the_model_is_loaded() -> None:
    metrics = Metrics()
    metrics.set_models({"champion": ModelLabels("a", "v1", seconds_of("2025-03-01T00:00:00"))})
    assert numbers_in(metrics.text().decode())[
        "lab_model_trained_until_seconds{arm=champion,fingerprint=a}"
    ] == calendar.timegm((2025, 3, 1, 0, 0, 0))
    metrics.set_models({"champion": ModelLabels("b", "v2", None)})
    assert not [name for name in numbers_in(metrics.text().decode()) if "trained_until" in name]


def test_the_memory_is_that_of_the_process() -> None:
    metrics = Metrics()
    metrics.set_memory()
    found = numbers_in(metrics.text().decode())["lab_resident_bytes{}"]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 1e7 < found <= 1.01 * most


def test_a_batch_counts_as_its_rows_do_one_by_one() -> None:
    scores = [0.0, 0.05, 0.050001, 0.5, 0.999999, 1.0, 0.31, 0.32, 0.33]
    arms = ["champion", "challenger", "champion", "champion", "challenger", *["champion"] * 4]
    positive = [score >= 0.5 for score in scores]
    batch, single = Metrics(), Metrics()
    batch.count_rows(arms, scores, positive)
    expected = Histogram("lab_scores", "", ("arm",), buckets=SHARES, registry=None)
    for arm, score, decided in zip(arms, scores, positive, strict=True):
        expected.labels(arm).observe(score)
        single.count_rows([arm], [score], [decided])
    found = numbers_in(batch.text().decode())
    assert found == numbers_in(single.text().decode())
    for sample in next(iter(expected.collect())).samples:
        if not sample.name.endswith("_created"):
            assert found[name_of(sample.name, sample.labels)] == pytest.approx(sample.value)
    assert found["lab_positives_total{arm=champion}"] == 2


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"rows": [{"features": {}}] * 7}, 7),
        ({"columns": {**COLUMNS, "amount": ["much"] * len(ROWS)}}, len(ROWS)),
        ({"rows": 3}, 1),
        ([], 1),
    ],
)
def test_the_rows_of_a_refused_batch_are_counted(champion: Path, body: Any, rows: int) -> None:
    with TestClient(create_application(Settings(champion=champion))) as client:
        assert client.post("/predict/batch", json=body).status_code == 422
        found = numbers_in(client.get("/metrics").text)
    assert [value for name, value in found.items() if name.startswith("lab_refused_rows_total")] == [rows]
    assert sum(value for name, value in found.items() if name.startswith("lab_refused_total")) == 1


def test_a_time_keeps_its_zone() -> None:
    assert seconds_of("1970-01-01T02:00:00+02:00") == 0
    assert seconds_of("1970-01-01T00:00:00") == 0
    assert seconds_of(None) is None

"""The place of the fits (process, threads, processes, Dask) does not change results."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import lab.train.cluster
from lab.core.errors import ParamsError
from lab.model_files.canonical import canonical_bytes
from lab.model_files.specification import Specification
from lab.search.rule import SearchRule
from lab.task.money import Money
from lab.train.cluster import code_fingerprint, facts, scatter_once
from lab.train.threshold import ThresholdRule
from lab.train.training import Rules, Trained, train_model
from lab.train.workers import ADDRESS, Run, Workers, fit_runner
from tests.project import ROOT
from tests.tables import feature_rows, schema_of

distributed = pytest.importorskip("distributed", reason="Dask is an extra")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workers")]

ROWS = feature_rows(np.random.default_rng(1), 300)
RULES = Rules(3, ThresholdRule(rule="best_f1"), Money(), 11, SearchRule(method="bayesian", budget=14), (0.5,))
HERE = ("sequential", "local", "threading", "loky")
# A fit that would take minutes, cancelled as a terminal does it; each process that fits leaves its number.
CANCELLED = """
import sys
from pathlib import Path
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from lab.core.command import run as run_command
from lab.train.workers import fit_runner
def fit(place):
    Path(str(__import__("os").getpid()) + ".pid").touch()
    rows = np.random.default_rng(place).normal(size=(4000, 20))
    RandomForestClassifier(1_000_000).fit(rows, rows[:, 0] > 0)
def main():
    with fit_runner(sys.argv[1]) as run:
        list(run(fit, [(place,) for place in range(4)]))
run_command(main)
"""


def trained(run: Run) -> Trained:
    specification = Specification(estimator="histogram_gradient_boosting", settings={"trees": 5})
    return train_model(ROWS, schema_of("time"), specification, rules=RULES, where="here", run=run)


def same(one: Trained, other: Trained) -> bool:
    return (
        canonical_bytes(one.model.pipeline) == canonical_bytes(other.model.pipeline)
        and one.model.manifest == other.model.manifest
        and (one.searched, one.learning_curve) == (other.searched, other.learning_curve)
        and one.out_of_fold.equals(other.out_of_fold)
    )


@contextmanager
def cluster(workers: int, *, processes: bool = True) -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=":0", processes=processes, protocol="tcp"
    ) as found:
        yield found.scheduler_address


@pytest.fixture(scope="module")
def alone() -> Trained:
    with fit_runner("sequential") as run:
        return trained(run)


@pytest.fixture(
    scope="module", params=[False, pytest.param(True, marks=pytest.mark.weekly)], ids=["threads", "processes"]
)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the address of a cluster of two workers: threads of this process, or weekly, processes of their own."""
    with cluster(2, processes=request.param) as found:
        yield found


def interrupted(process: subprocess.Popen[str]) -> str:
    """Send Ctrl-C and return the standard error; kill the process when it does not end."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        return process.communicate(timeout=100)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return "it did not end"


def on(address: str) -> str:
    return f"dask://{address.removeprefix('tcp://')}"


@pytest.mark.parametrize("workers", ["threading", "loky"])
def test_threads_and_processes_give_the_same_model(workers: str, alone: Trained) -> None:
    assert len(alone.searched.trials) > 4
    with fit_runner(workers) as run:
        assert same(trained(run), alone)


# A task that a busy cluster runs again warns that it lost scikit-learn's configuration, which is the default here.
@pytest.mark.filterwarnings("ignore:.*sklearn.utils.parallel.delayed.*:UserWarning")
def test_a_cluster_gives_the_same_model(address: str, alone: Trained) -> None:
    with fit_runner(on(address)) as run:
        assert same(trained(run), alone)


@pytest.mark.weekly
def test_a_clusters_calls_run_on_its_workers() -> None:
    with cluster(2) as address, fit_runner(on(address)) as run:
        processes = set(run(_process, [(place,) for place in range(8)]))
    assert os.getpid() not in processes
    assert len(processes) == 2


def test_the_address_can_be_in_the_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, address)
    with fit_runner("dask") as run:
        assert list(run(_doubled, [(21,)])) == [42]


def test_a_large_argument_is_sent_once_and_a_small_one_with_each_call(address: str) -> None:
    large, small = np.zeros(100_000), np.zeros(3)
    with distributed.Client(address, set_as_default=False) as client:
        share = scatter_once(client)
        assert share(large) is share(large)
        assert share(large).result().shape == (100_000,)
        assert share(small) is small
    with fit_runner(on(address)) as run:
        assert list(run(_size, [(large, place) for place in range(3)])) == [100_000, 100_001, 100_002]


@pytest.mark.parametrize("workers", HERE)
def test_results_have_the_order_of_the_calls(workers: str) -> None:
    with fit_runner(workers) as run:
        assert list(run(_late, [(place,) for place in range(6)])) == list(range(6))
        assert list(run(_late, [])) == []


def test_results_are_yielded_before_the_last_call_has_ended() -> None:
    with fit_runner("threading") as run:
        may_end = threading.Event()
        results = run(lambda place: place if place < 1 else may_end.wait(60) and place, [(0,), (1,)])
        assert next(results) == 0
        may_end.set()
        assert list(results) == [1]


@pytest.mark.parametrize("workers", ["sequential", "threading"])
def test_an_error_in_a_call_is_raised_unchanged(workers: str) -> None:
    with fit_runner(workers) as run, pytest.raises(ParamsError, match=r"^no end$"):
        list(run(_mistaken, [(1,), (2,)]))


@pytest.mark.parametrize("workers", ["sequential", "threading"])
def test_an_early_end_gives_no_warning(workers: str) -> None:
    with fit_runner(workers) as run:
        results = run(_late, [(place,) for place in range(6)])
        assert next(results) == 0
        results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", ["threading", "loky"])
def test_a_cancelled_run_leaves_no_worker(workers: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CANCELLED, workers]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not list(tmp_path.glob("*.pid")):
            time.sleep(0.05)
        message = interrupted(process)
    assert process.returncode == 130, message
    assert message.startswith("Interrupted: ")
    assert [path.name for path in tmp_path.glob("*.pid") if Path("/proc", path.stem).exists()] == []


def test_worker_processes_are_stopped() -> None:
    with fit_runner("loky") as run:
        processes = list(run(_process, [(place,) for place in range(4)]))
    assert os.getpid() not in processes
    assert [process for process in set(processes) if Path("/proc", str(process)).exists()] == []


def test_a_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.train.cluster, "TIMEOUT_SECONDS", 1)
    with cluster(0) as address, pytest.raises(ParamsError, match=r"has no worker, expected at least one\. Cure: start"):
        _open(on(address))


@pytest.mark.filterwarnings("ignore::UserWarning")  # numpy tells the worker which kernels it may not leave out
def test_a_worker_with_other_kernels_is_refused_with_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = os.environ["OPENBLAS_CORETYPE"]
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    with cluster(1) as address:
        monkeypatch.setenv("OPENBLAS_CORETYPE", pinned)
        with pytest.raises(ParamsError, match=r"BLAS is .*Nehalem.*, expected .*Haswell") as refused:
            _open(on(address))
    assert f"OPENBLAS_CORETYPE='{pinned}'" in str(refused.value)
    assert f"python -m dask worker {address} --nthreads 1" in str(refused.value)


def test_a_worker_with_other_packages_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.train.cluster, "facts", lambda: {**facts(), "scipy": "9.9"})
    with distributed.Client(address, set_as_default=False) as client:
        client.run = lambda _: {"tcp://there": facts()}
        with pytest.raises(ParamsError, match=r"Dask worker tcp://there: scipy is 1\.\S+, expected 9\.9 as here"):
            lab.train.cluster.check_workers(client, address)


def test_the_fingerprint_differs_for_different_code(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\n")
    first = code_fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("not code")
    assert code_fingerprint(tmp_path) == first
    (tmp_path / "one.py").write_text("a = 2\n")
    assert code_fingerprint(tmp_path) != first


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.train.cluster, "TIMEOUT_SECONDS", 1)
    with pytest.raises(ParamsError, match=r"found no Dask scheduler at tcp://127\.0\.0\.1:9 .* Cure: start it there"):
        _open("dask://127.0.0.1:9")


def test_an_unknown_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.train.cluster, "TIMEOUT_SECONDS", 1)
    with pytest.raises(ParamsError, match=r"found no Dask scheduler at tcp://nowhere\.invalid:8786"):
        _open("dask://nowhere.invalid:8786")


def test_dask_that_is_not_installed_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParamsError, match=r"not installed\. Cure: pip install dask distributed"):
        _open("dask://127.0.0.1:9")


def test_dask_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    with pytest.raises(ParamsError, match=rf"the environment has no {ADDRESS}"):
        _open("dask")


@pytest.mark.parametrize("wrong", ["cluster", "dask://", "dask://host", "dask://:8786", "tcp://host:8786", "4", ""])
def test_an_invalid_setting_of_workers_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match=r"expected one of .*'local', 'dask'.*, or dask://HOST:PORT"):
        TypeAdapter(Workers).validate_python(wrong)


@pytest.mark.parametrize("right", [*HERE, "dask", "dask://10.0.0.7:8786", "dask://[::1]:8786"])
def test_a_valid_setting_of_workers_is_accepted(right: str) -> None:
    assert TypeAdapter(Workers).validate_python(right) == right


def _open(workers: str) -> None:
    with fit_runner(workers):
        raise AssertionError(workers)


def _process(_: int) -> int:
    time.sleep(0.2)
    return os.getpid()


def _doubled(number: int) -> int:
    return 2 * number


def _size(values: Any, place: int) -> int:
    return len(values) + place


def _late(place: int) -> int:
    time.sleep(0.02 * (6 - place))
    return place


def _mistaken(_: int) -> None:
    raise ParamsError("no end")

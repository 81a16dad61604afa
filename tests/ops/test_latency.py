"""The verb `latency` measures single rows, applies limits, and writes an ignored log."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lab.core.errors import LabError, ModelError, SourceError
from lab.core.tables import write_table
from lab.models.models import save_model
from lab.models.scoring import score_rows
from ops.latency import LOG, ServingParams, Times, judged, latency, times_of
from tests.cures import cure_in
from tests.fitted import OTHER_ROWS, model_of
from tests.project import ROOT, files_below, run

pytestmark = pytest.mark.slow

AMPLE = {"p50_milliseconds": 1e9, "p99_milliseconds": 1e9, "megabytes": 1e3}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("models/challenger").mkdir(parents=True)
    save_model(model_of("logistic_regression"), Path("models/challenger"))
    write_table(OTHER_ROWS, Path("data/features/test.parquet"))
    write_limits()
    return tmp_path


def write_limits(**limits: float) -> None:
    with Path("params.yaml").open("w") as stream:
        YAML().dump({"serving": {**AMPLE, **limits}}, stream)


def call(*options: str) -> Any:
    return CliRunner().invoke(latency, ["--calls", "3", *options])


def test_ample_limits_are_kept_and_exit_0(project: Path) -> None:
    done = call()
    assert done.exit_code == 0
    assert "PASSED: 3 of 3 gates passed" in done.output


@pytest.mark.parametrize("limit", list(AMPLE))
def test_each_limit_fails_by_itself_and_exits_1(project: Path, limit: str) -> None:
    write_limits(**{limit: 1e-9})
    done = call()
    name = limit if limit == "megabytes" else "milliseconds_" + limit.removesuffix("_milliseconds")
    assert done.exit_code == 1
    assert f"FAILED: 2 of 3 gates passed; 1 failed: {name}\n" in done.output


def test_only_the_log_is_written_and_git_ignores_it(project: Path) -> None:
    before = files_below(project)
    call()
    call()
    assert set(files_below(project)) - set(before) == {str(LOG)}
    assert run(["git", "check-ignore", "--quiet", str(LOG)], cwd=ROOT).returncode == 0
    entries = [json.loads(line) for line in LOG.read_text().splitlines()]
    assert [entry["calls"] for entry in entries] == [3, 3]


def test_json_is_the_verdict(project: Path) -> None:
    found = json.loads(call("--json").output)
    assert [gate["gate"] for gate in found["gates"]] == ["milliseconds_p50", "milliseconds_p99", "megabytes"]
    size = Path("models/challenger/pipeline.skops").stat().st_size
    assert found["gates"][2]["value"] == pytest.approx(size / 1e6, rel=1e-5)


def test_one_row_is_timed_as_often_as_asked_even_where_there_are_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[int] = []
    monkeypatch.setattr("ops.latency.score_rows", lambda model, row: scored.append(len(score_rows(model, row))))
    times = times_of(model_of("dummy"), OTHER_ROWS.slice(0, 2), calls=5)
    assert scored == [1] * 10  # as many before that do not count
    assert len(times.wall) == len(times.cpu) == 5
    assert min(times.wall) > 0


def test_times_are_judged_by_their_median_and_99th_percentile() -> None:
    passed = [float(time) for time in np.random.default_rng(0).permutation(1000) + 1]
    gates = judged(Times(passed, [2.0] * 1000), megabytes=1, params=ServingParams(p50_milliseconds=500))
    assert [held.gate.value for held in gates] == [500, 990, 1]
    assert [held.gate.verdict for held in gates] == ["passed", "failed", "passed"]
    assert gates[0].gate.reason.endswith("; 2.0 ms of CPU time; 1,000 calls")


def test_a_time_beyond_its_limit_fails_however_wide_its_interval() -> None:
    times = Times([float(time) for time in range(1, 1001)], [2.0] * 1000)
    gate = judged(times, megabytes=1, params=ServingParams(p50_milliseconds=499))[0].gate
    assert (gate.verdict, gate.value, gate.low) == ("failed", 500, None)
    assert "; 95 % interval 469.0000 to 532.0000;" in gate.reason


def test_other_rows_are_named_where_those_of_test_are_none(project: Path) -> None:
    write_table(OTHER_ROWS.slice(0, 0), Path("data/features/test.parquet"))
    write_table(OTHER_ROWS.slice(0, 5), Path("rows.parquet"))
    cure_in(str(call().exception), of="ops/latency.py: name another file by --rows.")
    assert call("--rows", "rows.parquet").exit_code in {0, 1}


@pytest.mark.parametrize(
    ("break_it", "kind", "message"),
    [
        (lambda: write_table(OTHER_ROWS.slice(0, 0), Path("data/features/test.parquet")), SourceError, "has no rows"),
        (lambda: Path("models/challenger/pipeline.skops").write_bytes(b""), ModelError, "fingerprint"),
        (lambda: write_limits(megabytes=-1), LabError, r"serving\.megabytes: Input should be greater than 0"),
        (lambda: write_table(pa.table({"other": [1]}), Path("data/features/test.parquet")), SourceError, "rows lack"),
    ],
)
def test_what_cannot_be_measured_is_a_mistake(project: Path, break_it: Any, kind: type, message: str) -> None:
    break_it()
    done = call()
    assert isinstance(done.exception, kind)
    assert re.search(message, str(done.exception))
    assert not LOG.exists()

"""The verb `gate` prints every gate and turns the verdict into an exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab.errors import SourceError
from ops.gate import gate


def verdict(*, passed: bool) -> dict[str, Any]:
    judged = {"value": 0.8, "low": 0.7, "high": 0.9, "rule": "at least", "threshold": 0.75, "passed": passed}
    unjudged = {"value": None, "low": None, "high": None, "rule": "at most", "threshold": 0.1, "passed": True}
    gates = [
        {"gate": "accuracy", **judged, "reason": "why"},
        {"gate": "accuracy_gap_gender", **unjudged, "reason": "nothing"},
    ]
    return {"passed": passed, "failed": [] if passed else ["accuracy"], "gates": gates}


def call(folder: Path, content: str) -> Any:
    path = folder / "validate.json"
    path.write_text(content)
    return CliRunner().invoke(gate, ["--file", str(path)])


def test_a_passed_verdict_exits_0(tmp_path: Path) -> None:
    done = call(tmp_path, json.dumps(verdict(passed=True)))
    assert done.exit_code == 0
    assert "PASSED: all 2 gates" in done.output


def test_a_failed_verdict_exits_1_and_names_what_failed_first(tmp_path: Path) -> None:
    done = call(tmp_path, json.dumps(verdict(passed=False)))
    assert done.exit_code == 1
    assert "FAILED: accuracy" in done.output
    first = " ".join(done.output.splitlines()[1].split())
    assert first == "FAIL accuracy 0.8000 0.7000 to 0.9000 ≥ 0.75 why"


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON", '{"passed": true}'])
def test_a_file_without_a_verdict_is_a_mistake_with_a_cure(tmp_path: Path, content: str) -> None:
    done = call(tmp_path, content)
    assert isinstance(done.exception, SourceError)
    assert "Cure: dvc repro validate" in str(done.exception)


def test_an_absent_verdict_is_a_mistake_with_a_cure(tmp_path: Path) -> None:
    done = CliRunner().invoke(gate, ["--file", str(tmp_path / "absent.json")])
    assert isinstance(done.exception, SourceError)

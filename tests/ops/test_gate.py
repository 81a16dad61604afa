"""The verb `gate` prints every gate and turns the verdict into an exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab.core.errors import SourceError
from ops.gate import VERDICT, gate
from tests.cures import apply_cure
from tests.history import commit_all
from tests.project import run

FLOOR = {"value": 0.8, "low": 0.7, "high": 0.9, "rule": "at least", "threshold": 0.75, "reason": "why"}
GAP = {"value": None, "low": None, "high": None, "rule": "at most", "threshold": 0.1, "reason": "nothing"}


def entry(name: str, verdict: str, **facts: Any) -> dict[str, Any]:
    return {"gate": name, "verdict": verdict, **FLOOR, **facts}


def verdict(*, passed: bool, **more: Any) -> dict[str, Any]:
    gates = [
        entry("accuracy", "passed" if passed else "failed"),
        entry("accuracy_gap_gender", "not judged", **GAP),
    ]
    reported = [entry("recall_gap_gender", "failed", **GAP, **more)]
    failed = [] if passed else ["accuracy"]
    return {"passed": passed, "failed": failed, "within_noise": [], "gates": gates, "reported": reported}


def call(folder: Path, content: str, *options: str) -> Any:
    path = folder / "validate.json"
    path.write_text(content)
    return CliRunner().invoke(gate, ["--file", str(path), *options])


def test_a_passed_verdict_exits_0_whatever_is_only_reported(tmp_path: Path) -> None:
    done = call(tmp_path, json.dumps(verdict(passed=True)))
    assert done.exit_code == 0
    assert "PASSED: 1 of 2 gates passed; 1 not judged: accuracy_gap_gender" in done.output


def test_a_failed_verdict_exits_1_and_names_what_failed_first(tmp_path: Path) -> None:
    done = call(tmp_path, json.dumps(verdict(passed=False)))
    assert done.exit_code == 1
    assert "FAILED: 0 of 2 gates passed; 1 failed: accuracy; 1 not judged: accuracy_gap_gender" in done.output
    first, second = (" ".join(line.split()) for line in done.output.splitlines()[1:3])
    assert first == "✗ failed accuracy 0.8000 0.7000 to 0.9000 ≥ 0.75 why"
    assert second == "– not judged accuracy_gap_gender ≤ 0.1 nothing"


def test_a_gate_within_noise_exits_0_and_is_named(tmp_path: Path) -> None:
    found = verdict(passed=True)
    found["gates"][0]["verdict"], found["within_noise"] = "within noise", ["accuracy"]
    done = call(tmp_path, json.dumps(found))
    assert done.exit_code == 0
    assert " ".join(done.output.splitlines()[1].split()).startswith("≈ within noise accuracy 0.8000")
    assert done.output.splitlines()[-1].startswith("PASSED: 0 of 2 gates passed; 1 within noise: accuracy;")


def test_what_only_reports_stands_below_what_decides(tmp_path: Path) -> None:
    lines = call(tmp_path, json.dumps(verdict(passed=True))).output.splitlines()
    start = lines.index("Informational, never blocks:")
    assert [line.split()[:3] for line in lines[start + 2 : start + 3]] == [["✗", "failed", "recall_gap_gender"]]
    assert all("recall_gap" not in line for line in lines[:start])


@pytest.mark.parametrize("passed", [True, False])
def test_json_is_the_verdict_with_the_same_exit_code(tmp_path: Path, passed: bool) -> None:
    done = call(tmp_path, json.dumps(verdict(passed=passed)), "--json")
    assert json.loads(done.output) == verdict(passed=passed)
    assert done.exit_code == (0 if passed else 1)


@pytest.mark.parametrize(
    ("ends", "shown"), [((0.2, None), "0.2000 or more"), ((None, 0.3), "0.3000 or less"), ((None, None), "≥ 0.75")]
)
def test_an_interval_may_be_open(tmp_path: Path, ends: tuple[float | None, float | None], shown: str) -> None:
    found = verdict(passed=True)
    found["gates"][0] |= {"low": ends[0], "high": ends[1]}
    line = call(tmp_path, json.dumps(found)).output.splitlines()[2]
    assert " ".join(line.split()).startswith(f"✓ passed accuracy 0.8000 {shown}")


@pytest.mark.parametrize(
    "content",
    [
        *("{}", "[]", "not JSON", '{"passed": true}', "null", b"\xff".decode("latin-1")),
        '{"passed": true, "failed": [], "gates": {}, "reported": [1]}',
        '{"passed": true, "failed": [], "gates": [{"gate": "accuracy"}], "reported": []}',
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_file_without_a_verdict_is_a_mistake_with_a_cure(
    tmp_path: Path, content: str, options: tuple[str, ...]
) -> None:
    done = call(tmp_path, content, *options)
    assert isinstance(done.exception, SourceError)
    assert "Cure: dvc repro validate" in str(done.exception)


def test_an_absent_verdict_is_a_mistake_with_a_cure(tmp_path: Path) -> None:
    done = CliRunner().invoke(gate, ["--file", str(tmp_path / "absent.json")])
    assert isinstance(done.exception, SourceError)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository: no results at `empty`, a failed verdict at `failed`, a passed one in the working tree."""
    monkeypatch.chdir(tmp_path)
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/README.md").write_text("results\n")
    for name, content in {"empty": None, "damaged": "{}", "failed": json.dumps(verdict(passed=False))}.items():
        if content is not None:
            VERDICT.write_text(content)
        commit_all(tmp_path, name)
        run(["git", "tag", name], cwd=tmp_path)
    VERDICT.write_text(json.dumps(verdict(passed=True)))
    return tmp_path


def test_a_revision_is_judged_by_its_own_verdict_and_nothing_is_checked_out(history: Path) -> None:
    answers = [CliRunner().invoke(gate, [*named, "--json"]) for named in ([], ["workspace"], ["failed"])]
    assert [answer.exit_code for answer in answers] == [0, 0, 1]
    assert json.loads(answers[-1].output) == verdict(passed=False)
    assert json.loads((history / VERDICT).read_text())["passed"]


@pytest.mark.parametrize(("revision", "found"), [("empty", "no such file"), ("damaged", "KeyError")])
def test_a_revision_without_a_verdict_is_a_mistake_with_a_cure(history: Path, revision: str, found: str) -> None:
    text = str(CliRunner().invoke(gate, [revision]).exception)
    assert f"metrics/validate.json at {revision} has no verdict: found {found}" in text
    key = "ops/gate.py: name a revision with results; git log --oneline metrics/ lis"
    listed = apply_cure(text, "git log --oneline metrics/", of=key, cwd=history).stdout
    assert CliRunner().invoke(gate, [listed.split()[0]]).exit_code == 1


def test_an_unknown_revision_is_one_message(history: Path) -> None:
    assert "'nowhere' is no revision" in str(CliRunner().invoke(gate, ["nowhere"]).exception)

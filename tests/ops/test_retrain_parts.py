"""The parts of a retraining that need no repository."""

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.core.errors import LabError, ParamsError, SourceError
from lab.core.params import parse
from lab.dataset.source import Source, SourceSection
from ops.retrain.arrivals import arrivals_of
from ops.retrain.candidate import VALIDATE
from ops.retrain.decision import CODES, EndedError
from ops.retrain.earlier import commit_here
from ops.retrain.need import need_of
from ops.retrain.page import gates_section
from ops.retrain.request import Options, Request
from ops.retrain.settings import changed_settings
from ops.retrain.staging import reason_of
from ops.retrain.workplace import Outcome
from ops.revisions.git import GitError
from ops.revisions.remote import Remote
from tests.cures import cure_in, hold_to_cure
from tests.project import ROOT, run

PARAMS = b"""\
task: churn
seed: 2024  # of every random stream
evaluate:
  # Resamples behind every interval.
  resamples: 2000
prepare:
  as_of: null
train:
  folds: 5
"""


def source(**section: object) -> Source:
    return parse({"source": section}, kind=SourceSection, where="task", cure="").source


def files(*paths: str) -> Source:
    return source(kind="files", tables={Path(path).stem: {"path": path} for path in paths})


def test_one_file_takes_the_one_place_whatever_its_name(tmp_path: Path) -> None:
    data = tmp_path / "export-2026-02.csv"
    data.write_text("a\n1\n")
    assert arrivals_of(data, files("rows.csv"), task="table") == {"rows.csv": data}


def test_a_folder_brings_what_the_task_reads_and_nothing_else(tmp_path: Path) -> None:
    for name in ("sales.csv", "customers.csv", "notes.csv"):
        (tmp_path / name).write_text("a\n1\n")
    found = arrivals_of(tmp_path, files("sales.csv", "customers.csv", "stores.csv"), task="shop")
    assert found == {"customers.csv": tmp_path / "customers.csv", "sales.csv": tmp_path / "sales.csv"}


@pytest.mark.parametrize(
    ("name", "read", "message"),
    [
        ("absent.csv", files("rows.csv"), "absent.csv is missing, expected a file or a folder"),
        ("new.parquet", files("rows.csv"), r"ends with '\.parquet', expected '\.csv'"),
        ("new.csv", files("sales.csv", "stores.csv"), r"matches no single file: .* reads \['sales.csv', 'stores"),
        ("folder", files("rows.csv"), r"folder holds \[\], expected one or more of \['rows.csv'\]"),
        ("new.csv", source(kind="synthetic"), "reads no files; it generates its data from settings"),
        ("new.csv", source(kind="sql", tables={"rows": {"query": "rows.sql"}}), "it reads its database on every run"),
    ],
)
def test_data_that_fits_no_place_is_refused(name: str, read: Source, message: str, tmp_path: Path) -> None:
    for there in ("new.csv", "new.parquet"):
        (tmp_path / there).write_text("a\n1\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=message):
        arrivals_of(tmp_path / name, read, task="table")


def test_a_setting_changes_its_own_lines_and_keeps_every_comment() -> None:
    found = changed_settings(PARAMS, ["evaluate.resamples=700", "prepare.as_of=2026-01-02", "+train.extra={a: [1, b]}"])
    before, after = PARAMS.decode().splitlines(), found.decode().splitlines()
    assert [line for line in after if line not in before] == [
        "  resamples: 700",
        "  as_of: '2026-01-02'",  # DVC takes no date in params.yaml, but its text
        "  extra:",
        "    a:",
        "    - 1",
        "    - b",
    ]
    assert [line for line in before if line not in after] == ["  resamples: 2000", "  as_of: null"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("prepare.as_off=7", r"has no prepare.as_off; it has \['as_of'\]"),
        ("nowhere.at.all=7", "params.yaml has no nowhere; it has"),
        ("seed", "expected NAME=VALUE"),
        ("seed=[1", "not valid YAML"),
        ("+seed=" + "[" * 60 + "]" * 60, "not valid YAML: found more than 40 nested lists or mappings"),
        ("task=other", "task cannot be set here, because the champion and the reference are the task's own"),
    ],
)
def test_a_setting_that_is_not_there_is_refused(setting: str, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        changed_settings(PARAMS, [setting])


def test_without_a_setting_not_a_byte_changes() -> None:
    assert changed_settings(PARAMS, []) == PARAMS


def test_everything_that_decides_what_comes_out_is_in_the_name_and_nothing_else(tmp_path: Path) -> None:
    def named(**more: object) -> str:
        asked = {"root": tmp_path, "base": "a" * 40, "task": "churn", "asks_source": False, **more}
        return Request(**asked).branch  # type: ignore[arg-type] # parts of one, by name

    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, text in ((one, "1"), (same, "1"), (other, "2")):
        path.write_text(text)
    plain = named(arrivals={"rows.csv": one}, settings=("a=1", "b=2"))
    assert named(arrivals={"rows.csv": same}, settings=("b=2", "a=1"), root=ROOT) == plain
    others = [
        named(arrivals={"rows.csv": other}, settings=("a=1", "b=2")),
        named(arrivals={"more.csv": one}, settings=("a=1", "b=2")),
        named(arrivals={"rows.csv": one}, settings=("a=1", "b=3")),
        named(arrivals={"rows.csv": one}, settings=("a=1", "b=2"), base="b" * 40),
        named(arrivals={"rows.csv": one}, settings=("a=1", "b=2"), drawn="0"),
    ]
    assert len({plain, *others}) == 6


def judgement(*, drifted: bool, age: float | None) -> dict[str, object]:
    return {"retrain": {"suggested": drifted, "reasons": ["it moved"] if drifted else []}, "age_days": age}


@pytest.mark.parametrize(
    ("drifted", "age", "options", "due", "last"),
    [
        (False, 50, Options(), False, "no rule that counts found drift"),
        (True, 50, Options(), True, "drift suggests it: it moved"),
        (False, 50, Options(even_so=True), True, "--even-so was given"),
        (True, 50, Options(even_so=True), True, "drift suggests it: it moved"),
        (False, 50, Options(every_days=90), False, "50 days newer than the reference; --every is 90: not due"),
        (False, 90, Options(every_days=90), True, "90 days newer than the reference; --every is 90: due"),
    ],
)
def test_it_is_due_by_drift_by_age_or_on_request(
    drifted: bool, age: float, options: Options, due: bool, last: str
) -> None:
    found = need_of(judgement(drifted=drifted, age=age), options)
    assert (found.due, found.reasons[-1].endswith(last)) == (due, True), found.reasons


def test_a_data_fault_is_refused_unless_an_option_accepts_it() -> None:
    verdict = {"word": "data fault", "text": "DATA FAULT: amount (missing: all); mend upstream, do not retrain"}
    damaged = {
        **judgement(drifted=True, age=1),
        "faults": [{"column": "amount", "kind": "missing"}],
        "verdict": verdict,
    }
    with pytest.raises(EndedError) as ended:
        need_of(damaged, Options(even_so=True))
    assert (ended.value.decision.word, ended.value.decision.code) == ("refused", 12)
    assert ended.value.decision.reasons[0] == verdict["text"]
    assert "--despite-faults" in ended.value.decision.reasons[1]
    found = need_of(damaged, Options(despite_faults=True))
    assert found.due
    assert found.reasons == ("drift suggests it: it moved", f"--despite-faults was given; {verdict['text']}")


def test_a_rule_that_cannot_be_judged_is_a_reason_beside_no_drift() -> None:
    rule = {"policy": "realised_performance", "counts": True, "judged": False, "reason": "the rows have no label"}
    found = need_of({**judgement(drifted=False, age=1), "policies": [rule]}, Options())
    assert found.reasons[0] == "realised_performance is not judged, because the rows have no label"


def test_an_age_is_not_asked_of_rows_without_a_moment() -> None:
    with pytest.raises(SourceError, match="the task's rows have no time column"):
        need_of(judgement(drifted=True, age=None), Options(every_days=90))


SETTINGS = {
    "ops/retrain/settings.py: correct the name, or add a new setting with a leading +.": (
        "prepare.as_off=7", ("prepare.as_of=7", "+prepare.as_off=7")
    ),
    "ops/retrain/settings.py: quote it for the shell.": ("seed=[1", ("seed='[1'",)),
}  # fmt: skip


@pytest.mark.parametrize("cure", SETTINGS)
def test_the_cure_of_a_refused_setting(cure: str) -> None:
    wrong, right = SETTINGS[cure]
    for setting in right:
        hold_to_cure(cure, partial(changed_settings, PARAMS, [wrong]), partial(changed_settings, PARAMS, [setting]))


def test_a_task_is_set_in_a_commit() -> None:
    hold_to_cure(
        "ops/retrain/settings.py: set it in a commit.",
        partial(changed_settings, PARAMS, ["task=other"]),
        partial(changed_settings, PARAMS.replace(b"churn", b"other"), []),
    )


ARRIVALS = {
    "ops/retrain/arrivals.py: check the path.": ("absent.csv", "new.csv", ("rows.csv",)),
    "ops/retrain/arrivals.py: convert it, or change the task file in a commit.": ("new.pq", "new.csv", ("rows.csv",)),
    "ops/retrain/arrivals.py: rename the file to one of them, or give a folder that holds": (
        "new.csv", "sales.csv", ("sales.csv", "stores.csv")
    ),
    "ops/retrain/arrivals.py: rename the files.": ("other", "folder", ("sales.csv", "stores.csv")),
}  # fmt: skip


@pytest.mark.parametrize("cure", ARRIVALS)
def test_the_cure_of_refused_data(cure: str, tmp_path: Path) -> None:
    wrong, right, read = ARRIVALS[cure]
    for name in ("new.csv", "new.pq", "sales.csv", "folder/sales.csv", "other/trade.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a\n1\n")
    brought, absent = (partial(arrivals_of, tmp_path / name, files(*read), task="table") for name in (right, wrong))
    hold_to_cure(cure, absent, brought)


def test_rows_without_a_moment_have_no_age_but_may_be_trained_on() -> None:
    dateless = judgement(drifted=False, age=None)
    key = "ops/retrain/need.py: leave it out, or use --even-so."
    refused = lambda: need_of(dateless, Options(every_days=90))  # noqa: E731 - called again
    hold_to_cure(key, refused, lambda: need_of(dateless, Options()))
    hold_to_cure(key, refused, lambda: need_of(dateless, Options(even_so=True)))


def test_rows_that_no_rule_can_judge_are_trained_on_when_a_person_says_so() -> None:
    unknown = {**judgement(drifted=False, age=1), "verdict": {"word": "not judged", "text": "NOT JUDGED: no label"}}
    with pytest.raises(EndedError) as ended:
        need_of(unknown, Options())
    cure_in(ended.value.decision.reasons[1], of="ops/retrain/need.py: --even-so trains all the same")
    assert need_of(unknown, Options(even_so=True)).due


def failed(code: int, *said: str) -> Outcome:
    begun = ["Running stage 'prepare':", "> python -m stages.prepare"]
    last = f"ERROR: failed to reproduce 'prepare': failed to run: python -m stages.prepare, exited with {code}"
    return Outcome(255, (*begun, *said, last, ""))


def test_why_a_stage_ended_is_told_apart() -> None:
    refused = reason_of(failed(2, "The raw data breaks its contract", "  in two lines"), doing="it")
    assert isinstance(refused, EndedError)
    assert refused.decision.word == "refused"
    assert refused.decision.reasons[1] == "The raw data breaks its contract\n  in two lines"
    mistake = reason_of(failed(2, "params.yaml: prepare: Field required"), doing="it")
    assert isinstance(mistake, LabError)
    assert str(mistake) == "params.yaml: prepare: Field required"
    assert isinstance(reason_of(failed(130), doing="it"), KeyboardInterrupt)
    for outcome in (failed(1, "Traceback"), failed(-9), Outcome(255, ("ERROR: unexpected error",))):
        crashed = reason_of(outcome, doing="it")
        assert isinstance(crashed, EndedError)
        assert crashed.decision.word == "crashed"


def test_of_two_clones_that_push_the_same_proposal_the_first_one_stands(tmp_path: Path) -> None:
    run(["git", "init", "--quiet", "--bare", "origin.git"], cwd=tmp_path)
    for name in ("one", "two"):
        run(["git", "clone", "--quiet", "origin.git", name], cwd=tmp_path)
        run(["git", "commit", "--quiet", "--allow-empty", "-m", name], cwd=tmp_path / name)
        Remote(tmp_path / name, "origin").push_new("HEAD", "refs/heads/retrain/it")
    one, two = (Remote(tmp_path / name, "origin") for name in ("one", "two"))
    assert one.commit_at("refs/heads/retrain/it") == commit_here(tmp_path / "one", "HEAD")
    assert two.bring("refs/heads/retrain/it") == commit_here(tmp_path / "two", "FETCH_HEAD")
    assert two.bring("refs/heads/retrain/another") is None


def test_what_a_remote_refuses_is_told_without_its_password(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "it"], cwd=tmp_path)
    remote = Remote(tmp_path, "http://someone:secret@127.0.0.1:9/it.git")
    with pytest.raises(GitError, match=r"failed: .*127\.0\.0\.1.* Cure: check") as asked:
        remote.bring("refs/heads/it")
    with pytest.raises(GitError, match=r"failed: .*127\.0\.0\.1.* Cure: check") as pushed:
        remote.push_new("HEAD", "refs/heads/it")
    assert "secret" not in f"{asked.value} {pushed.value}"


def test_the_page_and_the_help_name_every_exit_code() -> None:
    page, text = (ROOT / "docs/retraining.md").read_text(), (ROOT / "ops/retrain/command.py").read_text()
    described = {word.strip(): int(code) for code, word in re.findall(r"^\| (\d+) \| ([\w ]*) \|", page, re.MULTILINE)}
    assert {word: code for word, code in described.items() if word} == {
        word: code for word, code in CODES.items() if word != "would train"
    }
    assert {int(code) for code in re.findall(r"^ +(\d+)  \w", text, re.MULTILINE)} == {*CODES.values(), 2}


def test_the_proposal_shows_every_gate_with_its_mark() -> None:
    def gate(name: str, verdict: str) -> dict[str, object]:
        return {"gate": name, "verdict": verdict, "value": 0.69, "rule": "at least", "threshold": 0.7}

    verdict = {"gates": [gate("recall", "passed"), gate("f1", "within noise"), gate("roc_auc", "failed")]}
    made = SimpleNamespace(result=lambda path: verdict if path == VALIDATE else {})
    findings: Any = SimpleNamespace(made=made)
    lines = list(gates_section(findings))
    assert lines[2] == "1 of 3 gates passed; 1 failed: ROC AUC; 1 within noise: F1."
    shown = ["| recall | 0.6900 | ≥ 0.7 | ✓ passed |", "| F1 | 0.6900 | ≥ 0.7 | ≈ within noise |"]
    assert [line for line in lines if line in shown] == shown

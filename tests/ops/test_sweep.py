"""`python -m ops sweep` makes one experiment per setting, and warns about chance."""

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lab.core.errors import LabError
from ops.sweep.clone import FOLDER, _make
from ops.sweep.command import jobs_of, sweep
from ops.sweep.settings import Run, drawn, grid, listed_in, name_of, runs_of, spelled
from ops.sweep.work import Work, is_done, reason_in, refuse_unseen, run_all
from tests.ops.trivial import HERE, interrupted, trivial
from tests.project import QUIET, run

# DVC asks pygtrie in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

PARAMS = "value: 0\nlist: [1, 2]\ninner:\n  word: one\n  other: 3\nouter:\n  word: two\n"
# Values 1 and 2 wait for each other in $MEET, 3 fails, 9 waits for a file.
STAGES = """\
stages:
  only:
    cmd: sh work.sh
    deps: [work.sh]
    params: [value]
    outs: [out/value.txt]
"""
WORK = """\
value=$(sed -n 's/^value: //p' params.yaml)
mkdir -p out
touch $MEET/$value
case $value in
  1|2) for i in $(seq 1200); do test -e $MEET/1 && test -e $MEET/2 && break; sleep 0.05; done
       test -e $MEET/1 && test -e $MEET/2 || exit 7;;
  3) echo "value is 3, expected any other. Cure: 4" >&2; exit 2;;
  9) for i in $(seq 4000); do test -e $MEET/go && break; sleep 0.05; done;;
esac
echo $value > out/value.txt
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meet").mkdir()
    for name, value in {**QUIET, "MEET": str(tmp_path / "meet")}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trivial(tmp_path_factory.mktemp("made") / "project", STAGES, files={"params.yaml": PARAMS, "work.sh": WORK})


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def head() -> str:
    return run(["git", "rev-parse", "HEAD"], cwd=Path()).stdout.strip()


def runs(*words: str) -> list[Run]:
    return runs_of(grid(words), base=head(), root=Path())


def work(lines: list[str], *, jobs: int = 2) -> Work:
    return Work(Path.cwd(), head(), jobs, lines.append)


def value_of(experiment: Run) -> object:
    listed = run(["git", "for-each-ref", "--format=%(refname)", "refs/exps"], cwd=Path()).stdout.split()
    (reference,) = [name for name in listed if name.endswith(f"/{experiment.name}")]
    return YAML().load(run(["git", "show", f"{reference}:params.yaml"], cwd=Path()).stdout)["value"]


def test_runs_go_on_side_by_side_and_one_that_fails_stops_no_other(project: Path) -> None:
    lines: list[str] = []
    three = runs("value=1,2,3")
    failed = run_all(three, work(lines))
    assert failed == {three[2].name: "value is 3, expected any other. Cure: 4"}
    assert [value_of(each) for each in three[:2]] == [1, 2]
    assert sum(" started: value=" in line for line in lines) == 3
    assert any("done (" in line and "left)" in line for line in lines)
    assert not list((project / FOLDER).glob("clone-*"))
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""
    again: list[str] = []
    assert run_all(three[:2], work(again)) == {}
    assert again == ["2 runs of 2 already done."]
    assert all(is_done(each, work([])) for each in three[:2])


def test_an_interrupted_sweep_goes_on(project: Path, tmp_path: Path) -> None:
    command = ["python", "-m", "ops", "sweep", "-S", "value=4,9", "--jobs", "1", "--json"]
    meet = tmp_path / "meet"
    stopped = interrupted(command, cwd=project, environment={"MEET": str(meet)}, when=(meet / "9").exists)
    assert (stopped.returncode, stopped.stderr.splitlines()[-1][:12]) == (130, "Interrupted:")
    assert not list((project / FOLDER).glob("clone-*"))
    (project / FOLDER / "clone-left-by-a-killed-one").mkdir()
    (meet / "go").touch()
    done = run(command, cwd=project, environment={**HERE, "MEET": str(meet)})
    assert "1 run of 2 already done." in done.stderr
    assert not list((project / FOLDER).glob("clone-*"))
    found = json.loads(done.stdout)
    assert sorted(each["settings"]["value"] for each in found["runs"]) == ["4", "9"]
    assert found["failed"] == {}
    assert [each["changed"] for each in found["runs"]] == [
        [["value", each["settings"]["value"]]] for each in found["runs"]
    ]


def test_an_experiment_of_that_name_with_other_settings_does_not_count_as_done(project: Path) -> None:
    (one,) = runs("value=5")
    reference = f"refs/exps/{head()[:2]}/{head()[2:]}/{one.name}"
    run(["git", "update-ref", reference, "HEAD"], cwd=project)
    assert not is_done(one, work([]))


def test_the_table_is_that_of_the_experiments_and_says_why_a_run_failed(project: Path) -> None:
    _, three = works = runs("value=5,3")
    done = CliRunner().invoke(sweep, ["-S", "value=5,3", "--jobs", "2"], catch_exceptions=False)
    assert done.exit_code == 1
    head, _base, five, *_ = done.stdout.splitlines()
    assert head.split("  ")[-1] == "against the base"
    assert five.startswith(works[0].name)
    assert "not compared: " in five
    assert "test window are hidden" in done.stdout
    assert f"  {three.name} (value=3): value is 3, expected any other. Cure: 4" in done.stdout


def test_a_new_module_that_no_commit_holds_is_refused(project: Path) -> None:
    Path("lab").mkdir()
    Path("lab/new.py").write_text("")
    Path("params.yaml").write_text(PARAMS.replace("one", "two"))
    Path("runs.yaml").write_text("- {value: 1}\n")
    expected = r"found 2 files not committed \(lab/new.py, params.yaml\).*Nothing has run"
    with pytest.raises(LabError, match=expected):
        refuse_unseen(Path(), allowed=Path("runs.yaml"))


def test_what_would_run_is_listed_and_nothing_runs(project: Path) -> None:
    done = CliRunner().invoke(sweep, ["-S", "value=1,2", "--dry-run"])
    assert done.stdout.splitlines() == [
        f"{each.name}: value={value}" for each, value in zip(runs("value=1,2"), (1, 2), strict=True)
    ]
    assert not (project / FOLDER).exists()


def test_every_combination_is_a_run_and_the_last_setting_changes_fastest(project: Path) -> None:
    assert grid(["value=1,2", "inner.word=a,b"]) == [
        {"value": value, "inner.word": word} for value in ("1", "2") for word in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("words", "name", "values"),
    [
        (["list=[1],[1,2]"], "list", [[1], [1, 2]]),
        (["value=range(1,4)"], "value", [1, 2, 3]),
        (["value=choice(1,2)"], "value", [1, 2]),
        (["value=1e-3,null"], "value", [0.001, None]),
        (["+added={kind: dummy},{kind: tree}"], "added", [{"kind": "dummy"}, {"kind": "tree"}]),
        (["~list"], "list", ["gone"]),
    ],
)
def test_settings_are_read_as_dvc_reads_them(
    project: Path, words: Sequence[str], name: str, values: list[object]
) -> None:
    assert [each.params.get(name, "gone") for each in runs(*words)] == values


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vaule=1,2"], "-S vaule: params.yaml has no such key. Nothing has run. Cure: -S value=…"),
        (["inner.wrod=1"], "Cure: -S inner.word=…"),
        (["nothing.like.it=1"], "Cure: correct the name, or add it: -S [+]nothing.like.it=…"),
        (["value"], "expected NAME=VALUE"),
        (["value=[1"], "expected NAME=VALUE"),
        (["value=1", "value=2"], "-S value is given twice"),
        (["value=interval(1,2)"], "Cure: add --random N"),
        (["value=range(1,2000)"], "found 1,999 combinations, expected 1,000 at most"),
    ],
)
def test_a_slip_of_the_pen_is_refused_before_anything_runs(project: Path, words: Sequence[str], message: str) -> None:
    with pytest.raises(LabError, match=message):
        runs(*words)


def test_settings_that_come_to_the_same_are_one_run(project: Path) -> None:
    assert len(runs("value=1,1", "inner.word=one")) == 1
    with pytest.raises(LabError, match="found no setting that differs"):
        CliRunner().invoke(sweep, ["-S", "value=0", "--dry-run"], catch_exceptions=False)


def test_a_name_follows_from_settings_and_commit_alone() -> None:
    settings = {"train.candidates.boosting.settings.learning_rate": "0.03", "+new": "{a: [1, ~x^:?*]}"}
    name = name_of(settings, base="ab")
    assert name == name_of(dict(settings), base="ab")
    assert name[-8:] == name_of(dict(reversed(settings.items())), base="ab")[-8:]
    assert name != name_of(settings, base="cd")
    for each in (name, name_of({"value": "a..b"}, base="ab"), name_of({"value": "x.lock"}, base="ab")):
        run(["git", "check-ref-format", f"refs/exps/ab/cd/{each}"], cwd=Path())


def test_random_runs_are_distinct_and_the_same_for_a_seed() -> None:
    words = ["value=range(1,101)", "word=a,b"]
    chosen = drawn(words, count=20, seed=1)
    assert len({tuple(each.items()) for each in chosen}) == 20
    assert chosen == drawn(words, count=20, seed=1)
    assert chosen != drawn(words, count=20, seed=2)
    assert len(drawn(["value=1,2"], count=5, seed=0)) == 2


def test_an_interval_is_drawn_evenly_among_orders_of_magnitude() -> None:
    chosen = drawn(["rate=tag(log,interval(0.001,1))", "value=interval(2,4)"], count=400, seed=0)
    logs = sorted(math.log10(float(each["rate"])) for each in chosen)
    values = sorted(float(each["value"]) for each in chosen)
    assert (logs[0] > -3, logs[-1] < 0, 2 < values[0] < values[-1] < 4) == (True, True, True)
    assert [round(logs[place], 0) for place in (66, 200, 333)] == pytest.approx([-2.5, -1.5, -0.5], abs=0.5)


def test_a_file_lists_runs(project: Path) -> None:
    Path("runs.yaml").write_text("- {value: 1}\n- {value: 2, inner.word: a b, list: [x, 1.5], +new: {deep: null}}\n")
    found = runs_of(listed_in(Path("runs.yaml")), base=head(), root=Path())
    assert [each.params["value"] for each in found] == [1, 2]
    assert (found[1].params["inner"]["word"], found[1].params["list"]) == ("a b", ["x", 1.5])
    assert found[1].params["new"] == {"deep": None}


@pytest.mark.parametrize("content", ["value: 1\n", "- 1\n", "- {}\n", "[", ""])
def test_a_file_that_lists_no_runs_is_refused(project: Path, content: str) -> None:
    Path("runs.yaml").write_text(content)
    with pytest.raises(LabError, match="expected a list of"):
        listed_in(Path("runs.yaml"))


@pytest.mark.parametrize("text", ["it's", "a, b", "{x}", "null", "true", "", "Ünü", "a=b", "1", "- x", 'say "a"'])
def test_text_from_a_file_stays_that_text(project: Path, text: str) -> None:
    (found,) = runs_of([{"inner.word": spelled(text)}], base=head(), root=Path())
    assert found.params["inner"]["word"] == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected -S"),
        (["-S", "value=1", "--file", "x.yaml"], "expected -S"),
        (["-S", "value=1", "--jobs", "17"], "expected a number from 1 to 16"),
        (["-S", "value=1", "--random", "0"], "expected 1 or more"),
    ],
)
def test_what_cannot_be_asked_is_refused(project: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(LabError, match=message):
        CliRunner().invoke(sweep, [*arguments, "--dry-run"], catch_exceptions=False)


@pytest.mark.parametrize(("cores", "gigabytes", "jobs"), [(1, 64, 1), (2, 8, 2), (64, 64, 4), (64, 2, 2), (2, 0, 1)])
def test_runs_at_once_follow_cores_and_memory(cores: int, gigabytes: int, jobs: int) -> None:
    assert jobs_of(cores=cores, memory=gigabytes << 30) == jobs


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "> x\nboosting  3 of 8 fits  trial 1: a\nfolds is 0. Cure: 2\nERROR: failed to reproduce",
            "folds is 0. Cure: 2",
        ),
        ("> x\nTraceback (most recent call last):\n  File\nKeyError: 'a'\nERROR: failed", "KeyError: 'a'"),
        (
            "> x\nparams.yaml:\nselect.margin: no number\nCompare\nERROR: failed",
            "params.yaml: select.margin: no number",
        ),
        ("ERROR: unable to read: 'dvc.yaml'", "ERROR: unable to read: 'dvc.yaml'"),
        ("", ""),
    ],
)
def test_the_reason_of_a_failure_is_what_the_stage_said(log: str, reason: str) -> None:
    assert reason_in(log) == reason


def test_a_clone_has_the_cache_and_the_author_but_no_password(project: Path) -> None:
    run(["git", "config", "user.name", "the author"], cwd=project)
    Path(".dvc/config.local").write_text(
        "['remote \"storage\"']\n    url = s3://there\n    secret_access_key = sesame\n"
    )
    _make(project / "clone", base=head(), project=project)
    written = (project / "clone/.dvc/config.local").read_text()
    assert written == f"[cache]\n    dir = {project / '.dvc/cache'}\n"
    assert run(["git", "config", "--get", "user.name"], cwd=project / "clone").stdout == "the author\n"


BOMB = "- &a0 {x: aaaaaaaaaa}\n" + "".join(
    f"- &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)


def test_a_file_of_runs_whose_aliases_expand_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.yaml"
    path.write_text(BOMB)
    with pytest.raises(LabError, match="more than 1,000,000 characters with all aliases"):
        listed_in(path)

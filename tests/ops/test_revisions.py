"""Any revision is read without a checkout: its commit, its small files, its lock."""

from pathlib import Path

import pytest

from lab.core.errors import SourceError
from ops.revisions.git import GitError, changed_files, commit_of, content_at, git, lines_of, text_of
from ops.revisions.lock import parse_lock
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from tests.project import run

pytestmark = pytest.mark.slow

LOCK = """schema: '2.0'
stages:
  train:
    cmd: python -m stages.train
    deps:
    - path: data/features
      hash: md5
      md5: 0123456789abcdef0123456789abcdef.dir
      size: 1200
      nfiles: 3
    params:
      params.yaml:
        train.seed: 7
    outs:
    - path: models/challenger
      hash: md5
      md5: fedcba9876543210fedcba9876543210
      size: 10
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with two commits, the first of them tagged."""
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=tmp_path)
    commit(tmp_path, {"params.yaml": "seed: 7\n", "metrics/a.json": '{"auc": 0.8}\n', "dvc.lock": LOCK}, "one")
    run(["git", "tag", "-a", "v1", "-m", "first"], cwd=tmp_path)
    commit(tmp_path, {"params.yaml": "seed: 8\n"}, "two")
    return tmp_path


def commit(root: Path, files: dict[str, str], message: str) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    run(["git", "add", "--all"], cwd=root)
    run(["git", "commit", "--quiet", "-m", message], cwd=root)


def experiment(root: Path, reference: str, revision: str) -> None:
    run(["git", "update-ref", f"refs/exps/{reference}", revision], cwd=root)


def test_branches_tags_and_short_commits_are_the_same_commit(root: Path) -> None:
    first = text_of("rev-parse", "HEAD~1", root=root)
    assert {commit_of(name, root=root) for name in ("v1", first, first[:8], "main~1")} == {first}


def test_an_experiment_is_known_by_its_name(root: Path) -> None:
    head = text_of("rev-parse", "HEAD", root=root)
    experiment(root, "ab/cdef/loud-moth", head)
    assert commit_of("loud-moth", root=root) == head


def test_a_name_that_two_experiments_bear_is_refused(root: Path) -> None:
    experiment(root, "ab/cdef/twin", "HEAD")
    experiment(root, "ab/0000/twin", "HEAD~1")
    with pytest.raises(GitError, match=r"'twin' is no revision .* several DVC experiments of that name"):
        commit_of("twin", root=root)


@pytest.mark.parametrize("name", ["v9", "", "-x", "--all", "main:params.yaml", "moth"])
def test_what_is_no_revision_is_refused_with_where_to_look(root: Path, name: str) -> None:
    experiment(root, "ab/cdef/loud-moth", "HEAD")
    with pytest.raises(GitError, match=r"is no revision .*: found no branch, tag, .* `git branch --all`"):
        commit_of(name, root=root)


def test_a_file_is_read_as_it_was_and_none_where_it_was_not(root: Path) -> None:
    assert content_at("v1", "params.yaml", root=root) == b"seed: 7\n"
    assert content_at("v1", "absent.yaml", root=root) is None
    assert content_at("v1", "metrics", root=root) is None


def test_what_git_refuses_is_told_in_its_own_words(root: Path) -> None:
    with pytest.raises(GitError, match=r"`git show absent` was refused: .*unknown revision"):
        git("show", "absent", root=root)
    assert git("show", "absent", root=root, check=False).returncode != 0


def test_a_name_with_a_newline_or_an_accent_is_one_name(root: Path) -> None:
    (root / "été\n.txt").touch()
    assert lines_of("ls-files", "--others", "-z", root=root) == ["été\n.txt"]


def test_changed_and_new_files_are_listed_and_ignored_ones_are_not(root: Path) -> None:
    (root / ".gitignore").write_text("/data\n")
    (root / "data").mkdir()
    (root / "data/rows.csv").touch()
    (root / "new").mkdir()
    (root / "new/file one.py").touch()
    (root / "params.yaml").write_text("seed: 9\n")
    run(["git", "mv", "metrics/a.json", "metrics/b.json"], cwd=root)
    assert changed_files(root=root) == [
        ".gitignore",
        "metrics/a.json",
        "metrics/b.json",
        "new/file one.py",
        "params.yaml",
    ]


def test_a_snapshot_reads_a_revision_and_the_working_tree(root: Path) -> None:
    (root / "params.yaml").write_text("seed: 9\n")
    seeds = {name: snapshot_of(name, root=root).yaml("params.yaml")["seed"] for name in ("v1", "main", WORKSPACE)}
    assert seeds == {"v1": 7, "main": 8, WORKSPACE: 9}
    assert snapshot_of("v1", root=root).json("metrics/a.json") == {"auc": 0.8}


@pytest.mark.parametrize("name", ["v1", WORKSPACE])
def test_a_file_that_a_revision_lacks_is_none_and_a_missing_lock_is_empty(root: Path, name: str) -> None:
    run(["git", "rm", "--quiet", "dvc.lock"], cwd=root)
    snapshot = snapshot_of(name, root=root)
    assert [snapshot.read("absent"), snapshot.json("absent"), snapshot.yaml("metrics/absent")] == [None, None, None]
    assert snapshot.read("params.yaml/inside") is None
    assert list(snapshot.lock) == (["train"] if name == "v1" else [])


def test_a_damaged_file_is_refused_with_its_revision(root: Path) -> None:
    commit(root, {"metrics/a.json": '{"auc": ', "params.yaml": "a: [1\n"}, "damaged")
    with pytest.raises(SourceError, match=r"metrics/a.json at main cannot be read: .*git checkout metrics/a.json"):
        snapshot_of("main", root=root).json("metrics/a.json")
    with pytest.raises(SourceError, match=r"params.yaml at main cannot be read"):
        snapshot_of("main", root=root).yaml("params.yaml")


def test_a_lock_tells_what_each_stage_ran_with() -> None:
    stage = parse_lock(LOCK.encode())["train"]
    assert (stage.name, stage.command) == ("train", "python -m stages.train")
    features, model = stage.dependencies["data/features"], stage.outputs["models/challenger"]
    assert (features.is_folder, features.files, features.size) == (True, 3, 1200)
    assert (model.is_folder, model.files, model.md5) == (False, None, "fedcba9876543210fedcba9876543210")
    assert stage.params == {"params.yaml": {"train.seed": 7}}


def test_an_empty_lock_has_no_stages() -> None:
    assert parse_lock(b"") == parse_lock(b"schema: '2.0'\n") == {}


@pytest.mark.parametrize(
    "content",
    [
        b"<<<<<<< ours\nstages: {}\n=======\nstages: {}\n>>>>>>> theirs\n",
        b"- a list\n",
        b"stages: {train: {deps: []}}",
        b"stages: {train: null}",
        b"stages: {train: {cmd: x, outs: [{md5: no path}]}}",
        b"\xff\xfe",
        b"a: &a [x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 8)) for n in range(8)),
    ],
    ids=["conflict", "list", "no command", "null", "no path", "no text", "aliases of aliases"],
)
def test_what_is_no_lock_is_refused_with_a_cure(content: bytes) -> None:
    with pytest.raises(
        SourceError, match=r"(?s)^dvc.lock at v1 is no lock file of DVC's: found .* Cure: `python -m ops"
    ):
        parse_lock(content, where="dvc.lock at v1")

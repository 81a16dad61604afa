"""Git tells who was champion when and why, and tags that nothing backs are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gto.api
import pytest

from ops.registry.tags import parse_tag, read_registry
from tests.ops.toy import (
    assert_done,
    call,
    clone_of,
    commit,
    output,
    replace_in,
    rolled_back_toy,
)
from tests.project import run

pytestmark = pytest.mark.xdist_group("registry")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy after a promotion and a rollback, to be looked at only."""
    return rolled_back_toy(tmp_path_factory.mktemp("past") / "base")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return rolled_back_toy(tmp_path / "base")


def history_of(folder: Path, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(assert_done(call(folder, "history", "--json", *arguments)).stdout)
    return document


def faults(folder: Path, *arguments: str) -> list[str]:
    done = call(folder, "history", "--check", "--json", *arguments)
    found: list[str] = json.loads(done.stdout)["faults"]
    assert done.returncode == (1 if found else 0)
    return found


def tag(folder: Path, name: str, commit: str = "HEAD", *, date: str | None = None) -> object:
    environment = {"GIT_COMMITTER_DATE": date} if date else {}
    return run(["git", "tag", "-a", name, commit, "-m", name], cwd=folder, environment=environment)


def test_the_newest_champion_stands_first_with_why_it_took_whose_place(past: Path) -> None:
    lines = assert_done(call(past, "history")).stdout.splitlines()
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    assert [line[1:] for line in cells] == [
        ["version", "in", "replaced", "gain (95 % interval)", "why"],
        ["v1.0.0", "production", "v2.0.0", "–", "rolled back: complaints"],
        [
            "v2.0.0",
            "–",
            "v1.0.0",
            "ROC AUC +0.0200 (0.0150 to 0.0250)",
            "passed its gates; significantly better, by 0.01 or more",
        ],
        ["v1.0.0", "–", "–", "–", "the first champion"],
    ]


def test_a_machine_reads_the_same_and_every_move_of_a_stage(past: Path) -> None:
    document = history_of(past)
    assert [(each["version"], each["how"], each["replaces"]) for each in document["champions"]] == [
        (1, "rolled back", 2),
        (2, "promoted", 1),
        (1, "first", None),
    ]
    assert [each["commit"] for each in document["champions"]] == output(
        past, "git", "log", "--format=%H", "--", "champion.yaml"
    ).split()
    moves = document["stages"]["production"]
    assert [(each["tag"], each["version"]) for each in moves] == [
        ("churn#production#3", 1),
        ("churn#production#2", 2),
        ("churn#production#1", 1),
    ]
    assert [each["when"] for each in moves] == sorted((each["when"] for each in moves), reverse=True)


def test_moments_are_those_of_git_in_utc(past: Path) -> None:
    seen = output(past, "git", "log", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--", "champion.yaml")
    assert [each["since"] for each in history_of(past)["champions"]] == seen.split()


def test_a_fresh_clone_tells_the_same_without_data(past: Path, tmp_path: Path) -> None:
    shutil.copytree(past.parent, tmp_path / "base")
    fresh = clone_of(tmp_path / "base", "fresh", pulled=False)
    assert call(fresh, "history", "--json").stdout == call(past, "history", "--json").stdout
    assert faults(fresh) == []


def test_gto_reads_the_tags_as_the_history_does(past: Path) -> None:
    registry = read_registry("churn", root=past)
    assert gto.api.show(str(past))["churn"]["stage"] == {"staging": None, "production": "v1.0.0"}
    assert registry.holder("production") == 1
    events = gto.api.history(str(past), artifact="churn", ascending=True)
    assert [event["ref"] for event in events] == [each.name for each in registry.tags]
    assert [event["commit"] for event in events] == [each.commit for each in registry.tags]


def test_another_task_has_the_past_of_its_own_entry(past: Path) -> None:
    champions = history_of(past, "other")["champions"]
    assert [(each["version"], each["how"], each["tag"]) for each in champions] == [(7, "first", None)]


def test_an_old_checkout_tells_the_whole_past(here: Path) -> None:
    expected = history_of(here)
    run(["git", "checkout", "--quiet", "churn@v1.0.0"], cwd=here)
    assert history_of(here) == expected
    assert faults(here) == []


def test_a_shallow_clone_is_a_mistake(here: Path) -> None:
    run(["git", "clone", "--quiet", "--depth", "1", f"file://{here.parent}/origin.git", "shallow"], cwd=here.parent)
    done = call(here.parent / "shallow", "history")
    assert done.returncode == 2
    assert "git fetch --unshallow --tags" in done.stderr


def test_a_registry_that_only_these_verbs_changed_is_whole(past: Path) -> None:
    assert faults(past) == []
    assert "VALID: every tag of churn matches" in call(past, "history", "--check").stdout


def edited(old: str, new: str) -> Callable[[Path], object]:
    def spoil(here: Path) -> None:
        replace_in(here / "champion.yaml", old, new)
        commit(here, "By hand")

    return spoil


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no task": (lambda here: tag(here, "churm@v3.0.0"), "churm@v3.0.0: there is no task churm"),
    "no champion": (lambda here: tag(here, "churn@v3.0.0"), "where champion.yaml names version 1"),
    "no version of ours": (lambda here: tag(here, "churn@v2.1.0"), "churn@v2.1.0: is not of the form vN.0.0"),
    "lightweight": (lambda here: run(["git", "tag", "churn@v3.0.0"], cwd=here), "is a lightweight tag"),
    "a stage on no version": (
        lambda here: tag(here, "churn#production#4"),
        "which is not a registered version",
    ),
    "an unknown stage": (
        lambda here: tag(here, "churn#prod#4", "churn@v1.0.0^{}"),
        ".gto has no stage prod, only staging, production",
    ),
    "deprecated": (
        lambda here: gto.api.deregister(str(here), "churn", version="v1.0.0"),
        "churn@v1.0.0!: undoes a tag",
    ),
    "unassigned": (
        lambda here: gto.api.unassign(str(here), "churn", version="v1.0.0", stage="production"),
        "churn#production!#4: undoes a tag",
    ),
    "moved": (
        lambda here: [
            run(["git", "tag", "--delete", "churn@v2.0.0"], cwd=here),
            tag(here, "churn@v2.0.0", "churn@v1.0.0^{}"),
        ],
        "churn@v2.0.0: is at",
    ),
    "another line": (
        lambda here: [
            run(["git", "tag", "--delete", "churn@v2.0.0"], cwd=here),
            run(["git", "checkout", "--quiet", "-b", "apart", "churn#production#2"], cwd=here),
            run(["git", "commit", "--quiet", "--amend", "-m", "Apart"], cwd=here),
            tag(here, "churn@v2.0.0"),
            run(["git", "checkout", "--quiet", "main"], cwd=here),
        ],
        "does not contain",
    ),
    "earlier": (
        lambda here: [
            run(["git", "tag", "--delete", "churn@v2.0.0"], cwd=here),
            tag(here, "churn@v2.0.0", "churn#production#2^{}", date="2001-01-01T00:00:00Z"),
        ],
        "churn@v2.0.0: was tagged before churn@v1.0.0",
    ),
    "no new number": (edited("strength: 1\n  f", "strength: 9\n  f"), "changes version 1, expected a new version"),
    "another model": (edited("strength: 1\n  f", "strength: 9\n  f"), "has another model than churn@v1.0.0"),
    "a leap": (edited("version: 1\n  r", "version: 3\n  r"), "version 3 names 2 as replaced, but follows 1"),
    "a model of another entry": (
        lambda here: [
            edited("version: 1\n  replaces: 2", "version: 3\n  replaces: 1")(here),
            tag(here, "churn@v3.0.0"),
        ],
        "was not derived from its champion.yaml",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_nothing_backs_is_named(here: Path, name: str) -> None:
    spoil, words = SPOILED[name]
    spoil(here)
    found = faults(here)
    assert any(words in fault for fault in found), found


def test_names_that_are_not_gtos_are_no_tags_of_the_registry() -> None:
    for name in ("v1.0.0", "first", "churn@1.0.0", "churn@latest", "#production#1", "a b@v1.0.0"):
        assert parse_tag(name, "0" * 40, "1") is None, name

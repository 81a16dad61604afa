"""Merge a version of the template, and keep what belongs to the owner."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.core.errors import LabError
from lab.core.params import load_value
from lab.task.schema import TASKS, read_task
from ops.adopt.changes import CHAMPIONS, README, WORLD, Edit, edits_for
from ops.revisions.git import content_at, git, lines_of, text_of
from ops.revisions.paths import inside_any

# The owner's files: no other version changes them.
OWNED = ("dvc.lock", "metrics", "plots", "reports", "tasks", "data/source", "champion.yaml", "attestations")
# `python -m ops readme` writes them again after the run.
GENERATED = ("docs/answer.svg", "docs/architecture.md", "docs/architecture.svg", "docs/reference", "docs/verbs.md")


BLOCK = re.compile(r"<!-- (\w+):begin -->.*?<!-- \1:end -->", re.DOTALL)


class UpdateError(LabError):
    """A version cannot be merged; nothing was changed."""


def merge_version(commit: str, *, name: str, to_decide: str | None) -> None:
    """Commit the merge of a version, or raise and change nothing.

    `to_decide` is the command that leaves conflicts in the working tree; if it is None, this call is that one.
    """
    if git("merge-base", "HEAD", commit, check=False).returncode:
        raise UpdateError(
            "found no common commit with that version, expected a repository that was cloned from it; "
            "a shallow clone needs `git fetch --unshallow`."
        )
    base = text_of("merge-base", "HEAD", commit)
    edits = _edits(base)
    merged = git(
        "merge", "--no-commit", "--no-ff", "--quiet", "-m", f"Update to {name} ({commit[:12]})", commit, check=False
    )
    if git("rev-parse", "--verify", "--quiet", "MERGE_HEAD", check=False).returncode:
        raise UpdateError(
            f"git refused the merge and changed nothing: {merged.stderr.decode(errors='replace').strip()}"
        )
    try:
        _keep_owned()
        _merge_adopted(edits, base, commit)
        conflicts = _settle(_unmerged())
    except BaseException:
        git("merge", "--abort")
        raise
    if conflicts and to_decide:
        git("merge", "--abort")
        raise UpdateError(
            f"found conflicts, expected none: both sides changed {', '.join(conflicts)}. The merge was undone. "
            f"Cure: {to_decide}; edit these files, then git add --all && git commit --no-edit"
        )
    if conflicts:
        raise UpdateError(
            f"conflicts are left in {', '.join(conflicts)}. Edit these files, then git add --all && git commit "
            "--no-edit, or git merge --abort. Then: make repro"
        )
    git("commit", "--quiet", "--no-edit")


def _edits(base: str) -> dict[Path, Edit]:
    """Return what `python -m ops adopt` did to each file; nothing where this repository has a task of the template."""
    name = load_value("task", str)
    if content_at(base, str(TASKS / name / "task.yaml")) is not None:
        return {}
    title = README.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    edits = edits_for(name, read_task(name), title=title, gone=(), keep_samples=_has_samples())
    return {path: edit for path, edit in edits.items() if path != CHAMPIONS}


def _has_samples() -> bool:
    return content_at("HEAD", WORLD[1]) is not None


def _keep_owned() -> None:
    """Take the owner's files from HEAD, and remove new ones of the other side."""
    owned = (*OWNED, *(() if _has_samples() else WORLD))
    for path in lines_of("diff", "--cached", "--name-only", "--no-renames", "-z", "HEAD", "--", *owned):
        _take(path, "HEAD")


def _take(path: str, commit: str) -> None:
    if content_at(commit, path) is None:
        git("rm", "--quiet", "--force", "--", path)
    else:
        git("checkout", "--quiet", commit, "--", path)


def _merge_adopted(edits: Mapping[Path, Edit], base: str, commit: str) -> None:
    """Merge each file that an adoption edits, as if both versions of the template were adopted."""
    for path, edit in edits.items():
        ours, old, new = (content_at(each, str(path)) for each in ("HEAD", base, commit))
        if ours is not None and old is not None and new is not None:
            adopted = [_with_blocks(edit(text.decode()), ours.decode()).encode() for text in (old, new)]
            if (text := _merged(ours, *adopted)) is not None:
                path.write_bytes(text)
                git("add", "--", str(path))


def _with_blocks(text: str, owner: str) -> str:
    """Return a page with the generated blocks of the owner's page."""
    blocks = {found[1]: found[0] for found in BLOCK.finditer(owner)}
    return BLOCK.sub(lambda found: blocks.get(found[1], found[0]), text)


def _merged(ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    """Return the merge of three texts by lines, or None where it has a conflict."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            (Path(folder) / name).write_bytes(content)
        command = ["git", "merge-file", "--stdout", "ours", "base", "theirs"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _unmerged() -> dict[str, set[str]]:
    """Return the sides (1 base, 2 ours, 3 theirs) of each path in conflict."""
    found: dict[str, set[str]] = {}
    for line in lines_of("ls-files", "--unmerged", "-z"):
        facts, _, path = line.partition("\t")
        found.setdefault(path, set()).add(facts.split()[2])
    return found


def _settle(unmerged: Mapping[str, set[str]]) -> list[str]:
    """Keep what the owner removed away, take generated files of the version; return the other conflicts."""
    left = []
    for path, sides in unmerged.items():
        if "1" in sides and "2" not in sides:
            git("rm", "--quiet", "--force", "--", path)
        elif inside_any(path, GENERATED) and "3" in sides:
            _take(path, "MERGE_HEAD")
        else:
            left.append(path)
    return left

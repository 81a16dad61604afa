"""`python -m ops resolve`: repair dvc.lock and results after a merge."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from lab.core.command import FAILED, INTERRUPTED, leave
from lab.core.result_files import json_bytes
from ops.dvc.cli import ended_by_sigterm
from ops.dvc.stages import root_of_pipeline
from ops.dvc.stores import check_remote
from ops.dvc.torn_files import MENDED, mend_rwlock, refuse_torn_lock
from ops.resolve.conflict import LOCK, Conflict, Side, find_conflict
from ops.resolve.leftovers import leftover_results
from ops.resolve.settle import RunFailedError, Settling, drop_removed, foresee, results_of, settle
from ops.revisions.git import git, lines_of, text_of
from ops.revisions.lock import entries_of
from ops.revisions.paths import inside
from ops.verify.checks import lock_is_fresh
from ops.verify.merges import TRAILER, mixtures
from ops.verify.state import State

NOTHING = "Nothing to resolve: neither dvc.lock nor a result is in conflict. Is it fresh? python -m ops verify"
GONE = "Nothing is in conflict. Dropped from dvc.lock, for dvc.yaml has no such stage: {}"
MIXED = "kept"  # the side of a dvc.lock without the entries that a merge mixed
INTERRUPTED_WORDS = "Interrupted: git still has the conflict, and finished stages are kept. The same command continues."


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be taken, and what would run.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def resolve(*, dry_run: bool, as_json: bool) -> None:
    r"""Repair dvc.lock after a merge, rebase or cherry-pick, and the metrics, plots and reports with it.

    Both sides of the merge have run their stages. A stage's record is taken from the side where the stage ran with the
    command, settings, code and data that the merge has now; its results come with it, from git, the cache or the
    remote. A stage that neither side ran so is run. So two branches that changed different candidates merge without
    training either again.

    Where nothing is in conflict, stages run whose entries a merge mixed from both sides (`verify` names them); else
    records of stages that dvc.yaml no longer has are dropped, which DVC never does.

    Conflicts in params.yaml, dvc.yaml, champion.yaml or code are yours to decide: with one of these left it changes
    nothing and exits 2.

    \b
    After `git merge other` stopped at a conflict:
      python -m ops resolve --dry-run
      python -m ops resolve
      git commit --no-edit

    The commit is left to you. Its message names the stages that ran (Stages-run), which `verify` reads. It may be
    killed and called again. Exit 0 when resolved, or when there was nothing to do; 1 when a stage failed; 2 on a usage
    error; 130 after Ctrl-C.
    """
    root = root_of_pipeline()
    if mend_rwlock(root):
        click.echo(MENDED, err=True)
    conflict = find_conflict(root)
    if conflict is None:
        refuse_torn_lock(root)
        conflict = _mixed_by_a_merge(root)
    if conflict is None:
        removed = [] if dry_run else drop_removed(root)
        words = GONE.format(", ".join(removed)) if removed else NOTHING
        click.echo(json_bytes({"resolved": [LOCK] if removed else []}).decode().rstrip() if as_json else words)
        return
    check_remote(root)
    settling = Settling(root, conflict)
    if dry_run:
        foresee(settling)
    else:
        _resolve(settling)
    document = document_of(settling)
    text = to_text(document, dry_run=dry_run, commit=_commit_command(settling))
    click.echo(json_bytes(document).decode().rstrip() if as_json else text)


def _mixed_by_a_merge(root: Path) -> Conflict | None:
    """Return dvc.lock without the entries that a merge mixed, so that these stages run; None where there are none."""
    if not (mixed := {mixture.stage for mixture in mixtures(root)}):
        return None
    entries = entries_of((root / LOCK).read_bytes())
    kept = {name: entry for name, entry in entries.items() if name not in mixed}
    return Conflict((Side(MIXED, kept),), ("HEAD",), ())


def _resolve(settling: Settling) -> None:
    try:
        with ended_by_sigterm():
            settle(settling, say=partial(click.echo, err=True))
    except KeyboardInterrupt:
        leave(INTERRUPTED_WORDS, code=INTERRUPTED)
    except RunFailedError as error:
        leave(str(error), code=FAILED)
    _add(settling)
    _name_in_message(settling)
    check = lock_is_fresh(State(settling.root))
    if not check.passed:
        leave("\n".join(["Settled, but not up to date:", *check.found, "Cure: dvc repro"]), code=FAILED)


def _add(settling: Settling) -> None:
    """Add dvc.lock and the results to git, and remove results that no stage writes any more."""
    results = results_of(settling)
    known = lines_of("ls-files", "-z", "--", *results, root=settling.root) if results else []
    paths = [path for path in results if (settling.root / path).exists() or any(inside(file, path) for file in known)]
    git("add", "--all", "--", LOCK, *paths, root=settling.root)
    left = lines_of("diff", "--name-only", "--diff-filter=U", "-z", root=settling.root)
    left += leftover_results(settling.pipeline, settling.conflict)
    if left:
        git("rm", "--quiet", "--force", "--", *left, root=settling.root)


def _name_in_message(settling: Settling) -> None:
    """Name the stages that ran in the message that git has prepared for the merge."""
    message = Path(text_of("rev-parse", "--git-path", "MERGE_MSG", root=settling.root))
    if (ran := _ran(settling)) and (settling.root / message).is_file():
        trailer = ["--if-exists", "replace", "--trailer", f"{TRAILER}: {', '.join(ran)}"]
        git("interpret-trailers", "--in-place", *trailer, str(message), root=settling.root)


def _ran(settling: Settling) -> list[str]:
    """Return the stages that ran, in this call or in an earlier one."""
    here = {name for name, choice in settling.chosen.items() if choice.source == "here"}
    return [name for name in settling.pipeline.names if name in {*here, *settling.ran}]


def _commit_command(settling: Settling) -> str:
    """Return the command that commits what was resolved; a run that changed nothing leaves its trace in the message."""
    if settling.conflict.sides[0].name != MIXED:
        return "git commit --no-edit"
    trailer = f'--trailer "{TRAILER}: {", ".join(_ran(settling))}"'
    return f'git commit --allow-empty -m "Run what a merge mixed" {trailer}'


def document_of(settling: Settling) -> dict[str, list[str]]:
    """Return what was settled, by how."""
    chosen = {name: choice.source for name, choice in settling.chosen.items() if name not in settling.ran}
    by_source = {
        source: [name for name in settling.pipeline.names if chosen.get(name) == source]
        for source in ("both", "ours", "theirs", "here")
    }
    paths = list(settling.conflict.unmerged or (LOCK,))
    return {**by_source, "ran": settling.ran, "undecided": settling.waiting, "resolved": paths}


def to_text(document: dict[str, list[str]], *, dry_run: bool, commit: str) -> str:
    """Return what was settled, as text."""
    lines = [
        _line("the same on both sides", document["both"]),
        _line("taken from ours", document["ours"]),
        _line("taken from theirs", document["theirs"]),
        _line("run by an earlier try", document["here"]),
        _line("must run" if dry_run else "ran", document["ran"]),
        _line("decided after those ran", document["undecided"]),
    ]
    done = f"Resolved and added: look at it with `git diff --cached`, then {commit}"
    last = "Nothing was changed." if dry_run else done
    return "\n".join([*filter(None, lines), last])


def _line(words: str, names: Sequence[str]) -> str:
    return f"{words}: {', '.join(names)}" if names else ""

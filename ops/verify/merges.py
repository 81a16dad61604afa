"""Find entries of dvc.lock that a merge mixed from its parents and no run wrote."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.repro.lock_order import blocks_of
from ops.revisions.git import content_at, lines_of, text_of
from ops.revisions.lock import LOCK, Entry, entries_of

# In a commit message: the stages that ran again in or after a merge, where the lock itself cannot show it.
TRAILER = "Stages-run"


@dataclass(frozen=True)
class Mixture:
    """An entry of dvc.lock, by its stage, and the merge commit that it comes from."""

    stage: str
    merge: str


def mixtures(root: Path) -> list[Mixture]:
    """Return the entries in the working tree's dvc.lock that a merge made and that no run is known to have written.

    Such an entry equals that of no parent, and yet each of its outputs is one of a parent's. A run that left the same
    outputs looks alike; a trailer in the message of the merge, or of a commit after it, says that it ran.
    """
    now = blocks_of((root / LOCK).read_text(encoding="utf-8")) if (root / LOCK).is_file() else {}
    found = [mixture for line in _merges(root) for mixture in _mixed(now, *line.split(), root=root)]
    return [each for each in found if each.stage not in _run_since(each.merge, now, root)]


def is_shallow(root: Path) -> bool:
    """Say whether the clone lacks a part of the history."""
    return text_of("rev-parse", "--is-shallow-repository", root=root) == "true"


def _merges(root: Path) -> list[str]:
    """Return each merge commit whose dvc.lock is that of no parent, with its parents."""
    return lines_of("log", "--min-parents=2", "--format=%H %P", "HEAD", "--", LOCK, root=root)


def _mixed(now: Mapping[str, str], merge: str, *parents: str, root: Path) -> Iterator[Mixture]:
    merged, *sides = (_blocks_at(commit, root) for commit in (merge, *parents))
    for name in now:
        before = [side[name] for side in sides if name in side]
        new = before and now[name] == merged.get(name) and now[name] not in before
        if new and _outputs([now[name]]) <= _outputs(before):
            yield Mixture(name, merge)


def _run_since(merge: str, now: Mapping[str, str], root: Path) -> set[str]:
    """Return the stages that a message says to have run, in the merge or later, and to have left today's entry."""
    trailers = f"%(trailers:key={TRAILER},valueonly,separator=%x2C)"
    lines = lines_of("log", f"--format=%H{trailers}", "HEAD", "--not", f"{merge}^@", root=root)
    named = {line[:40]: {name.strip() for name in line[40:].split(",")} for line in lines if line[40:]}
    return {
        name
        for commit, names in named.items()
        for name, block in _blocks_at(commit, root).items()
        if name in names and block == now.get(name)
    }


def _blocks_at(commit: str, root: Path) -> dict[str, str]:
    return blocks_of((content_at(commit, LOCK, root=root) or b"").decode())


def _outputs(blocks: Iterable[str]) -> set[tuple[str, str]]:
    entries: list[Entry] = [entry for block in blocks for entry in entries_of(f"stages:\n{block}".encode()).values()]
    return {(str(out["path"]), str(out.get("md5", ""))) for entry in entries for out in entry.get("outs", [])}

"""Settle a merge stage by stage: take an entry that fits, or run the stage."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import LabError
from lab.pages.markdown import listed
from ops.dvc.cli import run_dvc
from ops.dvc.lock_file import lock_text
from ops.dvc.stages import Pipeline, files_read, fingerprint_of, path_of
from ops.dvc.stores import Listings, StoreError, cache_of, remote_of
from ops.resolve.conflict import LOCK, Conflict, Side
from ops.resolve.leftovers import remove_leftovers
from ops.resolve.results import Results, kept
from ops.revisions.lock import Entry, entries_of
from ops.revisions.paths import inside
from ops.verify.fingerprints import Outputs
from ops.verify.freshness import inputs_changed

Say = Callable[[str], None]
BOTH = "both"


class RunFailedError(LabError):
    """A stage that had to run failed."""


class StrayFilesError(LabError):
    """A stage would read files that no clone has."""


@dataclass(frozen=True)
class Choice:
    """An entry that fits, and its side: ours, theirs, both, or here (an earlier call ran it)."""

    source: str
    entry: Entry


@dataclass
class Settling:
    """The stages settled so far."""

    root: Path
    conflict: Conflict
    chosen: dict[str, Choice] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    recorded: dict[str, str] = field(default_factory=dict)

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline(self.root)

    @cached_property
    def results(self) -> Results:
        return Results(self.root, self.conflict.commits)

    @cached_property
    def listings(self) -> Listings:
        cache = cache_of(self.pipeline.repository)
        try:
            return Listings((cache, remote_of(self.pipeline.repository, None)))
        except StoreError:
            return Listings((cache,))

    @property
    def outputs(self) -> Outputs:
        """The outputs of the settled stages, and of .dvc files."""
        given = {path_of(out): fingerprint_of(out) for stage in self.pipeline.data_files for out in stage.outs}
        return Outputs(self.root, {**given, **self.recorded}, self.listings, doubt_is_change=True)

    def take(self, name: str, choice: Choice) -> None:
        """Settle a stage by an entry."""
        self.chosen[name] = choice
        self.recorded |= {path_of(out): fingerprint_of(out) for out in self.stage(name).outs}

    def stage(self, name: str) -> Any:
        """Return DVC's stage with the entry that was chosen for it."""
        return self.pipeline.stage(name, self.chosen[name].entry)

    def choose(self, name: str) -> Choice | None:
        """Return an entry that fits what is merged and what its producers wrote; None where the stage must run."""
        outputs = self.outputs
        fitting: list[Choice] = []
        for side in self.conflict.sides:
            entry = side.entries.get(name, {})
            stage = self.pipeline.stage(name, entry)
            whole = all(fingerprint_of(out) for out in stage.outs)
            if whole and not inputs_changed(stage, entry, outputs) and self.results.available(stage):
                fitting.append(Choice(side.name, entry))
        if not fitting:
            return None
        first = fitting[0]
        sources = {choice.source for choice in fitting if choice.entry == first.entry}
        return Choice(BOTH if {"ours", "theirs"} <= sources else first.source, first.entry)


def foresee(settling: Settling) -> None:
    """Choose what can be chosen without running anything; `ran` has what must run, `waiting` what depends on that."""
    for ready in _rounds(settling.pipeline):
        for name in ready:
            producers = settling.pipeline.producers(name)
            if not set(producers) <= set(settling.chosen):
                settling.waiting.append(name)
            elif choice := settling.choose(name):
                settling.take(name, choice)
                settling.results.learn_listings(settling.stage(name), settling.listings)
            else:
                settling.ran.append(name)


def settle(settling: Settling, *, say: Say) -> None:
    """Settle every stage, running those that must; at any time it may be killed and called again."""
    remove_leftovers(settling.pipeline, settling.conflict)
    for ready in _rounds(settling.pipeline):
        found = {name: settling.choose(name) for name in ready}
        for name, choice in found.items():
            if choice:
                settling.take(name, choice)
                settling.results.restore(settling.stage(name))
        if must := [name for name, choice in found.items() if not choice]:
            _run(settling, must, say)
    write_lock(settling)
    _check_out(settling, [out for name in settling.chosen for out in _stale(settling.stage(name).outs)])


def write_lock(settling: Settling) -> None:
    """Write dvc.lock: what is chosen, and until the others are settled any entry that there is of them."""
    entries: dict[str, Entry] = {}
    for side in settling.conflict.sides:
        entries |= {name: entry for name, entry in side.entries.items() if name not in entries}
    entries |= {name: choice.entry for name, choice in settling.chosen.items()}
    known = {name: entry for name, entry in entries.items() if name in settling.pipeline.names}
    with replaced_file(settling.root / LOCK) as partial:
        partial.write_text(lock_text(known), encoding="utf-8")


def drop_removed(root: Path) -> list[str]:
    """Remove the entries of stages that dvc.yaml no longer has from dvc.lock; return their names."""
    entries = entries_of((root / LOCK).read_bytes()) if (root / LOCK).is_file() else {}
    settling = Settling(root, Conflict((Side("here", entries),), ("HEAD",), ()))
    if removed := [name for name in entries if name not in settling.pipeline.names]:
        remove_leftovers(settling.pipeline, settling.conflict)
        write_lock(settling)
    return removed


def results_of(settling: Settling) -> list[str]:
    """Return the paths of all results that git keeps."""
    return [path_of(out) for name in settling.pipeline.names for out in kept(settling.stage(name))]


def _rounds(pipeline: Pipeline) -> Iterable[list[str]]:
    """Yield the stages whose producers have all been yielded before, in the order of dvc.yaml."""
    sorter = TopologicalSorter({name: pipeline.producers(name) for name in pipeline.names})
    sorter.prepare()
    while sorter.is_active():
        ready = set(sorter.get_ready())
        yield [name for name in pipeline.names if name in ready]
        sorter.done(*ready)


def _run(settling: Settling, names: list[str], say: Say) -> None:
    """Run stages, all of whose producers are settled."""
    write_lock(settling)
    for name in names:
        _bring_inputs(settling, name, say)
        _refuse_strays(settling, name)
    started = partial(_say_that_it_runs, say)
    ended = run_dvc("repro", "--single-item", *names, root=settling.root, started=started)
    if ended.code:
        said = "\n".join(ended.lines)
        raise RunFailedError(
            f"{listed(names)} failed; the last lines:\n{said}\nWhat was settled is kept. "
            "Cure: fix the error above, and call this again."
        )
    entries = entries_of((settling.root / LOCK).read_bytes())
    for name in names:
        settling.take(name, Choice("ran", entries[name]))
    settling.ran += [name for name in names if name not in settling.ran]


def _bring_inputs(settling: Settling, name: str, say: Say) -> None:
    """Put in place what a stage reads: from the cache, else the remote, else by running what writes it."""
    _check_out(settling, _missing(settling, name).values())
    if missing := _missing(settling, name):
        run_dvc("pull", "--force", *(path_of(out) for out in missing.values()), root=settling.root)
    for path in _missing(settling, name):
        if writer := settling.pipeline.writers.get(path):
            say(f"{path} is neither in the cache nor on the remote")
            _run(settling, [writer], say)


def _refuse_strays(settling: Settling, name: str) -> None:
    """Refuse to run a stage on a folder with files of another branch: DVC would read them as data."""
    outputs = settling.outputs
    for dependency in files_read(settling.pipeline.stages[name]):
        strays = outputs.strays(dependency) if outputs.touches(path_of(dependency)) else []
        if strays:
            raise StrayFilesError(
                f"{', '.join(strays)}: found where {name} reads {path_of(dependency)}, expected only what stages write "
                "or git tracks; a clone has no such file. What was settled is kept. Cure: remove it, call this again."
            )


def _missing(settling: Settling, name: str) -> Mapping[str, Any]:
    """Return the outputs that a stage reads and that are not in the working tree as they should be."""
    read = [path_of(dependency) for dependency in files_read(settling.pipeline.stages[name])]
    producers = [settling.stage(producer) for producer in settling.pipeline.producers(name)]
    outs = [out for stage in (*producers, *settling.pipeline.data_files) for out in stage.outs]
    wanted = [out for out in outs if any(inside(path, path_of(out)) or inside(path_of(out), path) for path in read)]
    return {path_of(out): out for out in _stale(wanted)}


def _stale(outs: Iterable[Any]) -> list[Any]:
    return [out for out in outs if out.use_cache and out.workspace_status()]


def _check_out(settling: Settling, outs: Iterable[Any]) -> None:
    if paths := [path_of(out) for out in outs]:
        run_dvc("checkout", "--force", "--allow-missing", *paths, root=settling.root)


def _say_that_it_runs(say: Say, name: str) -> None:
    say(f"running {name}")

"""Restore outputs, and report where each came from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lab.core.errors import LabError
from lab.pages.markdown import listed
from ops.dvc.errors import DvcError
from ops.repro.reproduce import reproduce
from ops.revert.outputs import Output, Project
from ops.revert.tree import restore_files

Origin = Literal["here", "cache", "remote", "derived", "missing"]

NOWHERE = "neither in the cache nor on the remote"
OTHER_BYTES = "derived again, but not to the bytes that dvc.lock records"


@dataclass(frozen=True)
class Restored:
    """An output, where it came from, and why it is missing where it is."""

    path: str
    origin: Origin
    reason: str = ""


@dataclass
class Restorer:
    """Restores the outputs of one revision; `differed` are files of git that a stage wrote differently."""

    project: Project
    say: Callable[[str], None]
    found: dict[str, Restored] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    differed: list[str] = field(default_factory=list)

    def restore(self, outputs: Sequence[Output], *, jobs: int) -> None:
        """Restore what is not in its place; 0 jobs run nothing."""
        self._settle("here", (output for output in outputs if self.project.holds(output)))
        self._place("cache", self._missing(outputs))
        if missing := self._missing(outputs):
            self._fetch(missing)
            self._place("remote", missing)
        if missing := self._missing(outputs):
            reasons = self._derive(outputs, missing, jobs=jobs)
            for output in self._missing(outputs):
                self.project.remove(output.path)
                self.found[output.path] = Restored(output.path, "missing", reasons[output.path])

    def _missing(self, outputs: Iterable[Output]) -> list[Output]:
        return [output for output in outputs if output.path not in self.found]

    def _settle(self, origin: Origin, outputs: Iterable[Output]) -> None:
        self.found |= {output.path: Restored(output.path, origin) for output in outputs}

    def _place(self, origin: Origin, outputs: Sequence[Output]) -> None:
        """Check out of the cache what it has completely, and check the bytes."""
        whole = [output for output in outputs if self.project.cached_whole(output)]
        self._check_out(whole)
        self._settle(origin, (output for output in whole if self.project.holds(output)))

    def _check_out(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self.project.remove(output.path)
        if outputs:
            self.project.check_out([output.path for output in outputs])

    def _fetch(self, outputs: Sequence[Output]) -> None:
        self.say(f"Asking the remote for {listed(output.path for output in outputs)}.")
        try:
            self.project.fetch([output.path for output in outputs])
        except Exception as error:  # noqa: BLE001 - storage libraries share no class of errors, and none is fatal here
            # What a library says may hold an address with a password.
            self.notes.append(f"The remote did not have everything ({type(error).__name__}): `dvc fetch`.")

    def _derive(self, outputs: Sequence[Output], missing: Sequence[Output], *, jobs: int) -> dict[str, str]:
        """Run the stages that make what is missing; return the reason for each output that is still missing."""
        if not jobs:
            return {output.path: NOWHERE for output in missing}
        stages = {output.stage: None for output in missing if output.has_command}
        failed: dict[str, str] = {}
        if stages:
            self.say(f"Deriving again: {listed(stages)}.")
            failed = self._run(list(stages), jobs=jobs)
        self.differed = [path for path in restore_files(self.project.root) if not path.endswith("dvc.lock")]
        self._settle("derived", (output for output in missing if self.project.holds(output)))
        spoilt = [output for output in outputs if output.path in self.found and not self.project.holds(output)]
        self._check_out([output for output in spoilt if self.project.cached_whole(output)])
        for output in spoilt:
            if not self.project.holds(output):
                del self.found[output.path]
        self.notes += [f"{path} was derived to other bytes; the committed ones are back." for path in self.differed]
        return {output.path: _reason(output, failed) for output in outputs}

    def _run(self, stages: list[str], *, jobs: int) -> dict[str, str]:
        try:
            outcome = reproduce(self.project.root, stages, jobs=jobs, force=False, say=self.say)
        except (DvcError, LabError) as error:
            return dict.fromkeys(stages, str(error))
        skipped = {stage: f"not run, for {listed(outcome.failed)} failed" for stage in outcome.skipped}
        return {**outcome.failed, **skipped}


def _reason(output: Output, failed: dict[str, str]) -> str:
    if not output.has_command:
        return f"{NOWHERE}, and no stage makes it"
    if output.stage not in failed:
        return OTHER_BYTES
    return f"{NOWHERE}, and {output.stage} failed: {failed[output.stage].splitlines()[-1]}"

"""Append-only JSON lines log: many requests, one writer thread, durable writes."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from serving.log_files import FileRules, LogFiles
from serving.settings import Settings

LOG = logging.getLogger("serving")
Durability = Literal["always", "batched", "never"]
Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
SECONDS_BETWEEN_SYNCS = 1.0
SECONDS_BETWEEN_TRIES = 1.0  # after an error
SECONDS_TO_GATHER = 0.05  # unless requests wait for their lines
MEGABYTE = 1_000_000


class LogError(OSError):
    """A line could not be written; the request must fail."""


@dataclass(frozen=True)
class Rules:
    """Durability of a line, the limit of lines that wait, and the rules of the files."""

    durability: Durability
    files: FileRules
    most_waiting_bytes: int = 32 * MEGABYTE


@dataclass
class Counts:
    """Counts of lines for the metrics; `failed` lines were refused, never acknowledged."""

    lines: int = 0
    waiting: int = 0
    failed: int = 0


@dataclass
class _Pending:
    """Lines to write, and the futures to resolve afterwards."""

    lines: list[bytes] = field(default_factory=list)
    waiters: list[Waiter] = field(default_factory=list)
    since: float | None = None

    def add(self, lines: Sequence[bytes], waiter: Waiter | None) -> bool:
        """Add lines and the future that waits for them; return whether nothing was pending before."""
        first = not self.lines and not self.waiters
        if self.since is None and lines:
            self.since = time.monotonic()
        self.lines += lines
        if waiter is not None:
            self.waiters.append(waiter)
        return first

    def join(self, later: "_Pending") -> None:
        self.lines += later.lines
        self.waiters += later.waiters
        self.since = self.since or later.since


def rules_of(settings: Settings) -> Rules:
    """Return the rules of the settings."""
    keep_days, keep_megabytes = settings.log_keep_days, settings.log_keep_megabytes
    files = FileRules(
        most_bytes=settings.log_megabytes * MEGABYTE,
        most_seconds=settings.log_hours * 3600,
        keep_bytes=None if keep_megabytes is None else keep_megabytes * MEGABYTE,
        keep_seconds=None if keep_days is None else keep_days * 86_400,
    )
    return Rules(settings.durability, files)


class Log:
    """Lines of one kind in one folder.

    A thread writes all pending lines together and syncs once, so that many waiting requests cost one sync. While a
    write fails, `failing` is the reason. Lines that `batched` or `never` has acknowledged are kept and tried again.
    """

    def __init__(self, folder: Path, kind: str, rules: Rules) -> None:
        self._kind, self._rules = kind, rules
        self._waits = rules.durability == "always"
        self._files = LogFiles(folder, kind, rules.files)
        self.counts, self.failing = Counts(), ""
        self._gathered, self._pending, self._bytes = _Pending(), _Pending(), 0
        self._condition, self._closing = threading.Condition(), threading.Event()
        self._writing_since: float | None = None
        self._synced = time.monotonic()
        self._thread = threading.Thread(target=self._write_on, name=f"{kind} log", daemon=True)
        self._thread.start()

    @property
    def repaired(self) -> int:
        """The number of half-written lines that were cut off at the start."""
        return self._files.repaired

    @property
    def lost(self) -> int:
        """The number of written lines whose file was removed or moved while the server was writing to it."""
        return self._files.lost

    async def append(self, lines: Sequence[bytes]) -> None:
        """Add lines; with durability `always` return after they are on disk. Raise when they cannot be written."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] | None = loop.create_future() if self._waits else None
        with self._condition:
            self._check_room(lines)
            gathering = self._pending if waiter is None else self._gathered
            first = gathering.add(lines, None if waiter is None else (loop, waiter))
            self.counts.waiting += len(lines)
            if first and waiter is None:
                self._condition.notify()
        if waiter is not None:
            if first:
                loop.call_soon(self._pass_gathered)
            await waiter

    def _check_room(self, lines: Sequence[bytes]) -> None:
        """Count the bytes of new lines; raise where nobody would write them."""
        size = sum(map(len, lines))
        problem = "the log is closed" if self._closing.is_set() else "" if self._waits else self.failing
        if self._bytes and self._bytes + size > self._rules.most_waiting_bytes:
            problem = problem or f"{self._bytes} bytes wait to be written"
        if problem:
            self.counts.failed += len(lines)
            raise LogError(problem)
        self._bytes += size

    def _pass_gathered(self) -> None:
        """Pass the lines of one iteration of the event loop to the writer thread.

        Waking a thread costs as much as scoring a row, and a sync costs more: both happen once for all these lines.
        """
        with self._condition:
            gathered, self._gathered = self._gathered, _Pending()
            self._pending.join(gathered)
            self._condition.notify()

    def lag(self) -> float:
        """Return the age in seconds of the oldest line that is not yet written."""
        since = self._writing_since or self._pending.since or self._gathered.since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Write and sync all pending lines, then stop."""
        with self._condition:  # reentrant
            self._closing.set()
            self._pass_gathered()
        self._thread.join()

    def _write_on(self) -> None:
        while True:
            with self._condition:
                if not self._pending.lines and not self._closing.is_set():
                    self._condition.wait(timeout=SECONDS_BETWEEN_SYNCS)
            if not self._waits:
                self._closing.wait(SECONDS_BETWEEN_TRIES if self.failing else SECONDS_TO_GATHER)
            with self._condition:
                taken, self._pending, closing = self._pending, _Pending(), self._closing.is_set()
                self._writing_since = taken.since
            error = self._try(taken.lines, closing=closing)
            with self._condition:
                self._note(taken, error, closing=closing)
            _wake(taken.waiters, error)
            if closing and not self._pending.lines:
                self._close_files()
                return

    def _try(self, lines: Sequence[bytes], *, closing: bool) -> Exception | None:
        """Write lines, or sync what is written, or check whether the disk can be written again; return the error."""
        try:
            now = time.monotonic()
            sync = self._waits or (self._rules.durability == "batched" and now - self._synced >= SECONDS_BETWEEN_SYNCS)
            if lines:
                self._files.write(lines, sync=sync)
            elif self.failing and not closing:
                self._files.check()
            elif sync and not self._waits:
                self._files.sync()
            if sync:
                self._synced = now
        except Exception as error:  # noqa: BLE001 - the thread must go on: requests wait for it
            return error
        return None

    def _note(self, taken: _Pending, error: Exception | None, *, closing: bool) -> None:
        """Count lines that were written or refused; acknowledged lines wait for the next try."""
        self._writing_since = None
        if error is not None and not self.failing:
            LOG.error("the log of %s cannot be written: %s", self._kind, error)
        self.failing = "" if error is None else getattr(error, "strerror", None) or str(error)
        if error is not None and not self._waits and not closing:
            taken.join(self._pending)
            self._pending = taken
            return
        self._bytes -= sum(map(len, taken.lines))
        self.counts.waiting -= len(taken.lines)
        if error is None:
            self.counts.lines += len(taken.lines)
            return
        self.counts.failed += len(taken.lines)
        if not self._waits:
            LOG.error("%d acknowledged lines of the log of %s are lost", len(taken.lines), self._kind)

    def _close_files(self) -> None:
        try:
            self._files.close()
        except OSError as error:
            LOG.error("the log of %s cannot be closed: %s", self._kind, error)  # noqa: TRY400 - the trace adds nothing


def _wake(waiters: Sequence[Waiter], error: Exception | None) -> None:
    """Resolve futures in their event loops; each loop is woken once, since waking costs a system call."""
    for loop in dict.fromkeys(loop for loop, _ in waiters):
        loop.call_soon_threadsafe(_resolve, [waiter for its, waiter in waiters if its is loop], error)


def _resolve(waiters: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for waiter in waiters:
        if waiter.done():  # the request was cancelled
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(LogError(*error.args))

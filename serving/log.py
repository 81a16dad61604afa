"""Append-only JSON lines log, with one writer a process and durable writes."""

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from serving.settings import Settings

Durability = Literal["always", "batched", "never"]
Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
MODE = 0o644
SECONDS_BETWEEN_SYNCS = 1.0
SECONDS_TO_GATHER = 0.05  # unless requests wait for their lines
MEGABYTE = 1_000_000


class LogError(OSError):
    """A line could not be written; the request must fail."""


@dataclass(frozen=True)
class Rules:
    """Durability of a line, rotation of files, and retention of closed files."""

    durability: Durability
    most_bytes: float
    most_seconds: float
    keep_bytes: float | None
    keep_seconds: float | None


@dataclass
class Counts:
    """Counts of lines for the metrics."""

    lines: int = 0
    waiting: int = 0
    repaired: int = 0
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
    return Rules(
        durability=settings.durability,
        most_bytes=settings.log_megabytes * MEGABYTE,
        most_seconds=settings.log_hours * 3600,
        keep_bytes=None if keep_megabytes is None else keep_megabytes * MEGABYTE,
        keep_seconds=None if keep_days is None else keep_days * 86_400,
    )


class Log:
    """Lines of one kind in one folder. Each process that writes there locks a worker number and has its own files.

    A thread writes all pending lines together and syncs once, so that many waiting requests cost one sync.
    A file is named KIND-WORKER-NUMBER.jsonl.
    """

    def __init__(self, folder: Path, kind: str, rules: Rules) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._kind, self._rules = folder, kind, rules
        self.counts = Counts()
        self._lock, self._worker = _lock_worker_number(folder, kind)
        self.counts.repaired = sum(_repair(path) for path in _last_files(folder, kind) if self._may_repair(path))
        self._number = max((_number_of(path) for path in self._own_files()), default=0)
        self._gathered, self._pending = _Pending(), _Pending()
        self._condition, self._closing = threading.Condition(), threading.Event()
        self._writing_since: float | None = None
        self._file, self._size, self._opened = -1, 0, 0.0
        self._synced = time.monotonic()
        self._thread = threading.Thread(target=self._write_on, name=f"{kind} log", daemon=True)
        self._thread.start()

    async def append(self, lines: Sequence[bytes]) -> None:
        """Add lines; with durability `always` return after they are on disk, and raise when they cannot be written."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] | None = loop.create_future() if self._rules.durability == "always" else None
        with self._condition:
            if self._closing.is_set():
                raise LogError("the log is closed")
            gathering = self._pending if waiter is None else self._gathered
            first = gathering.add(lines, None if waiter is None else (loop, waiter))
            self.counts.waiting += len(lines)
            if first and waiter is None:
                self._condition.notify()
        if waiter is not None:
            if first:
                loop.call_soon(self._pass_gathered)
            await waiter

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
        os.close(self._lock)

    def _write_on(self) -> None:
        while True:
            with self._condition:
                if not self._pending.lines and not self._closing.is_set():
                    self._condition.wait(timeout=SECONDS_BETWEEN_SYNCS)
            if self._rules.durability != "always":
                self._closing.wait(SECONDS_TO_GATHER)
            with self._condition:
                taken, self._pending, closing = self._pending, _Pending(), self._closing.is_set()
                self._writing_since = taken.since
            error = self._write(taken.lines, closing=closing)
            with self._condition:
                self.counts.waiting -= len(taken.lines)
                self._writing_since = None
            _wake(taken.waiters, error)
            if closing and not self._pending.lines:
                self._close_file()
                return

    def _write(self, lines: Sequence[bytes], *, closing: bool) -> OSError | None:
        """Write lines and return the error, if any; after an error the file ends with the line before them."""
        try:
            if lines:
                self._rotate(sum(map(len, lines)))
                _write_all(self._file, b"".join(lines))
                self._size += sum(map(len, lines))
                self.counts.lines += len(lines)
            if self._file >= 0:
                self._sync(now=closing)
        except OSError as error:
            self.counts.failed += len(lines)
            if self._file >= 0:
                os.ftruncate(self._file, self._size)
            return error
        return None

    def _sync(self, *, now: bool) -> None:
        due = time.monotonic() - self._synced >= SECONDS_BETWEEN_SYNCS
        if self._rules.durability == "always" or (self._rules.durability == "batched" and (due or now)):
            os.fdatasync(self._file)
            self._synced = time.monotonic()

    def _rotate(self, size: int) -> None:
        full = self._size and self._size + size > self._rules.most_bytes
        old = time.monotonic() - self._opened > self._rules.most_seconds
        if self._file >= 0 and not full and not old:
            return
        self._close_file()
        self._number += 1
        path = self._folder / f"{self._kind}-{self._worker}-{self._number:06d}.jsonl"
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, MODE)
        self._size, self._opened = 0, time.monotonic()
        _sync_folder(self._folder)
        self._remove_old()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def _remove_old(self) -> None:
        """Remove the oldest closed files of all processes; the last file of each may be in use."""
        last = set(_last_files(self._folder, self._kind))
        closed = [path for path in self._folder.glob(f"{self._kind}-*.jsonl") if path not in last]
        states = sorted((path.stat().st_mtime, path, path.stat().st_size) for path in closed)
        total, now = sum(size for _, _, size in states), time.time()
        for changed, path, size in states:
            too_large = self._rules.keep_bytes is not None and total > self._rules.keep_bytes
            too_old = self._rules.keep_seconds is not None and now - changed > self._rules.keep_seconds
            if too_large or too_old:
                total -= size
                path.unlink(missing_ok=True)

    def _own_files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._kind}-{self._worker}-*.jsonl"))

    def _may_repair(self, path: Path) -> bool:
        """Whether no other process can be writing to a file."""
        worker = _worker_of(path)
        if worker == self._worker:
            return True
        lock = _lock(self._folder, self._kind, worker)
        if lock is not None:
            os.close(lock)
        return lock is not None


def _lock_worker_number(folder: Path, kind: str) -> tuple[int, int]:
    """Lock the first free worker number for the life of the process; return the lock and the number."""
    for worker in count():
        lock = _lock(folder, kind, worker)
        if lock is not None:
            return lock, worker
    raise AssertionError("count() is endless")


def _lock(folder: Path, kind: str, worker: int) -> int | None:
    lock = os.open(folder / f".{kind}-{worker}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _last_files(folder: Path, kind: str) -> list[Path]:
    """Return the newest file of each worker."""
    last: dict[int, Path] = {_worker_of(path): path for path in sorted(folder.glob(f"{kind}-*.jsonl"), key=_number_of)}
    return [last[worker] for worker in sorted(last)]


def _worker_of(path: Path) -> int:
    return int(path.stem.split("-")[-2])


def _number_of(path: Path) -> int:
    return int(path.stem.split("-")[-1])


def _repair(path: Path) -> int:
    """Cut off a half-written last line; return the number of cut lines."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return 0
    os.truncate(path, whole)
    return 1


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _wake(waiters: Sequence[Waiter], error: OSError | None) -> None:
    """Resolve futures in their event loops; each loop is woken once, since waking costs a system call."""
    for loop in dict.fromkeys(loop for loop, _ in waiters):
        loop.call_soon_threadsafe(_resolve, [waiter for its, waiter in waiters if its is loop], error)


def _resolve(waiters: Sequence[asyncio.Future[None]], error: OSError | None) -> None:
    for waiter in waiters:
        if waiter.done():  # the request was cancelled
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(LogError(error.errno, error.strerror))

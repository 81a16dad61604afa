"""The prediction log: JSON lines, only ever added to; one writer a process, and no line is lost that was promised."""

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
Promise = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
MODE = 0o644
SECONDS_OF_A_BATCH = 1.0
SECONDS_TO_GATHER = 0.05  # where nobody waits for a line
MEGABYTE = 1_000_000


class LogError(OSError):
    """A line could not be written: what was to be answered must not be."""


@dataclass(frozen=True)
class Rules:
    """When a line counts as written, when a file is closed, and how long closed ones are kept."""

    durability: Durability
    most_bytes: float
    most_seconds: float
    keep_bytes: float | None
    keep_seconds: float | None


@dataclass
class Counts:
    """What the log has done, for the metrics."""

    lines: int = 0
    waiting: int = 0
    repaired: int = 0
    failed: int = 0


@dataclass
class _Waiting:
    """Lines that wait for the writer, and who waits for them."""

    lines: list[bytes] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    since: float | None = None

    def take(self, lines: Sequence[bytes], promise: Promise | None) -> bool:
        """Add lines, and who waits for them; return whether nothing was there before."""
        first = not self.lines and not self.promises
        if self.since is None and lines:
            self.since = time.monotonic()
        self.lines += lines
        if promise is not None:
            self.promises.append(promise)
        return first

    def join(self, later: "_Waiting") -> None:
        """Add what came later."""
        self.lines += later.lines
        self.promises += later.promises
        self.since = self.since or later.since


def rules_of(settings: Settings) -> Rules:
    """Return the rules that the settings ask for."""
    keep_days, keep_megabytes = settings.log_keep_days, settings.log_keep_megabytes
    return Rules(
        durability=settings.durability,
        most_bytes=settings.log_megabytes * MEGABYTE,
        most_seconds=settings.log_hours * 3600,
        keep_bytes=None if keep_megabytes is None else keep_megabytes * MEGABYTE,
        keep_seconds=None if keep_days is None else keep_days * 86_400,
    )


class Log:
    """Lines of one kind in one folder. Several processes may write there: each takes a number, and files of its own.

    A thread writes what has come together since it last wrote, and forces it to the disk once for all of them, so that
    many waiting requests cost one forced write. A file is named KIND-WORKER-NUMBER.jsonl.
    """

    def __init__(self, folder: Path, kind: str, rules: Rules) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._kind, self._rules = folder, kind, rules
        self.counts = Counts()
        self._claim, self._worker = _claimed(folder, kind)
        self.counts.repaired = sum(_repair(path) for path in _last_files(folder, kind) if self._may_repair(path))
        self._number = max((_number_of(path) for path in self._own_files()), default=0)
        self._gathered, self._waiting = _Waiting(), _Waiting()
        self._condition, self._closing = threading.Condition(), threading.Event()
        self._writing_since: float | None = None
        self._file, self._size, self._opened = -1, 0, 0.0
        self._forced = time.monotonic()
        self._thread = threading.Thread(target=self._write_on, name=f"{kind} log", daemon=True)
        self._thread.start()

    async def append(self, lines: Sequence[bytes]) -> None:
        """Add lines; with durability `always` this returns when they are on the disk, and raises when they are not."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[None] | None = loop.create_future() if self._rules.durability == "always" else None
        with self._condition:
            if self._closing.is_set():
                raise LogError("the log is closed")
            gathering = self._waiting if promise is None else self._gathered
            first = gathering.take(lines, None if promise is None else (loop, promise))
            self.counts.waiting += len(lines)
            if first and promise is None:
                self._condition.notify()
        if promise is not None:
            if first:
                loop.call_soon(self._hand_over)
            await promise

    def _hand_over(self) -> None:
        """Let the writer have what one turn of the loop gathered.

        To wake a thread costs as much as to score a row, and to force a file out may cost more: not once for each line.
        """
        with self._condition:
            self._move()

    def _move(self) -> None:
        gathered, self._gathered = self._gathered, _Waiting()
        self._waiting.join(gathered)
        self._condition.notify()

    def lag(self) -> float:
        """Return how many seconds the oldest line that is not yet written has waited."""
        since = self._writing_since or self._waiting.since or self._gathered.since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Write what waits, force it to the disk, and end."""
        with self._condition:
            self._closing.set()
            self._move()
        self._thread.join()
        os.close(self._claim)

    def _write_on(self) -> None:
        while True:
            with self._condition:
                if not self._waiting.lines and not self._closing.is_set():
                    self._condition.wait(timeout=SECONDS_OF_A_BATCH)
            if self._rules.durability != "always":
                self._closing.wait(SECONDS_TO_GATHER)
            with self._condition:
                taken, self._waiting, closing = self._waiting, _Waiting(), self._closing.is_set()
                self._writing_since = taken.since
            error = self._write(taken.lines, closing=closing)
            with self._condition:
                self.counts.waiting -= len(taken.lines)
                self._writing_since = None
            _tell(taken.promises, error)
            if closing and not self._waiting.lines:
                self._close_file()
                return

    def _write(self, lines: Sequence[bytes], *, closing: bool) -> OSError | None:
        """Write lines and return what went wrong, after which the file ends with the line before them."""
        try:
            if lines:
                self._make_room(sum(map(len, lines)))
                _write_all(self._file, b"".join(lines))
                self._size += sum(map(len, lines))
                self.counts.lines += len(lines)
            if self._file >= 0:
                self._force(now=closing)
        except OSError as error:
            self.counts.failed += len(lines)
            if self._file >= 0:
                os.ftruncate(self._file, self._size)
            return error
        return None

    def _force(self, *, now: bool) -> None:
        due = time.monotonic() - self._forced >= SECONDS_OF_A_BATCH
        if self._rules.durability == "always" or (self._rules.durability == "batched" and (due or now)):
            os.fdatasync(self._file)
            self._forced = time.monotonic()

    def _make_room(self, size: int) -> None:
        full = self._size and self._size + size > self._rules.most_bytes
        old = time.monotonic() - self._opened > self._rules.most_seconds
        if self._file >= 0 and not full and not old:
            return
        self._close_file()
        self._number += 1
        path = self._folder / f"{self._kind}-{self._worker}-{self._number:06d}.jsonl"
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, MODE)
        self._size, self._opened = 0, time.monotonic()
        _force_folder(self._folder)
        self._drop_old()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def _drop_old(self) -> None:
        """Remove the oldest closed files beyond what is kept, of all processes; the last of each may be in use."""
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
        """Whether nobody but this process may be writing to a file."""
        worker = _worker_of(path)
        if worker == self._worker:
            return True
        claim = _claim(self._folder, self._kind, worker)
        if claim is not None:
            os.close(claim)
        return claim is not None


def _claimed(folder: Path, kind: str) -> tuple[int, int]:
    """Return a lock that is held for as long as the process lives, and the worker's number that it stands for."""
    for worker in count():
        claim = _claim(folder, kind, worker)
        if claim is not None:
            return claim, worker
    raise AssertionError("numbers do not end")


def _claim(folder: Path, kind: str, worker: int) -> int | None:
    claim = os.open(folder / f".{kind}-{worker}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, MODE)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return None
    return claim


def _last_files(folder: Path, kind: str) -> list[Path]:
    """Return the newest file of each worker."""
    last: dict[int, Path] = {_worker_of(path): path for path in sorted(folder.glob(f"{kind}-*.jsonl"), key=_number_of)}
    return [last[worker] for worker in sorted(last)]


def _worker_of(path: Path) -> int:
    return int(path.stem.split("-")[-2])


def _number_of(path: Path) -> int:
    return int(path.stem.split("-")[-1])


def _repair(path: Path) -> int:
    """Cut off the line that a killed process left half written, and return how many there were."""
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


def _force_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tell(promises: Sequence[Promise], error: OSError | None) -> None:
    """Settle promises where they are waited for; waking a loop costs a system call, so each is woken once."""
    for loop in dict.fromkeys(loop for loop, _ in promises):
        loop.call_soon_threadsafe(_settle_all, [promise for its, promise in promises if its is loop], error)


def _settle_all(promises: Sequence[asyncio.Future[None]], error: OSError | None) -> None:
    for promise in promises:
        _settle(promise, error)


def _settle(promise: asyncio.Future[None], error: OSError | None) -> None:
    if promise.done():  # whoever waited has gone
        return
    if error is None:
        promise.set_result(None)
    else:
        promise.set_exception(LogError(error.errno, error.strerror))

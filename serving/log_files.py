"""The files of one log: one writer each, repaired, rotated, deleted by size or age."""

import fcntl
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

LOG = logging.getLogger("serving")
MODE = 0o640  # the lines hold customers' data
FOLDER_MODE = 0o750
PROBE_BYTES = 4096


@dataclass(frozen=True)
class FileRules:
    """Rotation of files, and retention of closed files."""

    most_bytes: float
    most_seconds: float
    keep_bytes: float | None
    keep_seconds: float | None


class LogClock:
    """The time of a log: it continues at the newest file and then runs with the monotonic clock.

    A step of the system's clock, before or after the start, does not change the age of a file. Downtime is not counted,
    because nothing distinguishes it from a step.
    """

    def __init__(self, newest: float | None) -> None:
        self._start = time.time() if newest is None else newest
        self._started = time.monotonic()

    def now(self) -> float:
        return self._start + time.monotonic() - self._started


class LogFiles:
    """Writes KIND-WORKER-NUMBER.jsonl. Each process locks a worker number and has its own files."""

    def __init__(self, folder: Path, kind: str, rules: FileRules) -> None:
        self._folder, self._kind, self._rules = folder, kind, rules
        self.repaired, self.lost = 0, 0  # lines
        self._lock, self._file, self._path = -1, -1, folder
        self._size, self._lines, self._opened = 0, 0, 0.0
        self._enter()

    def write(self, lines: Sequence[bytes], *, sync: bool) -> None:
        """Append lines to a file that is in the folder; after an error the file ends with the line before them."""
        content = b"".join(lines)
        for _ in range(2):
            self._rotate(len(content))
            self._append(content, sync=sync)
            if not self._is_removed():
                self._size += len(content)
                self._lines += len(lines)
                return
            self._enter_again()
        raise FileNotFoundError(2, "the file is removed as soon as it is written")

    def sync(self) -> None:
        """Force the written lines to disk."""
        if self._file >= 0:
            self._append(b"", sync=True)

    def check(self) -> None:
        """Raise OSError unless a file of one block can be written into the folder."""
        if self._lock < 0:
            self._enter()
        path = self._folder / f".{self._kind}-{self._worker}.check"
        file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, MODE)
        try:
            _write_all(file, bytes(PROBE_BYTES))
            os.fdatasync(file)
        finally:
            os.close(file)
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Sync and close the file, and release the worker number."""
        self._close_file()
        self._release()

    def _enter(self) -> None:
        """Make the folder, lock a worker number in it, and repair what a killed process left."""
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self._lock, self._worker = _lock_worker_number(self._folder, self._kind)
        changed = [state.st_mtime for path in self._files() if (state := _state(path)) is not None]
        self._clock = LogClock(max(changed, default=None))
        self.repaired += sum(_repair(path) for path in last_files(self._folder, self._kind) if self._may_repair(path))
        self._number = max((_number_of(path) for path in self._files() if _worker_of(path) == self._worker), default=0)

    def _enter_again(self) -> None:
        """Continue in a new file, after the current one was removed or moved."""
        LOG.error("%s was removed or moved, with %d logged lines; continuing in a new file", self._path, self._lines)
        self.lost += self._lines
        os.close(self._file)
        self._file = -1
        self._release()
        self._enter()

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _append(self, content: bytes, *, sync: bool) -> None:
        try:
            _write_all(self._file, content)
            if sync:
                os.fdatasync(self._file)
            self._stamp()
        except OSError:
            self._abandon()
            raise

    def _stamp(self) -> None:
        """Give the file the log's time, from which its age is counted."""
        if self._rules.keep_seconds is not None or self._rules.keep_bytes is not None:
            os.utime(self._file, (self._clock.now(),) * 2)

    def _abandon(self) -> None:
        """Cut off what an error left, and close the file: after a failed sync its state is unknown."""
        try:
            os.ftruncate(self._file, self._size)
            if not self._size and not self._is_removed():
                self._path.unlink(missing_ok=True)
        except OSError as error:
            LOG.error("%s cannot be repaired, the next start tries again: %s", self._path, error)  # noqa: TRY400 - no bug
        finally:
            os.close(self._file)
            self._file = -1

    def _is_removed(self) -> bool:
        """Whether the path of the open file is no longer that file."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file))
        except (FileNotFoundError, NotADirectoryError):
            return True

    def _rotate(self, size: int) -> None:
        full = self._size and self._size + size > self._rules.most_bytes
        old = time.monotonic() - self._opened > self._rules.most_seconds
        if self._file >= 0 and not full and not old:
            return
        self._close_file()
        if self._lock < 0 or not self._folder.exists():
            self._release()
            self._enter()
        self._number += 1
        self._path = self._folder / f"{self._kind}-{self._worker}-{self._number:06d}.jsonl"
        self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, MODE)
        self._size, self._lines, self._opened = 0, 0, time.monotonic()
        _sync_folder(self._folder)
        self._stamp()
        self._remove_old()

    def _close_file(self) -> None:
        if self._file >= 0:
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = -1

    def _remove_old(self) -> None:
        """Remove the oldest closed files of all processes; the last file of each may be in use."""
        last = set(last_files(self._folder, self._kind))
        states = [(path, _state(path)) for path in self._files() if path not in last]
        closed = sorted((state.st_mtime, path, state.st_size) for path, state in states if state is not None)
        total, now = sum(size for _, _, size in closed), self._clock.now()
        for changed, path, size in closed:
            too_large = self._rules.keep_bytes is not None and total > self._rules.keep_bytes
            too_old = self._rules.keep_seconds is not None and now - changed > self._rules.keep_seconds
            if too_large or too_old:
                total -= size
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._kind}-*.jsonl"), key=_number_of)

    def _may_repair(self, path: Path) -> bool:
        """Whether no other process can be writing to a file."""
        worker = _worker_of(path)
        if worker == self._worker:
            return True
        lock = _lock(self._folder, self._kind, worker)
        if lock is not None:
            os.close(lock)
        return lock is not None


def last_files(folder: Path, kind: str) -> list[Path]:
    """Return the newest file of each worker."""
    last: dict[int, Path] = {_worker_of(path): path for path in sorted(folder.glob(f"{kind}-*.jsonl"), key=_number_of)}
    return [last[worker] for worker in sorted(last)]


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


def _worker_of(path: Path) -> int:
    return int(path.stem.split("-")[-2])


def _number_of(path: Path) -> int:
    return int(path.stem.split("-")[-1])


def _state(path: Path) -> os.stat_result | None:
    """Return the state of a file, None where another process has just removed it."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _repair(path: Path) -> int:
    """Cut off a half-written last line; return the number of cut lines. The file keeps its time."""
    content, state = path.read_bytes(), path.stat()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return 0
    os.truncate(path, whole)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
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

"""The newest label of each prediction, to find contradictions; all workers share it."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from serving.log_files import FOLDER_MODE, MODE

INDEX = ".labels.sqlite"
MOST_LABELS = 2_000_000
SECONDS_TO_WAIT = 10  # for another worker
Label = tuple[str, bool, str]  # identifier, label, sender
SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE, label INTEGER, sender TEXT)
"""


class LabelIndex:
    """An SQLite file beside the feedback log. The log is the truth: a lost or damaged index is filled from it again."""

    def __init__(self, folder: Path, *, most: int = MOST_LABELS) -> None:
        self._folder, self._path, self._most = folder, folder / INDEX, most
        self._lock = threading.Lock()
        self._open()

    def record(self, labels: Sequence[Label]) -> list[str | None]:
        """Record labels; return for each who sent another label for the same prediction before, None for nobody."""
        with self._lock:
            try:
                if not self._path.exists():
                    self.close()
                    self._open()
                return self._record(labels)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # busy, or the disk is full
                    raise
                self.close()
                self._path.unlink(missing_ok=True)
                self._open()
                return self._record(labels)

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> None:
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not self._path.exists():
            self._path.touch(mode=MODE)
        self._connection = sqlite3.connect(
            self._path, timeout=SECONDS_TO_WAIT, check_same_thread=False, isolation_level=None
        )
        try:
            self._connection.execute("PRAGMA journal_mode = TRUNCATE")  # survives a kill
            self._connection.execute("PRAGMA synchronous = OFF")  # the log is durable, and fills a lost index
            self._connection.execute(SCHEMA)
            if self._connection.execute("SELECT 1 FROM labels LIMIT 1").fetchone() is None:
                self._record(list(_logged(self._folder)))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self.close()
            self._path.unlink()
            self._open()

    def _record(self, labels: Iterable[Label]) -> list[str | None]:
        execute, earlier = self._connection.execute, list[str | None]()
        with self._connection:
            execute("BEGIN IMMEDIATE")
            for identifier, label, sender in labels:
                key = hashlib.blake2b(identifier.encode(), digest_size=8).digest()
                known = execute("SELECT label, sender FROM labels WHERE id = ?", (key,)).fetchone()
                earlier.append(known[1] if known is not None and known[0] != label else None)
                execute("INSERT OR REPLACE INTO labels (id, label, sender) VALUES (?, ?, ?)", (key, label, sender))
            execute("DELETE FROM labels WHERE number <= (SELECT max(number) FROM labels) - ?", (self._most,))
        return earlier


def _logged(folder: Path) -> Iterator[Label]:
    """Yield the labels of the feedback log; incomplete lines are left out."""
    for path in sorted(folder.glob("feedback-*.jsonl"), key=lambda path: path.stat().st_mtime):
        for line in path.read_bytes().splitlines():
            try:
                found = json.loads(line)
                yield found["id"], bool(found["label"]), found.get("sender", "")
            except (ValueError, LookupError, TypeError):
                continue

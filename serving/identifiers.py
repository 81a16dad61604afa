"""Identifiers of predictions, signed: any worker can tell its own from others without an index."""

import hashlib
import os
import secrets
from collections.abc import Sequence

from serving.log_files import FOLDER_MODE
from serving.settings import Settings

KEY_FILE = ".identifiers.key"
KEY_BYTES = 32
TAG_BYTES = 6
POSITIVE, NEGATIVE = "p", "n"


class Identifiers:
    """Issues and checks identifiers of the form RANDOM-PLACE-TAG; the place ends with p or n, the decision."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._hash = hashlib.blake2b(key=key, digest_size=TAG_BYTES)

    def issue(self, positive: Sequence[bool]) -> list[str]:
        """Return a new identifier for each decision of one request."""
        request = secrets.token_hex(16)
        places = [f"{request}-{place}{POSITIVE if each else NEGATIVE}" for place, each in enumerate(positive)]
        return [f"{place}-{self._tag(place)}" for place in places]

    def decision_of(self, identifier: str) -> bool | None:
        """Return the decision of the prediction; None for an identifier that was not issued with this key."""
        place, _, tag = identifier.rpartition("-")
        if not place.isascii() or not secrets.compare_digest(self._tag(place).encode(), tag.encode()):
            return None
        return place.endswith(POSITIVE)

    def _tag(self, place: str) -> str:
        tag = self._hash.copy()
        tag.update(place.encode())
        return tag.hexdigest()


def identifier_key(settings: Settings) -> bytes:
    """Return the key: of LAB_ID_SECRET, else the one that all workers of the log share."""
    if settings.id_secret is not None:
        return hashlib.sha256(settings.id_secret.get_secret_value().encode()).digest()
    return kept_key(settings, secrets.token_bytes(KEY_BYTES))


def kept_key(settings: Settings, key: bytes) -> bytes:
    """Return the key in the folder of the log, after this one was written if there was none."""
    folder = settings.log
    if folder is None or settings.id_secret is not None:
        return key
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    path, made = folder / KEY_FILE, folder / f"{KEY_FILE}.{secrets.token_hex(8)}"
    if not path.exists():
        made.touch(mode=0o600)
        made.write_bytes(key)
        try:
            os.link(made, path)  # atomic: one of several workers succeeds
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes()

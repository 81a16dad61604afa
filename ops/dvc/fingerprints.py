"""The MD5 that DVC records for a file or a folder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

CHUNK = 1 << 20


def md5_of(content: bytes) -> str:
    """Return the MD5 of a file of this content.

    >>> md5_of(b"")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def file_md5(path: Path) -> str:
    """Return the MD5 of a file on disk, of any size."""
    found = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def folder_md5(files: Mapping[str, str]) -> str:
    """Return the MD5 of a folder from the MD5 of each file by its path in the folder; it ends in `.dir`.

    >>> folder_md5({})
    'd751713988987e9331980363e24189ce.dir'
    """
    entries = [{"md5": files[path], "relpath": path} for path in sorted(files)]
    return f"{md5_of(json.dumps(entries, sort_keys=True).encode())}.dir"

"""Upload a report's images; an image that fails is left out."""

import hashlib
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from lab.core.errors import LabError
from lab.pages.markdown import counted
from ops.github.errors import UnansweredError
from ops.github.http import HttpClient

KINDS = {".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp"}
LARGEST = 5_000_000  # bytes
MARKDOWN = re.compile(r"!\[(?P<words>[^\]\n]*)\]\((?P<path>[^)\s]+)(?:\s+\"[^\"\n]*\")?\)")
HTML = re.compile(r"<img\b[^>\n]*?\bsrc=\"(?P<path>[^\"\n]+)\"[^>\n]*>")
ELSEWHERE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|data:", flags=re.IGNORECASE)
Log = Callable[[str], None]


def with_images(text: str, *, folder: Path, http: HttpClient | None, log: Log) -> str:
    """Return the report with its local images uploaded; an image that fails is left out.

    Images with a web address stay as they are.
    """
    places: dict[str, str] = {}
    for pattern in (MARKDOWN, HTML):
        for found in pattern.finditer(text):
            path = found["path"]
            if not ELSEWHERE.match(path) and path not in places:
                places[path] = "" if http is None else uploaded(folder, path, http=http, log=log)
                http = http if http is None or places[path] else None
    for pattern in (MARKDOWN, HTML):
        text = pattern.sub(lambda found: _placed(found, places), text)
    missing = sum(not place for place in places.values())
    note = f"\n\n> {counted(missing, 'image')} left out: the files are in the artifact." if missing else ""
    return f"{text.rstrip()}{note}"


def uploaded(folder: Path, path: str, *, http: HttpClient, log: Log) -> str:
    """Upload an image under a hash of its content, and return its address; empty on a failure."""
    try:
        content = image_at(folder, path)
        name = f"{hashlib.sha256(content).hexdigest()[:32]}{Path(path).suffix.lower()}"
        url = f"{http.address}/{quote(name)}"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        reply = http.send("PUT", url, content, {"Content-Type": kind, "User-Agent": "tabular-lab"})
        if not 200 <= reply.status < 300:
            raise UnansweredError(f"found {reply.status}")
    except (LabError, OSError) as error:
        log(f"images are left out: {path} could not be uploaded: {http.hidden(str(error))}")
        return ""
    return url


def image_at(folder: Path, path: str) -> bytes:
    """Return an image's content; refuse other files and paths outside the report's folder."""
    root = folder.resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or file.suffix.lower() not in KINDS:
        raise LabError(f"found {path!r}, expected an image below the report's folder")
    if file.stat().st_size > LARGEST:
        raise LabError(f"found {file.stat().st_size:,} bytes, expected {LARGEST:,} at most")
    return file.read_bytes()


def _placed(found: re.Match[str], places: dict[str, str]) -> str:
    place = places.get(found["path"])
    if place is None:
        return found[0]
    if place:
        return found[0].replace(found["path"], place, 1)
    return f"_{words}_" if (words := found.groupdict().get("words")) else ""

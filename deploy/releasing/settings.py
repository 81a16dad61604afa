"""Read and check the settings of a release from the environment."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.releasing.server import Server
from lab.core.errors import ParamsError

BY_DIGEST = re.compile(r"[\w.:/-]+@sha256:[0-9a-f]{64}")
SECONDS = 60.0


@dataclass(frozen=True)
class Settings:
    """What LAB_RELEASE_… says; images by the name that the manifests know them by."""

    folder: Path | None
    context: str | None
    images: dict[str, str]
    server: Server | None
    seconds: float


def settings_from_environment() -> Settings:
    """Return the settings of this process."""
    folder, context = _said("FOLDER"), _said("CONTEXT")
    if folder and context:
        raise ParamsError("found LAB_RELEASE_FOLDER and LAB_RELEASE_CONTEXT, expected one of them. Take one away.")
    images = {f"tabular-lab-{name}": _image(name) for name in ("server", "model")}
    return Settings(
        folder=Path(folder) if folder else None,
        context=context,
        images={name: image for name, image in images.items() if image},
        server=_server(),
        seconds=_seconds(),
    )


def _said(name: str) -> str | None:
    return os.environ.get(f"LAB_RELEASE_{name}") or None


def _image(name: str) -> str | None:
    variable = f"{name.upper()}_IMAGE"
    image = _said(variable)
    if image is not None and not BY_DIGEST.fullmatch(image):
        raise ParamsError(
            f"LAB_RELEASE_{variable} is {image}, expected an image by its digest, such as "
            f"registry.example/tabular-lab-{name}@sha256:…; a tag may be another image tomorrow."
        )
    return image


def _server() -> Server | None:
    address = _said("URL")
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ParamsError(
            "LAB_RELEASE_URL is no address of a server, expected one such as http://127.0.0.1:8000; a key belongs into "
            "LAB_API_KEY."
        )
    return Server(address.rstrip("/"), os.environ.get("LAB_API_KEY", ""))


def _seconds() -> float:
    text = _said("SECONDS")
    try:
        seconds = SECONDS if text is None else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ParamsError(f"LAB_RELEASE_SECONDS is {text}, expected a number above 0.")
    return seconds

"""A WebDAV server on loopback with TLS, and passwords or tokens."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.remotes.storages import WRONG, FolderShelf, Storage, UploadsGate
from tests.remotes.web import LOOPBACK, Application, gated, own_certificate, served

USER = "tester"
# With what a shell, a URL and a configuration file would each read in its own way.
PASSWORD = "p4ss %(word)s/,#'$HOME\""  # noqa: S105 - of a server that lives as long as a test
TOKEN = "t0ken-for-the-gateway"  # noqa: S105


@contextmanager
def webdav_storage(folder: Path) -> Iterator[Storage]:
    """Yield a folder behind WsgiDAV."""
    shelf = folder / "shared"
    shelf.mkdir()
    (shelf / "outputs/killed").mkdir(parents=True)  # DVC does not make the folder that an address names
    certificate = own_certificate(folder / "certificate.pem")
    gate = UploadsGate()
    with served(gated(_gateway(_files(shelf)), gate), certificate=certificate) as port:
        environment = {"STORAGE_TOKEN": TOKEN, "SSL_CERT_FILE": str(certificate)}
        yield Storage(
            kind="webdav",
            values={"HOST": f"{LOOPBACK}:{port}", "PATH": "outputs", "USER": USER},
            shelf=FolderShelf(shelf),
            base="outputs/",
            environment=environment,
            wrong={**environment, "STORAGE_TOKEN": WRONG},
            refusal="Not Authorized",
            secrets=(PASSWORD, TOKEN, WRONG),
            gate=gate,
        )


def _files(shelf: Path) -> Application:
    from wsgidav.wsgidav_app import WsgiDAVApp  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types

    application: Application = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(shelf)},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    return application


def _gateway(application: Application) -> Application:
    basic = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {TOKEN}":
            environ = {**environ, "HTTP_AUTHORIZATION": basic}
        return application(environ, start_response)

    return answer

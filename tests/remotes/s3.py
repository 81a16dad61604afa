"""An S3 endpoint on loopback that checks every signature and what its user may do."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.remotes.storages import WRONG, Storage, UploadsGate
from tests.remotes.web import LOOPBACK, Application, gated, own_certificate, served

BUCKET = "lab"
USER = "tester"
ROLE = "ci"
TOKEN = "who-this-job-is"  # noqa: S105
ACCOUNT = "123456789012"  # moto's only one
ALLOWED = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


TRUSTED = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True)
class BucketShelf:
    """The bucket, by the hands of moto's backend."""

    backend: Any

    def names(self) -> list[str]:
        return sorted(self.backend.get_bucket(BUCKET).keys.keys())

    def read(self, name: str) -> bytes:
        content: bytes = self.backend.get_object(BUCKET, name).value
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put an object as a client does that gives no checksum."""
        self.backend.put_object(BUCKET, name, content)

    def delete(self, name: str) -> None:
        self.backend.delete_object(BUCKET, name)

    def keep(self, name: str) -> Callable[[], None]:
        """Return what brings an object back as it is now."""
        content = self.read(name)
        return lambda: self.write(name, content)


@contextmanager
def s3_storage(folder: Path) -> Iterator[Storage]:
    """Yield a bucket behind moto's server; the folder takes the certificate."""
    # half a second that only this server needs
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    gate = UploadsGate()
    certificate = own_certificate(folder / "certificate.pem")
    application = gated(_letting_roles_in(DomainDispatcherApplication(create_backend_app)), gate)
    with _account() as (key, backend), served(application, certificate=certificate) as port:
        environment = {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CA_BUNDLE": str(certificate),
        }
        yield Storage(
            kind="s3",
            values={"BUCKET": BUCKET, "PATH": "outputs", "HOST": f"{LOOPBACK}:{port}"},
            shelf=BucketShelf(backend),
            base="outputs/",
            environment=environment,
            wrong={**environment, "AWS_SECRET_ACCESS_KEY": WRONG},
            refusal="Forbidden",
            secrets=(key.secret_access_key, WRONG, TOKEN),
            gate=gate,
        )


def _letting_roles_in(application: Application) -> Application:
    """Return the application, which gives a role to who shows the token; such a request is not signed."""
    from moto import settings  # noqa: PLC0415

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ = {**environ, "wsgi.input": BytesIO(body)}
        if parse_qs(body.decode()).get("WebIdentityToken") != [TOKEN]:
            return application(environ, start_response)
        settings.INITIAL_NO_AUTH_ACTION_COUNT = math.inf
        try:
            return list(application(environ, start_response))
        finally:
            settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

    return answer


@contextmanager
def _account() -> Iterator[tuple[Any, Any]]:
    from moto import settings  # noqa: PLC0415
    from moto.iam.models import iam_backends  # noqa: PLC0415
    from moto.s3.models import s3_backends  # noqa: PLC0415

    people, backend = iam_backends[ACCOUNT]["aws"], s3_backends[ACCOUNT]["aws"]
    people.create_user("us-east-1", USER)
    people.put_user_policy(USER, "storage", ALLOWED)
    people.create_role(ROLE, TRUSTED, "/", None, "", [], "3600")
    people.put_role_policy(ROLE, "storage", ALLOWED)
    backend.create_bucket(BUCKET, "us-east-1")
    before, settings.INITIAL_NO_AUTH_ACTION_COUNT = settings.INITIAL_NO_AUTH_ACTION_COUNT, 0
    try:
        yield people.create_access_key(USER), backend
    finally:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = before
        people.reset()
        backend.reset()

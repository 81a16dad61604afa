"""Shared storages and toy repositories, made once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.remotes.forked import Forks, forks
from tests.remotes.recipes import RECIPES, toy_at
from tests.remotes.s3 import s3_storage
from tests.remotes.ssh import programs, ssh_storage
from tests.remotes.storages import Storage, folder_storage
from tests.remotes.toy import Toy, template
from tests.remotes.webdav import webdav_storage

Serve = Callable[[str], tuple[Storage, Toy]]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which both versions of the toy were run."""
    return template(tmp_path_factory.mktemp("toy") / "made")


def storage_of(kind: str, folder: Path) -> AbstractContextManager[Storage]:
    """Return a server of a kind, to be entered; skips where it cannot be had."""
    if kind == "ssh":
        found = programs()
        if found is None:
            pytest.skip("no OpenSSH server here: apt-get install openssh-server")
        return ssh_storage(folder, *found)
    makers: dict[str, Callable[[Path], AbstractContextManager[Storage]]] = {
        "folder": folder_storage,
        "s3": s3_storage,
        "webdav": webdav_storage,
    }
    return makers[kind](folder)


@pytest.fixture(scope="session")
def dvc() -> Iterator[Forks]:
    """Yield what runs DVC."""
    with forks() as found:
        yield found


# Not of the session: the S3 server keeps its accounts in the process, where tests elsewhere start one, too.
@pytest.fixture(scope="package")
def served(made: Path, dvc: Forks) -> Iterator[Serve]:
    """Yield what returns a storage of a kind and a toy that was pushed to it; each is made when first asked for."""
    with ExitStack() as stack:

        @cache
        def serve(kind: str) -> tuple[Storage, Toy]:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="store-")))
            storage = stack.enter_context(storage_of(kind, folder))
            toy = toy_at(storage, made, folder / "toy", dvc)
            toy.dvc("push", "--quiet", "--all-tags", environment=storage.environment)
            return storage, toy

        yield serve


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"remotes-{kind}")) for kind in RECIPES])
def storage(request: pytest.FixtureRequest, served: Serve) -> Storage:
    """Return each storage in turn."""
    return served(request.param)[0]


@pytest.fixture
def toy(storage: Storage, served: Serve) -> Toy:
    """Return a toy whose remote is that storage, with both versions pushed; look at it only."""
    return served(storage.kind)[1]

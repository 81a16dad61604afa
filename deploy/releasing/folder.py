"""Replace the folder of a running server, and undo it on failure."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deploy.releasing.model import Model, fingerprint_of
from deploy.releasing.settings import Settings
from lab.core.errors import LabError, SourceError
from ops.lock import take_lock

Tell = Callable[[str], None]


def release_to_folder(model: Model, link: Path, settings: Settings, *, tell: Tell) -> bool:
    """Return whether the model is there, and answers where there is a server to be asked; if not, all is as before."""
    if link.exists() and not link.is_symlink():
        raise SourceError(
            f"{link} is a folder of its own, expected a link. Cure: name one, and let the server read it."
        )
    with _locked(link):
        if settings.server is not None:
            settings.server.fingerprint()  # who cannot be asked now could not be asked afterwards
        new = link.with_name(f"{link.name}.new")
        tell(f"{link}: {model.put(new)}")
        with _back_unless_done(link, new) as done:
            done.append(_answers(link, settings, tell))
    if not done[0]:
        _tell_of_return(link, settings, tell)
    return done[0]


def _answers(link: Path, settings: Settings, tell: Tell) -> bool:
    fingerprint = fingerprint_of(link)
    if settings.server is None:
        tell(f"{link} holds {fingerprint[:12]}; LAB_RELEASE_URL names no server, so none was asked whether it answers.")
        return True
    said = settings.server.waits_for(fingerprint, seconds=settings.seconds)
    if said is None:
        tell(f"{settings.server.address} answers with {fingerprint[:12]}. The former model is {_previous(link).name}.")
        return True
    tell(f"{settings.server.address} does not answer with {fingerprint[:12]} after {settings.seconds:g} s: {said}")
    return False


@contextmanager
def _back_unless_done(link: Path, new: Path) -> Iterator[list[bool]]:
    """Let `link` be `new` from here on; at the end it stays so if True was appended, and else is what it was."""
    done: list[bool] = []
    old = link.readlink() if link.is_symlink() else None
    made = new.resolve()
    os.replace(new, link)
    try:
        yield done
    finally:
        if done == [True]:
            _keep(link, old)
        else:
            _point(link, old)
            _remove(made, link)


def _keep(link: Path, old: Path | None) -> None:
    """Name the former model, and remove the one before that."""
    previous = _previous(link)
    forgotten = previous.resolve() if previous.is_symlink() else None
    _point(previous, old)
    if forgotten is not None and forgotten not in {previous.resolve(), link.resolve()}:
        _remove(forgotten, link)


def _previous(link: Path) -> Path:
    return link.with_name(f"{link.name}.previous")


def _point(link: Path, target: Path | None) -> None:
    if target is None:
        link.unlink(missing_ok=True)
        return
    fresh = link.with_name(f"{link.name}.link")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)


def _remove(folder: Path, link: Path) -> None:
    """Remove a folder of ours; one that lies elsewhere was put there by somebody else."""
    if folder.parent == link.parent.resolve() and folder.name.startswith(f".{link.name}"):
        shutil.rmtree(folder, ignore_errors=True)


def _tell_of_return(link: Path, settings: Settings, tell: Tell) -> None:
    if not link.exists() or settings.server is None:
        tell(f"{link} was taken away again: there was none before.")
        return
    said = settings.server.waits_for(fingerprint_of(link), seconds=settings.seconds)
    tell(
        f"The former model is back in {link}" + (", and answers." if said is None else f", and does not answer: {said}")
    )


def _locked(link: Path) -> TextIO:
    try:
        return take_lock(link.with_name(f".{link.name}.lock"))
    except BlockingIOError as error:
        raise LabError(f"{link}: another release is under way. Wait until it ends, then try again.") from error

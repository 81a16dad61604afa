"""Make the git tags of GTO: versions, and the stages that they are in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.errors import LabError


def tag_version(root: Path, *, name: str, commit: str, version: str, message: str) -> str:
    """Tag a commit as a version of an artifact; return the tag."""
    import gto.api  # noqa: PLC0415 - GTO takes a third of a second to import

    with _refusals():
        made = gto.api.register(str(root), name=name, ref=commit, version=version, message=message)
    return str(made.tag)


def tag_stage(root: Path, *, name: str, version: str, stage: str, message: str) -> str:
    """Tag a version as the one of a stage; return the tag.

    GTO takes a version that was in the stage before as still being there; so it is forced.
    """
    import gto.api  # noqa: PLC0415 - as above

    with _refusals():
        made = gto.api.assign(str(root), name=name, stage=stage, version=version, message=message, force=True)
    return str(made.tag)


@contextmanager
def _refusals() -> Iterator[None]:
    from gto.exceptions import GTOException  # noqa: PLC0415 - as above

    try:
        yield
    except GTOException as error:
        raise LabError(f"GTO refused: {error}. Look at what it has with `gto show` and `git tag`.") from error

"""Which files DVC reads, by the rules of a .dvcignore."""

from collections.abc import Iterable
from pathlib import PurePosixPath

DVCIGNORE = ".dvcignore"
ALWAYS = (".git/", ".git", ".hg/", ".dvc/")


def admitted(paths: Iterable[str], rules: str) -> list[str]:
    """Return the files that DVC reads when it walks the folders above them; paths start at the repository's root.

    `rules` is the text of the .dvcignore at the root; those of other folders do not count.
    """
    from dvc.ignore import DvcIgnorePatterns  # noqa: PLC0415 - DVC takes a quarter of a second to import

    lines = [line.strip() for line in rules.splitlines()]
    patterns = DvcIgnorePatterns([*ALWAYS, *(line for line in lines if line and not line.startswith("#"))], "/", "/")
    places = {path: PurePosixPath("/", path) for path in paths}
    return [path for path, place in places.items() if not patterns.matches(str(place.parent), place.name)]

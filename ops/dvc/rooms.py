"""The rooms of `lab`: folders of modules, which are what stages declare as code."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ops.dvc.ignore import DVCIGNORE, admitted
from ops.dvc.import_closure import LIBRARY
from ops.revisions.git import lines_of


def rooms_of(files: Iterable[str], *, root: Path) -> list[str]:
    """Return what a stage declares for files of code: the room of a module of `lab`, any other file itself.

    A module of `lab` in no room is left out: `misplaced` names it.
    """
    return sorted(
        {
            str(PurePosixPath(path).parent) if path.startswith(LIBRARY) else path
            for path in files
            if not in_no_room(path, root=root)
        }
    )


def in_no_room(path: str, *, root: Path) -> bool:
    """Say whether a module lies in `lab` itself, or in a folder of rooms."""
    folder = PurePosixPath(path).parent
    return path.startswith(LIBRARY) and (f"{folder}/" == LIBRARY or any((root / folder).glob("*/*.py")))


def misplaced(root: Path) -> list[str]:
    """Return a line, with its cure, for each file of `lab` whose change would rerun no stage."""
    tracked = lines_of("ls-files", "-z", "--", LIBRARY, root=root)
    new = lines_of("ls-files", "-z", "--others", "--exclude-standard", "--", f":(glob){LIBRARY}**/*.py", root=root)
    modules = sorted(path for path in {*tracked, *new} if path.endswith(".py") and not path.endswith("/__init__.py"))
    unseen = sorted(set(tracked) - set(admitted(tracked, _rules(root))))
    return [
        *(
            f"{path} is in no room, so no stage declares it. Cure: move it into the room of the stage that uses it"
            for path in modules
            if in_no_room(path, root=root)
        ),
        *(
            f"{path} is in a room, and {DVCIGNORE} hides it from DVC. Cure: name it there, or move it out of `lab`"
            for path in unseen
        ),
    ]


def _rules(root: Path) -> str:
    return (root / DVCIGNORE).read_text(encoding="utf-8") if (root / DVCIGNORE).is_file() else ""

"""What a stage should have read, by what other stages wrote, without the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.dvc.fingerprints import file_md5, folder_md5
from ops.dvc.stages import files_in, path_of
from ops.dvc.stores import Listings
from ops.revisions.git import lines_of
from ops.revisions.paths import inside, inside_any

NOT_THERE = "not there"


@dataclass(frozen=True)
class Outputs:
    """The fingerprint of every output that a lock or a .dvc file records, by the output's path.

    If no listing has the MD5 of a file in a folder, `doubt_is_change` says whether that counts as a change.
    """

    root: Path
    recorded: Mapping[str, str]
    listings: Listings
    doubt_is_change: bool = False

    def touches(self, path: str) -> bool:
        """Say whether a path is an output, lies in one, or contains one."""
        return any(inside(path, output) or inside(output, path) for output in self.recorded)

    def fingerprint(self, dependency: Any) -> str | None:
        """Return what a dependency on outputs must have been.

        None where that is unknown: a producer never ran, or there is no listing of what it wrote.
        """
        path = path_of(dependency)
        if path in self.recorded:
            return self.recorded[path] or None
        folder = next((output for output in self.recorded if inside(path, output)), None)
        if folder is None:
            return self._of_parent(dependency, path)
        listing = self._listing(folder)
        return None if listing is None else listing.get(path.removeprefix(f"{folder}/"), NOT_THERE)

    def _of_parent(self, dependency: Any, path: str) -> str | None:
        """Return the fingerprint of a folder that holds outputs, and perhaps files that no stage writes."""
        within = {output: md5 for output, md5 in self.recorded.items() if inside(output, path)}
        known = set(lines_of("ls-files", "-z", "--", path, root=self.root))
        files = {name: md5 for name, md5 in self._beside_outputs(dependency).items() if f"{path}/{name}" in known}
        for output, md5 in within.items():
            listing = self._listing(output) if md5.endswith(".dir") else {"": md5}
            if listing is None or not md5:
                return None
            files |= {f"{output}/{name}".rstrip("/").removeprefix(f"{path}/"): file for name, file in listing.items()}
        return folder_md5(files)

    def _listing(self, folder: str) -> Mapping[str, str] | None:
        """Return the files of a folder, from the stores, or from the working tree if it is as recorded.

        No store has a listing of a folder that git keeps.
        """
        md5 = self.recorded[folder]
        return None if not md5 else self.listings.of(md5) or listing_on_disk(self.root / folder, md5)

    def strays(self, dependency: Any) -> list[str]:
        """Return the files in a folder that neither a stage writes nor git tracks: DVC reads them, clones lack them."""
        path = path_of(dependency)
        if inside_any(path, self.recorded):
            return []
        known = set(lines_of("ls-files", "-z", "--", path, root=self.root))
        return sorted({f"{path}/{name}" for name in self._beside_outputs(dependency)} - known)

    def _beside_outputs(self, dependency: Any) -> dict[str, str]:
        """Return the files that lie in a folder apart from outputs, as DVC would find them."""
        path = path_of(dependency)
        files = files_in(dependency) if dependency.isdir() else {}
        return {name: md5 for name, md5 in files.items() if not inside_any(f"{path}/{name}", self.recorded)}


def listing_on_disk(place: Path, md5: str) -> Mapping[str, str] | None:
    """Return the fingerprints of the files in a folder of the working tree if it is as recorded."""
    found = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.is_file()}
    listing = {name: file_md5(path) for name, path in found.items()}
    return listing if folder_md5(listing) == md5 else None

"""Find results that git keeps by their MD5 in the commits of a merge."""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file, replaced_folder
from ops.dvc.fingerprints import folder_md5, md5_of
from ops.dvc.stages import fingerprint_of, path_of
from ops.dvc.stores import Listings
from ops.revisions.git import git
from ops.revisions.paths import inside

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Results:
    """The results in the working tree and in commits. Only what equals the record is taken."""

    root: Path
    commits: tuple[str, ...]

    def available(self, stage: Any) -> bool:
        """Say whether git or the working tree has every result of this stage as its entry records it."""
        return all(not out.workspace_status() or self._find(out) is not None for out in kept(stage))

    def restore(self, stage: Any) -> None:
        """Make every result that git keeps of this stage what the stage's entry records."""
        for out in kept(stage):
            files = self._find(out) if out.workspace_status() else None
            if files is not None:
                _write(files, self.root / path_of(out))

    def learn_listings(self, stage: Any, listings: Listings) -> None:
        """Learn the files of this stage's folders in git, where the working tree has others."""
        for out in kept(stage):
            files = self._find(out) if out.workspace_status() else None
            if files and "" not in files:
                listings.learn(fingerprint_of(out), {name: md5_of(content) for name, content in files.items()})

    def _find(self, out: Any) -> Files | None:
        for commit in self.commits:
            files = self._at(commit, path_of(out))
            if files and _fingerprint(files) == fingerprint_of(out):
                return files
        return None

    def _at(self, commit: str, path: str) -> Files | None:
        done = git("archive", "--format=tar", commit, "--", path, root=self.root, check=False)
        if done.returncode:
            return None
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            members = [member for member in archive.getmembers() if member.isfile() and inside(member.name, path)]
            return {member.name.removeprefix(path).lstrip("/"): _content(archive, member) for member in members}


def kept(stage: Any) -> list[Any]:
    """Return the outputs of a stage that git keeps."""
    return [out for out in stage.outs if not out.use_cache]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _fingerprint(files: Files) -> str:
    if "" in files:
        return md5_of(files[""])
    return folder_md5({name: md5_of(content) for name, content in files.items()})


def _write(files: Files, path: Path) -> None:
    if "" in files:
        with replaced_file(path) as partial:
            partial.write_bytes(files[""])
        return
    with replaced_folder(path) as partial:
        for name, content in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)

"""The released model, from the registry or from a packed folder."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.compiled.files import MANIFEST, read_compiled
from ops.pack.pack import pack
from ops.pack.source import Source, Wanted, found_source
from ops.registry.tags import read_registry
from ops.registry.task import task_of
from ops.revisions.git import commit_of


@dataclass(frozen=True)
class Model:
    """What is to be released to a stage."""

    stage: str
    packed: Path | None
    root: Path

    def put(self, output: Path) -> str:
        """Let the name `output` point to a new folder with the model, and say which it is."""
        if self.packed is None:
            source = released_source(self.stage, root=self.root)
            pack(source, output, root=self.root)
            return source.label
        read_compiled(self.packed)
        output.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
        made.chmod(0o755)
        shutil.copytree(self.packed, made, dirs_exist_ok=True)
        output.unlink(missing_ok=True)
        output.symlink_to(made.name)
        return f"the model that was packed in {self.packed}"


def released_source(stage: str, *, root: Path) -> Source:
    """Return the version that HEAD is registered as, else the one in the stage, else HEAD's champion.

    A release to production is approved before production's tag is made, so HEAD has the first word.
    """
    task = task_of(root)
    registry = read_registry(task, root=root)
    head = commit_of("HEAD", root=root)
    here = [number for number, tag in registry.versions.items() if tag.commit == head]
    number = here[-1] if here else registry.holder(stage)
    return found_source(Wanted(task, None, number, None, "champion"), root=root)


def fingerprint_of(folder: Path) -> str:
    """Return the name that a server gives to the model of a folder."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()

"""The stages as DVC resolves them, each with an entry of a dvc.lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab.core.errors import ParamsError, SourceError
from ops.revisions.git import lines_of
from ops.revisions.lock import Entry
from ops.revisions.paths import inside

NO_ENTRY: Entry = {}


@dataclass(frozen=True)
class Pipeline:
    """The repository's dvc.yaml, its .dvc files and its settings. dvc.lock is not read: it may be in conflict."""

    root: Path

    @cached_property
    def repository(self) -> Any:
        from ops.dvc.errors import DvcError  # noqa: PLC0415 - DVC takes a quarter of a second to import
        from ops.dvc.repository import open_repository  # noqa: PLC0415 - as above

        try:
            return open_repository(self.root)
        except DvcError as error:
            raise SourceError(f"{error} Cure: run from the root of the repository.") from error

    def reads(self, path: str) -> bool:
        """Say whether DVC reads a file in a folder: whether no .dvcignore leaves it out."""
        return not self.repository.dvcignore.is_ignored_file(str(self.root.absolute() / path))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The stages of dvc.yaml in its order; one of `foreach` is one for each of its keys."""
        with _resolving("dvc.yaml"):
            return tuple(self._loader)

    def stage(self, name: str, entry: Entry = NO_ENTRY) -> Any:
        """Return DVC's stage; its dependencies and outputs have the fingerprints of the entry."""
        with _resolving(f"dvc.yaml: the stage {name}"):
            return self._loader.load_stage(self._project, name, self._loader.resolver.resolve_one(name)[name], entry)

    @cached_property
    def stages(self) -> dict[str, Any]:
        """Every stage without an entry."""
        return {name: self.stage(name) for name in self.names}

    @cached_property
    def data_files(self) -> list[Any]:
        """The stages of .dvc files: data that `dvc add` or `dvc import` brought in."""
        from dvc.dvcfile import load_file  # noqa: PLC0415 - as above

        found = lines_of("ls-files", "-z", "--", "*.dvc", root=self.root)
        return [load_file(self.repository, str(self.root.absolute() / path)).stage for path in found]

    @cached_property
    def writers(self) -> dict[str, str]:
        """Which stage writes an output, by the output's path."""
        return {path_of(out): name for name, stage in self.stages.items() for out in stage.outs}

    def producers(self, name: str) -> list[str]:
        """Return the stages that write what this one reads, in the order of dvc.yaml."""
        read = [path_of(dep) for dep in files_read(self.stages[name])]
        found = {
            writer
            for path, writer in self.writers.items()
            for dependency in read
            if inside(dependency, path) or inside(path, dependency)
        }
        return [other for other in self.names if other in found and other != name]

    @cached_property
    def _project(self) -> Any:
        from dvc.dvcfile import load_file  # noqa: PLC0415 - as above

        return load_file(self.repository, str(self.root.absolute() / "dvc.yaml"))

    @cached_property
    def _loader(self) -> Any:
        with _resolving("dvc.yaml"):
            return self._project.LOADER(self._project, self._project.contents, {})


@contextmanager
def _resolving(what: str) -> Iterator[None]:
    from ops.dvc.errors import DvcError  # noqa: PLC0415 - as above

    try:
        yield
    except DvcError as error:
        raise ParamsError(
            f"{what} cannot be resolved: {error}. Cure: `git diff dvc.yaml params.yaml` shows what has changed"
        ) from error


def root_of_pipeline() -> Path:
    """Return the working directory, which must be the root of a repository with a dvc.yaml."""
    root = Path()
    if not (root / "dvc.yaml").is_file() or not (root / ".dvc").is_dir():
        raise SourceError(
            "found no dvc.yaml with a folder .dvc beside it, expected both in the working directory. "
            "Cure: run from the root of the repository."
        )
    return root


def files_read(stage: Any) -> list[Any]:
    """Return the files and folders that a stage reads; its settings are not among them."""
    return [dependency for dependency in stage.deps if not is_setting(dependency)]


def is_setting(dependency: Any) -> bool:
    """Say whether this dependency is a list of settings in a file."""
    return hasattr(dependency, "read_params")


def path_of(item: Any) -> str:
    """Return the path of a dependency or an output from the root of the repository; one outside keeps its name."""
    return "/".join(item.index_key[1]) if item.is_in_repo else str(item.def_path)


def fingerprint_of(item: Any) -> str:
    """Return the fingerprint that the entry gives a dependency or an output; nothing where it has none."""
    return str(item.hash_info.value) if item.hash_info else ""


def data_file(stage: Any, root: Path) -> str:
    """Return the path of the .dvc file that a stage comes from."""
    return str(Path(stage.path).relative_to(root.absolute()))


def files_in(item: Any) -> dict[str, str]:
    """Return the MD5 of every file that DVC reads in a folder of the working tree, by its path from there."""
    from dvc_data.hashfile.build import build  # noqa: PLC0415 - as above

    tree: Any
    _, _, tree = build(item.local_cache, item.fs_path, item.fs, "md5", ignore=item.dvcignore, dry_run=True)
    return {"/".join(key): info.value for key, _, info in tree}

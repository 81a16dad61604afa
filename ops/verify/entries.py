"""The entries of a dvc.lock as DVC's own loader takes them."""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.core.errors import SourceError
from ops.revisions.lock import CURE

Entry = Mapping[str, Any]


def entries_of(content: bytes, *, where: str = "dvc.lock") -> dict[str, Entry]:
    """Return what a dvc.lock records of each stage, in its order."""
    try:
        found = YAML(typ="safe").load(content.decode()) or {}
        stages = found.get("stages") or {}
        return {str(name): dict(entry) for name, entry in stages.items()}
    except (YAMLError, UnicodeDecodeError, AttributeError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{where} is no lock file of DVC's: found {said}. {CURE}") from error

"""Read YAML 1.2 as DVC does: `1e-3` is a number, `yes` is a string."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.core.errors import ParamsError


def read_yaml(path: Path, *, cure: str) -> dict[str, Any]:
    """Return the mapping in a YAML file; an empty file is an empty mapping."""
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing, expected a YAML file. {cure}") from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise ParamsError(f"{path} is not YAML: {error}. {cure}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ParamsError(f"{path} contains a {type(content).__name__}, expected `key: value` lines. {cure}")
    return content

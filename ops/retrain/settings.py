"""Set single values of params.yaml, as `dvc exp run -S` does, and keep its comments."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.core.errors import ParamsError
from lab.core.yaml_files import load_yaml

NEVER = {"task": "the champion and the reference are the task's own"}
WIDEST = 10_000  # no line is folded


def changed_settings(content: bytes, settings: Sequence[str]) -> bytes:
    """Return params.yaml with `name=value` set, or `+name=value` added; an unknown name is refused."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDEST
    document = yaml.load(content)
    for setting in settings:
        _change(document, setting)
    stream = io.BytesIO()
    yaml.dump(document, stream)
    return stream.getvalue() if settings else content


def _change(document: Any, setting: str) -> None:
    name, equals, text = setting.partition("=")
    *parents, last = name.removeprefix("+").split(".")
    if not equals or not last:
        raise ParamsError(f"-S {setting}: expected NAME=VALUE, such as -S world.customers=6000.")
    if name in NEVER:
        raise ParamsError(f"-S {setting}: {name} cannot be set here, because {NEVER[name]}. Cure: set it in a commit.")
    section = document
    for place, parent in enumerate(parents):
        if not isinstance(section, dict) or not isinstance(section.get(parent), dict):
            raise ParamsError(_absent(setting, ".".join(parents[: place + 1]), section))
        section = section[parent]
    if last not in section and not name.startswith("+"):
        raise ParamsError(_absent(setting, name, section))
    section[last] = _value(setting, text)


def _value(setting: str, text: str) -> Any:
    try:
        value = load_yaml(text)
    except (YAMLError, ValueError) as error:
        raise ParamsError(f"-S {setting[:60]}: not valid YAML: {error}. Cure: quote it for the shell.") from error
    return value.isoformat() if isinstance(value, date) else value  # DVC takes no date in params.yaml, but its text


def _absent(setting: str, name: str, section: Any) -> str:
    there = sorted(section) if isinstance(section, dict) else section
    return (
        f"-S {setting}: params.yaml has no {name}; it has {there}. "
        "Cure: correct the name, or add a new setting with a leading +."
    )

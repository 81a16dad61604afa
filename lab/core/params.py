"""Read params.yaml: one section as a strict class, or one value."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lab.core.errors import ParamsError
from lab.core.yaml_files import read_yaml

PARAMS = Path("params.yaml")
SECTIONS = (
    "task",
    "seed",
    "world",
    "prepare",
    "featurize",
    "train",
    "select",
    "evaluate",
    "explain",
    "validate",
    "serving",
    "drift",
    "abtest",
    "compare",
    "promote",
)
LARGEST_SEED = 2**32 - 1
MOST_MISTAKES = 20  # in a message
LONGEST, LONGEST_MESSAGE = 80, 1000  # characters of a value, and of the sentence on it
CURE = "Compare it with the committed file: git diff params.yaml"


class Params(BaseModel):
    """Strict settings: no unknown key, no silent conversion, finite numbers, no change after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


SomeParams = TypeVar("SomeParams", bound=BaseModel)


def load_params(section: str, kind: type[SomeParams]) -> SomeParams:
    """Return one validated section of params.yaml."""
    return parse(_sections().get(section, {}), kind=kind, where=f"{PARAMS}: {section}", cure=CURE)


def load_value(name: str, kind: type[Any]) -> Any:
    """Return one top-level value of params.yaml (`task`, `seed`); another type is an error."""
    value = _sections().get(name)
    if type(value) is not kind:
        raise ParamsError(f"{PARAMS}: {name} is {shown(value)!r}, expected {kind.__name__}. {CURE}")
    return value


def load_seed() -> int:
    """Return the seed from which every random stream is derived."""
    seed = int(load_value("seed", int))
    if not 0 <= seed <= LARGEST_SEED:
        raise ParamsError(f"{PARAMS}: seed is {seed}, expected 0 to {LARGEST_SEED}. {CURE}")
    return seed


def parse(content: object, *, kind: type[SomeParams], where: str, cure: str) -> SomeParams:
    """Validate content against the strict class; the error lists every mistake."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ParamsError(_explain(error, where=where, cure=cure)) from error


def parse_json(text: str, *, kind: type[SomeParams], where: str, cure: str) -> SomeParams:
    """Validate JSON text against the strict class; dates are strings, since JSON has none."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise ParamsError(_explain(error, where=where, cure=cure)) from error


def _explain(error: ValidationError, *, where: str, cure: str) -> str:
    lines = []
    for mistake in error.errors(include_url=False)[:MOST_MISTAKES]:
        place = ".".join([where, *(str(part)[:LONGEST] for part in mistake["loc"])])
        found = "" if mistake["type"] == "missing" else f" (found {shown(mistake['input'])!r})"
        lines.append(f"{place}: {mistake['msg'][:LONGEST_MESSAGE]}{found}")
    if error.error_count() > MOST_MISTAKES:
        lines.append(f"and {error.error_count() - MOST_MISTAKES} more mistakes")
    return "\n".join([*lines, cure])


def shown(value: object) -> str:
    """Return a value as a message shows it: its first characters."""
    return str(value)[:LONGEST]


def _sections() -> dict[str, Any]:
    content = read_yaml(PARAMS, cure="Run from the root of the repository, or restore it: git checkout params.yaml")
    if unknown := sorted(shown(name) for name in set(content) - set(SECTIONS)):
        raise ParamsError(
            f"{PARAMS} has unknown keys {unknown[:MOST_MISTAKES]}, expected only {list(SECTIONS)}. {CURE}"
        )
    return content

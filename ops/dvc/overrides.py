"""Read and apply `-S NAME=VALUE` as `dvc exp run` does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dvc.utils.hydra import apply_overrides, to_hydra_overrides


def parse_override(word: str) -> Any:
    """Return one `NAME=VALUE` as Hydra parses it."""
    return to_hydra_overrides([word])[0]


def write_overrides(path: Path, words: Sequence[str]) -> None:
    """Change a YAML file as `-S` does; its comments stay."""
    apply_overrides(str(path), list(words))

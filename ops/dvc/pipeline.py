"""Read the stages of dvc.yaml, and compare the code that they declare and import."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.yaml_files import read_yaml
from ops.dvc.import_closure import LIBRARY, import_closure
from ops.dvc.rooms import rooms_of

DVC_YAML = Path("dvc.yaml")
ENVIRONMENT = "requirements.txt"


@dataclass(frozen=True)
class Stage:
    """One stage as dvc.yaml writes it; `${…}` is left as it stands."""

    name: str
    module: str
    dependencies: tuple[str, ...]
    params: tuple[str, ...]
    outputs: tuple[str, ...]
    cached: tuple[str, ...]

    @property
    def code(self) -> list[str]:
        return [path for path in self.dependencies if is_code(path)]

    @property
    def data(self) -> list[str]:
        return [path for path in self.dependencies if not is_code(path) and path != ENVIRONMENT]


def read_stages(root: Path) -> list[Stage]:
    """Return the stages of dvc.yaml, in its order; a foreach stage is one."""
    content = read_yaml(root / DVC_YAML, cure="Bring it back: git checkout dvc.yaml")
    return [_stage(name, body.get("do", body)) for name, body in content["stages"].items()]


def expected_code(stage: Stage, *, root: Path) -> list[str]:
    """Return the code that a stage should declare: its script and the rooms that it imports from."""
    return rooms_of(import_closure(stage.module, root=root), root=root)


def wrong_code(stage: Stage, *, root: Path) -> list[str]:
    """Return a line for each room or script that a stage imports and does not declare, or the reverse."""
    declared, expected = set(stage.code), set(expected_code(stage, root=root))
    return [
        *(f"{path} is imported and not declared" for path in sorted(expected - declared)),
        *(f"{path} is declared and not imported" for path in sorted(declared - expected)),
    ]


def is_code(dependency: str) -> bool:
    """Say whether a dependency is a room of `lab` or a script, rather than data."""
    return dependency.startswith(LIBRARY) or dependency.endswith(".py")


def _stage(name: str, body: dict[str, Any]) -> Stage:
    module = re.search(r"python -m (stages\.\w+)", body["cmd"])
    if module is None:
        raise ValueError(f"stage {name} runs {body['cmd']!r}, expected `python -m stages.NAME`")
    outputs = [
        (path, settings.get("cache", True))
        for kind in ("outs", "metrics", "plots")
        for path, settings in (_named(out) for out in body.get(kind, []))
    ]
    return Stage(
        name=name,
        module=module.group(1),
        dependencies=tuple(body.get("deps", [])),
        params=tuple(body.get("params", [])),
        outputs=tuple(path for path, _ in outputs),
        cached=tuple(path for path, cached in outputs if cached),
    )


def _named(out: str | dict[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    if isinstance(out, str):
        return out, {}
    ((path, settings),) = out.items()
    return path, settings

"""`python -m ops deps`: hold the code dependencies in dvc.yaml against what the stages import."""

from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from lab.core.atomic_outputs import replaced_file
from ops.dvc.pipeline import DVC_YAML, Stage, expected_code, is_code, read_stages


@click.command()
@click.option("--write", is_flag=True, help="Put dvc.yaml right instead of only telling.")
def deps(*, write: bool) -> None:
    """Tell where dvc.yaml and the imports disagree; exit 1 if they do.

    A stage reruns when, and only when, a file that it imports changes, so its deps must be exactly those files. After
    an import has come or gone, `python -m ops deps --write` puts the list right.
    """
    root = Path()
    wrong = {stage.name: stage for stage in read_stages(root) if stage.code != expected_code(stage, root=root)}
    for stage in wrong.values():
        click.echo(_difference(stage, root))
    if wrong and write:
        _rewrite(root / DVC_YAML, wrong, root)
        click.echo(f"{DVC_YAML} is put right; look at it with `git diff dvc.yaml`.")
    elif wrong:
        click.echo("Cure: python -m ops deps --write")
        raise SystemExit(1)


def _difference(stage: Stage, root: Path) -> str:
    declared, expected = set(stage.code), set(expected_code(stage, root=root))
    lines = [f"{stage.name}:" if declared != expected else f"{stage.name}: not in sorted order"]
    lines += [f"  + {path} is imported and not declared" for path in sorted(expected - declared)]
    lines += [f"  - {path} is declared and not imported" for path in sorted(declared - expected)]
    return "\n".join(lines)


def _rewrite(path: Path, wrong: dict[str, Stage], root: Path) -> None:
    yaml = YAML()
    yaml.width = 120
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    document: Any = yaml.load(path.read_text(encoding="utf-8"))
    for name, stage in wrong.items():
        body = document["stages"][name]
        body = body.get("do", body)
        others = [item for item in body.get("deps", []) if not is_code(str(item))]
        body["deps"] = [*others, *expected_code(stage, root=root)]
    with replaced_file(path) as partial, partial.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)

"""`python -m ops deps`: compare the code dependencies in dvc.yaml with the imports."""

from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from lab.core.atomic_outputs import replaced_file
from ops.dvc.pipeline import DVC_YAML, Stage, expected_code, is_code, read_stages, wrong_code
from ops.dvc.rooms import misplaced


@click.command()
@click.option("--write", is_flag=True, help="Correct dvc.yaml instead of only reporting.")
def deps(*, write: bool) -> None:
    """Report where dvc.yaml and the imports disagree; exit 1 if they do.

    A stage declares the rooms of `lab` that it imports from, and its script. So it reruns when a file there changes,
    and only then. After an import has come or gone, `python -m ops deps --write` corrects the list.
    """
    root = Path()
    wrong = {stage.name: stage for stage in read_stages(root) if stage.code != expected_code(stage, root=root)}
    for stage in wrong.values():
        click.echo(_difference(stage, root))
    if wrong and write:
        _rewrite(root / DVC_YAML, wrong, root)
        click.echo(f"{DVC_YAML} is corrected; look at it with `git diff dvc.yaml`.")
    elif wrong:
        click.echo("Cure: python -m ops deps --write")
    lost = misplaced(root)
    for line in lost:
        click.echo(line)
    if lost or (wrong and not write):
        raise SystemExit(1)


def _difference(stage: Stage, root: Path) -> str:
    lines = wrong_code(stage, root=root) or ["the order is not sorted"]
    return "\n".join([f"{stage.name}:", *(f"  {line}" for line in lines)])


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

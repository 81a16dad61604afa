"""`python -m ops history`: who was champion when, and why."""

from pathlib import Path

import click

from lab.core.result_files import json_bytes
from ops.registry.faults import faults_of
from ops.registry.story import document_of, story_of, table_of
from ops.registry.tags import read_registry
from ops.registry.task import task_of


@click.command()
@click.argument("task", required=False)
@click.option("--check", is_flag=True, help="Tell what is wrong with tags and order instead; exit 1 if anything is.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with every move of a stage.")
def history(*, task: str | None, check: bool, as_json: bool) -> None:
    r"""Tell who was champion of a task when and why, newest first: from git alone, the same in every clone.

    A champion's time begins with the commit that changed champion.yaml; which version is in staging or production,
    GTO's tags say. Nothing is looked up elsewhere: a clone with its whole history and its tags is the registry.

    GTO registers whatever it is asked to. --check holds its tags against champion.yaml: tags of no task, of no
    champion, of an unknown stage, lightweight or taken back, versions out of order, models that changed under their
    number.

    \b
      python -m ops history
      python -m ops history high_value_sale --json
      python -m ops history --check

    Exit 0; with --check 1 when something is wrong; 2 on a mistake.
    """
    root = Path()
    name = task or task_of(root)
    if check:
        faults = faults_of(name, root=root)
        document = {"task": name, "faults": faults}
        whole = f"WHOLE: every tag of {name} is backed by champion.yaml, and its versions follow one another"
        click.echo(json_bytes(document).decode().rstrip() if as_json else "\n".join(faults or [whole]))
        raise SystemExit(1 if faults else 0)
    chapters = story_of(name, root=root)
    document = document_of(name, chapters, read_registry(name, root=root))
    click.echo(json_bytes(document).decode().rstrip() if as_json else table_of(chapters))

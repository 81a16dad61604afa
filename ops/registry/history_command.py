"""`python -m ops history`: list the champions of a task, with reasons."""

from pathlib import Path

import click

from lab.core.result_files import json_bytes
from ops.registry.faults import faults_of
from ops.registry.history import document_of, periods_of, table_of
from ops.registry.tags import read_registry
from ops.registry.task import task_of


@click.command()
@click.argument("task", required=False)
@click.option("--check", is_flag=True, help="List faults of the tags and their order instead; exit 1 if there are any.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every change of a stage.")
def history(*, task: str | None, check: bool, as_json: bool) -> None:
    r"""List the champions of a task with their reasons, newest first.

    A champion's time starts with the commit that changed champion.yaml. GTO's tags say which version is in staging or
    production. Git is the only source, so every clone with full history and tags prints the same.

    GTO registers any name. --check validates its tags against champion.yaml and finds: unknown tasks, versions without
    a champion, unknown stages, lightweight and undone tags, versions out of order, and changed models.

    \b
      python -m ops history
      python -m ops history high_value_sale --json
      python -m ops history --check

    Exit 0; 1 when --check finds a fault; 2 on a mistake.
    """
    root = Path()
    name = task or task_of(root)
    if check:
        faults = faults_of(name, root=root)
        document = {"task": name, "faults": faults}
        valid = f"VALID: every tag of {name} matches champion.yaml, and its versions are in order"
        click.echo(json_bytes(document).decode().rstrip() if as_json else "\n".join(faults or [valid]))
        raise SystemExit(1 if faults else 0)
    periods = periods_of(name, root=root)
    document = document_of(name, periods, read_registry(name, root=root))
    click.echo(json_bytes(document).decode().rstrip() if as_json else table_of(periods))

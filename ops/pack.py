"""`python -m ops pack`: a model out of the registry into a folder that the server can serve."""

from pathlib import Path

import click

from ops.packing.pack import pack as packed
from ops.packing.source import Wanted, found_source
from ops.registry.task import task_of


@click.command()
@click.argument("task", required=False)
@click.option("--stage", help="The version that is in this stage of .gto now, such as production.")
@click.option("--version", "version", type=click.IntRange(min=1), help="This version: 2 is churn@v2.0.0.")
@click.option("--revision", help="The champion of any commit, tag or branch, registered or not.")
@click.option(
    "--model",
    type=click.Choice(["champion", "challenger"]),
    default="champion",
    show_default=True,
    help="Which of a revision's models.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("served/champion"),
    show_default=True,
    help="The folder to fill; a server that reads it takes the new model over by itself.",
)
def pack(
    *, task: str | None, stage: str | None, version: int | None, revision: str | None, model: str, output: Path
) -> None:
    r"""Fill a folder with what serving needs of a model: plain numbers, no code, fingerprints that are checked.

    The model comes from the cache, else from the remote, of the revision that the registry names; nothing is checked
    out. The folder is exchanged in one step, so a server that runs never sees half of it. Where it is served:

    \b
      python -m ops pack --stage production
      LAB_CHAMPION=served/champion python -m serving

    A challenger beside it, for an experiment or in the shadow:

    \b
      python -m ops pack --revision HEAD --model challenger --output served/challenger

    Without --stage, --version or --revision it is the champion of HEAD. Exit 0 when done, 2 on a mistake: no such
    version, an object that is nowhere, a family of models that is not compiled.
    """
    root = Path()
    name = task or task_of(root)
    source = found_source(Wanted(name, stage, version, revision, model), root=root)
    packed(source, output, root=root)
    click.echo(f"{output}: {source.told}")

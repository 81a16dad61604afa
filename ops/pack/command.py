"""`python -m ops pack`: a model out of the registry into a folder that the server can serve."""

import time
from contextlib import suppress
from pathlib import Path

import click

from lab.core.errors import LabError, ParamsError
from ops.pack.pack import pack as packed
from ops.pack.source import Source, Wanted, found_source
from ops.registry.task import task_of
from ops.registry.upstream import upstream_of


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
@click.option(
    "--watch",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Go on: look so often whether it is another model by now, and pack that.",
)
def pack(
    *,
    task: str | None,
    stage: str | None,
    version: int | None,
    revision: str | None,
    model: str,
    output: Path,
    watch: float | None,
) -> None:
    r"""Fill a folder with what serving needs of a model: plain numbers, no code, fingerprints that are checked.

    The model comes from the cache, else from the remote, of the revision that the registry names; nothing is checked
    out. The folder is exchanged in one step, so a server that runs never sees half of it. Where it is served:

    \b
      python -m ops pack --stage production
      LAB_CHAMPION=served/champion python -m serving

    With --watch the server follows the registry: a promotion or a rollback is packed within so many seconds, and taken
    over with no request lost. Each look asks the shared repository for new tags first, where there is one. What goes
    wrong is told once and tried again, and what is served stays; it ends with Ctrl-C:

    \b
      python -m ops pack --stage production --watch 30

    A challenger beside it, for an experiment or in the shadow:

    \b
      python -m ops pack --revision HEAD --model challenger --output served/challenger

    Without --stage, --version or --revision it is the champion of HEAD. Exit 0 when done, 2 on a mistake: no such
    version, an object that is nowhere, a family of models that is not compiled.
    """
    root = Path()
    wanted = Wanted(task or task_of(root), stage, version, revision, model)
    if watch is not None:
        with suppress(KeyboardInterrupt):
            _follow(wanted, output, root=root, seconds=watch)
        return
    source = found_source(wanted, root=root)
    packed(source, output, root=root)
    click.echo(f"{output}: {source.told}")


def _follow(wanted: Wanted, output: Path, *, root: Path, seconds: float) -> None:
    """Pack whenever it is another model than the last that was packed, until somebody stops this."""
    if wanted.version is not None:
        raise ParamsError("found --watch with --version, which never becomes another. Cure: --stage or --revision.")
    last: Source | None = None
    told: list[str] = []
    while True:
        mistakes = _mistakes_of_fetching(root)
        try:
            last = _pack_other(wanted, last, output, root=root)
        except LabError as error:
            mistakes.append(str(error))
        for mistake in mistakes:
            if mistake not in told:
                click.echo(mistake, err=True)
        told = mistakes
        time.sleep(seconds)


def _mistakes_of_fetching(root: Path) -> list[str]:
    """Bring the registry's tags of the shared repository, if there is one; what fails is no reason not to go on."""
    try:
        shared = upstream_of(root)
        if shared is not None:
            shared.fetch()
    except LabError as error:
        return [str(error)]
    return []


def _pack_other(wanted: Wanted, last: Source | None, output: Path, *, root: Path) -> Source:
    """Return the source as it is now, packed if it is another than the last."""
    source = found_source(wanted, root=root)
    if source != last:
        packed(source, output, root=root)
        click.echo(f"{output}: {source.told}")
    return source

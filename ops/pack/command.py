"""`python -m ops pack`: write a registered model as a folder for the server."""

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
@click.option("--stage", help="The version in this stage of .gto, such as production.")
@click.option("--version", "version", type=click.IntRange(min=1), help="A version: 2 is churn@v2.0.0.")
@click.option("--revision", help="The champion of a commit, tag or branch, registered or not.")
@click.option(
    "--model",
    type=click.Choice(["champion", "challenger"]),
    default="champion",
    show_default=True,
    help="Which model of the revision.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("served/champion"),
    show_default=True,
    help="The folder to write; a running server that reads it reloads by itself.",
)
@click.option(
    "--watch",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Keep running: check for a new model every SECONDS, and pack it.",
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
    r"""Write a folder with what serving needs of a model: plain numbers, no code, checked fingerprints.

    The model comes from the cache or the remote, at the revision that the registry names; nothing is checked out. The
    folder is replaced atomically, so a running server never reads half of it:

    \b
      python -m ops pack --stage production
      LAB_CHAMPION=served/champion python -m serving

    With --watch the server follows the registry: a promotion or a rollback is packed within so many seconds, and loaded
    with no downtime. Each check fetches new tags first, if there is a remote. An error is printed once and retried, and
    the served model stays. Stop it with Ctrl-C:

    \b
      python -m ops pack --stage production --watch 30

    A challenger, for an A/B test or in the shadow:

    \b
      python -m ops pack --revision HEAD --model challenger --output served/challenger

    The default is the champion of HEAD. Exit 0 when done, 2 on a mistake: an unknown version, a missing object, or a
    model family that cannot be compiled.
    """
    root = Path()
    wanted = Wanted(task or task_of(root), stage, version, revision, model)
    if watch is not None:
        with suppress(KeyboardInterrupt):
            _follow(wanted, output, root=root, seconds=watch)
        return
    source = found_source(wanted, root=root)
    packed(source, output, root=root)
    click.echo(f"{output}: {source.label}")


def _follow(wanted: Wanted, output: Path, *, root: Path, seconds: float) -> None:
    """Pack each new model, until interrupted."""
    if wanted.version is not None:
        raise ParamsError("found --watch with --version, which never changes. Cure: --stage or --revision.")
    last: Source | None = None
    printed: list[str] = []
    while True:
        mistakes = _mistakes_of_fetching(root)
        try:
            last = _pack_other(wanted, last, output, root=root)
        except LabError as error:
            mistakes.append(str(error))
        for mistake in mistakes:
            if mistake not in printed:
                click.echo(mistake, err=True)
        printed = mistakes
        time.sleep(seconds)


def _mistakes_of_fetching(root: Path) -> list[str]:
    """Fetch the registry's tags, if there is a remote; return errors, which do not stop the watch."""
    try:
        shared = upstream_of(root)
        if shared is not None:
            shared.fetch()
    except LabError as error:
        return [str(error)]
    return []


def _pack_other(wanted: Wanted, last: Source | None, output: Path, *, root: Path) -> Source:
    """Return the current source, packed if it differs from the last one."""
    source = found_source(wanted, root=root)
    if source != last:
        packed(source, output, root=root)
        click.echo(f"{output}: {source.label}")
    return source

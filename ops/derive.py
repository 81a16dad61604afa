"""`python -m ops derive REVISION…`: have what a revision's stages wrote in this clone's cache."""

from pathlib import Path

import click

from ops.revisions import derivation
from ops.revisions.derivation import Derived

DEFAULT = ("data/predictions",)


@click.command()
@click.argument("revisions", nargs=-1, required=True)
@click.option(
    "--output", "outputs", multiple=True, default=DEFAULT, show_default=True, help="What is to be had; may be repeated."
)
def derive(*, revisions: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    r"""Bring outputs of revisions into the cache: from the remote, else by running their stages in a temporary clone.

    For a comparison where neither cache nor remote has what a revision predicted: in CI without a remote, say. The
    files of this clone stay as they are, and so does git.

    \b
    Exit codes: 0 all is in the cache; 1 some outputs came out as other bytes than that revision's dvc.lock records;
    2 a revision or an output is not known, or a stage failed.

    \b
      python -m ops derive main
      python -m ops derive v1.0 HEAD --output models/champion --output data/predictions
    """
    found = []
    for revision in revisions:
        click.echo(f"{revision}: looking for {', '.join(outputs)}", err=True)
        found.append(derivation.derive(revision, outputs=outputs, root=Path()))
        click.echo(told(found[-1]))
    raise SystemExit(1 if any(each.differing for each in found) else 0)


def told(found: Derived) -> str:
    """Return in one line how a revision's outputs were had."""
    if found.differing:
        paths = ", ".join(found.differing)
        return f"{found.revision}: {found.how}, and not what its dvc.lock records: {paths}"
    return f"{found.revision}: {found.how}"

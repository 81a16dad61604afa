"""`python -m ops derive`: fetch or rebuild the outputs of revisions in the cache."""

from pathlib import Path

import click

from ops.revisions import derivation
from ops.revisions.derivation import Derived

DEFAULT = ("data/predictions",)


@click.command()
@click.argument("revisions", nargs=-1, required=True)
@click.option(
    "--output", "outputs", multiple=True, default=DEFAULT, show_default=True, help="An output; may be repeated."
)
def derive(*, revisions: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    r"""Fetch outputs of revisions into the cache: from the remote, else by running their stages in a temporary clone.

    Use it before a comparison when neither cache nor remote has a revision's predictions, as in CI without a remote.
    Files and git of this clone do not change.

    \b
    Exit codes: 0 all outputs are in the cache; 1 some rebuilt outputs differ from the revision's dvc.lock; 2 an unknown
    revision or output, or a failed stage.

    \b
      python -m ops derive main
      python -m ops derive v1.0 HEAD --output models/champion --output data/predictions
    """
    found = []
    for revision in revisions:
        click.echo(f"{revision}: looking for {', '.join(outputs)}", err=True)
        found.append(derivation.derive(revision, outputs=outputs, root=Path()))
        click.echo(to_text(found[-1]))
    raise SystemExit(1 if any(each.differing for each in found) else 0)


def to_text(found: Derived) -> str:
    """Return where a revision's outputs come from, as one line."""
    if found.differing:
        paths = ", ".join(found.differing)
        return f"{found.revision}: {found.how}, but different from its dvc.lock: {paths}"
    return f"{found.revision}: {found.how}"

"""`python -m ops plots BASE`: write DVC's plots of two revisions as one page."""

from pathlib import Path

import click

from lab.core.errors import LabError, SourceError
from lab.core.result_files import write_text
from lab.pages.markdown import counted
from ops.dvc.plots import WORKSPACE, PlotsError, plots_of
from ops.plots.page import DRAW, VEGA_LITE, page_of
from ops.revisions.git import commit_of

OUTPUT = Path("logs/plots.html")


@click.command()
@click.argument("base")
@click.argument("head", default=WORKSPACE)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=OUTPUT, show_default=True, help="The file."
)
def plots(*, base: str, head: str, output: Path) -> None:
    r"""Write `dvc plots diff BASE HEAD` as one HTML page that needs no network; without HEAD, of the working tree.

    DVC's own page loads Vega from a server, and is blank without a network. This page holds Vega, about 0.9 MB, and
    the points of both revisions. The templates are those of HEAD, and of BASE for plots that only BASE has.

    \b
      python -m ops plots origin/main HEAD --output logs/plots.html

    Exit codes: 0 written; 2 a usage error, such as a revision without plots.
    """
    for revision in (base, head):
        if revision != WORKSPACE:
            commit_of(revision)
    try:
        found = plots_of([base, head], root=Path())
    except PlotsError as error:
        raise SourceError(f"DVC cannot read the plots of {base} and {head}: {error}.") from error
    if not found:
        raise SourceError(f"found no plots at {base} and {head}, expected some in the part `plots` of dvc.yaml.")
    write_text(page_of(found, title=f"Plots: {base} → {head}", script=vega() + DRAW), output)
    size = output.stat().st_size / 1e6
    click.echo(f"{output}: {counted(len(found), 'plot')}, {size:.1f} MB, needs no network")


def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; `vegaEmbed` is global."""
    try:
        from vl_convert import javascript_bundle  # noqa: PLC0415 - needed here alone, and not a requirement of the DAG
    except ImportError as error:
        raise LabError(
            "the package vl-convert-python is not installed, expected it for this page. Cure: make plots"
        ) from error
    return str(javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE))

"""`python -m ops report BASE [HEAD]`: the comparison of two revisions as Markdown for a pull request."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
from pathlib import Path

import click

from lab.records import write_text
from ops.comparing.compare import compare_revisions
from ops.reporting.page import first_line, report_of
from ops.revisions.snapshot import WORKSPACE

SUMMARY = "GITHUB_STEP_SUMMARY"


@click.command()
@click.argument("base")
@click.argument("head", default=WORKSPACE)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of printing it."
)
def report(*, base: str, head: str, output: Path | None) -> None:
    r"""Tell a reviewer what to do with a change: merge, look or stop, why, and all that differs, as Markdown.

    It is what `python -m ops compare BASE HEAD` finds, written for a pull request: what to do on top, then every metric
    with its interval, and the rest folded. It is shorter than what GitHub takes, always, and the same two revisions
    give the same bytes. `python -m ops post report.md` posts it. In GitHub Actions it is added to the step's summary.

    \b
      python -m ops report origin/main HEAD --output report.md

    \b
    stop   the challenger is worse by the primary metric, a gate newly fails, or the results are not of this code
    look   these rows cannot tell, the test data or the yardstick changed, something could not be tested, a gate still
           fails, another metric is worse, or drift newly suggests retraining
    merge  better, equivalent or the same predictions, and every gate that decides passes

    Exit 0 when the report was made, whatever it says (`compare` and `gate` turn answers into codes), 2 on a mistake.
    """
    found = compare_revisions(base, head, say=lambda text: click.echo(f"… {text}", err=True))
    page = report_of(found)
    if output is None:
        click.echo(page, nl=False)
    else:
        write_text(page, output)
        click.echo(first_line(found))
    if summary := os.environ.get(SUMMARY):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(page)

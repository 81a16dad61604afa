"""`python -m ops report BASE [HEAD]`: the comparison of two revisions as Markdown for a pull request."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
import re
from pathlib import Path

import click

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import LabError
from lab.core.result_files import write_text
from ops.compare.compare import compare_revisions
from ops.compare.comparison import Comparison
from ops.report.page import first_line, report_of
from ops.report.pictures import draw, shows
from ops.revisions.snapshot import WORKSPACE, snapshot_of

SUMMARY = "GITHUB_STEP_SUMMARY"
ADDRESS = re.compile(r"https?://[\w.~:/%@+=-]+")


@click.command()
@click.argument("base")
@click.argument("head", default=WORKSPACE)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of printing it."
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Draw base and head over each other, as PNG, into this folder.",
)
@click.option(
    "--image-base", metavar="URL", help="Where those pictures will be found: only then does the page show them."
)
def report(*, base: str, head: str, output: Path | None, images: Path | None, image_base: str | None) -> None:
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
    address = _address(image_base) if image_base is not None else None
    found = compare_revisions(base, head, say=_say)
    drawn = _drawn(found, images) if images is not None else []
    shown = [(shows(name), f"{address}/{name}") for name in drawn] if address is not None else []
    page = report_of(found, images=shown)
    if output is None:
        click.echo(page, nl=False)
    else:
        write_text(page, output)
        click.echo(first_line(found))
    if summary := os.environ.get(SUMMARY):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(page)


def _drawn(found: Comparison, folder: Path) -> list[str]:
    """Return the names of the pictures that were drawn; a report without them is better than none."""
    try:
        pictures = draw(found, *(snapshot_of(each.commit or WORKSPACE) for each in (found.base, found.head)))
        for name, content in pictures.items():
            with replaced_file(folder / name) as partial:
                partial.write_bytes(content)
    except Exception as error:  # noqa: BLE001 - whatever it is, the words matter more than the pictures
        _say(f"no pictures: {error!r}")
        return []
    return list(pictures)


def _address(base: str) -> str:
    if not ADDRESS.fullmatch(base):
        raise LabError(f"--image-base is {base!r}, expected an address such as https://example.org/reports/12.")
    return base.rstrip("/")


def _say(text: str) -> None:
    click.echo(f"… {text}", err=True)

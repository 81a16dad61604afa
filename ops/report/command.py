"""`python -m ops report`: write the comparison of two revisions for a pull request."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
import re
from collections.abc import Mapping
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
PLOTS = Path("logs/plots.html")  # written by `make plots`, and uploaded as the artifact `plots`
ADDRESS = re.compile(r"https?://[\w.~:/%@+=-]+")


@click.command()
@click.argument("base")
@click.argument("head", default=WORKSPACE)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.  [default: print]")
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Draw base and head over each other as PNG files in this folder.",
)
@click.option(
    "--image-base", metavar="URL", help="The address of that folder; the page shows the pictures only with it."
)
def report(*, base: str, head: str, output: Path | None, images: Path | None, image_base: str | None) -> None:
    r"""Write a Markdown report for reviewers: merge, look or stop, the reasons, and everything that differs.

    It has the results of `python -m ops compare BASE HEAD`: the advice on top, then each metric with its interval, and
    the rest in collapsible sections. It always fits into a GitHub comment, and the same revisions give the same bytes.
    `python -m ops post report.md` posts it. In GitHub Actions it is also added to the step's summary.

    \b
      python -m ops report origin/main HEAD --output report.md

    \b
    stop   the challenger is worse by the primary metric, a gate newly fails, too many rows of a raw table changed, or
           the results are stale
    look   not distinguishable, changed test data or settings of the test, something untested, a gate that still fails,
           or is within noise, another metric that is worse, or drift that newly suggests retraining
    merge  better, equivalent or the same predictions, and all deciding gates pass

    Exit 0 when the report is written (use `compare` and `gate` for exit codes), 2 on a mistake.
    """
    address = _address(image_base) if image_base is not None else None
    found = compare_revisions(base, head, say=_say)
    drawn = _drawn(found, images) if images is not None else []
    shown = [(shows(name), f"{address}/{name}") for name in drawn] if address is not None else []
    page = report_of(found, images=shown, run=run_address(os.environ), plots="plots" if PLOTS.exists() else "")
    if output is None:
        click.echo(page, nl=False)
    else:
        write_text(page, output)
        click.echo(first_line(found))
    if summary := os.environ.get(SUMMARY):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(page)


def run_address(environment: Mapping[str, str]) -> str:
    """Return the address of the workflow's run; nothing outside GitHub Actions.

    >>> run_address({"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"})
    'https://github.com/a/b/actions/runs/7'
    """
    server, repository, run = (environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    address = f"{server}/{repository}/actions/runs/{run}"
    return address if server and repository and run and ADDRESS.fullmatch(address) else ""


def _drawn(found: Comparison, folder: Path) -> list[str]:
    """Draw the pictures and return their names; an error leaves the report without pictures."""
    try:
        pictures = draw(found, *(snapshot_of(each.commit or WORKSPACE) for each in (found.base, found.head)))
        for name, content in pictures.items():
            with replaced_file(folder / name) as partial:
                partial.write_bytes(content)
    except Exception as error:  # noqa: BLE001 - the report matters more than its pictures
        _say(f"no pictures: {error!r}")
        return []
    return list(pictures)


def _address(base: str) -> str:
    if not ADDRESS.fullmatch(base):
        raise LabError(f"--image-base is {base!r}, expected an address such as https://example.org/reports/12.")
    return base.rstrip("/")


def _say(text: str) -> None:
    click.echo(f"… {text}", err=True)

"""`python -m ops post REPORT.md`: put the report on the pull request, as one comment that is updated in place."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.result_files import json_bytes
from ops.github.body import fitted, titled
from ops.github.client import Hub
from ops.github.cml import found_cml
from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import Wire
from ops.github.images import with_images
from ops.github.posting import Posted, planned, post_report
from ops.github.retry import Patience
from ops.github.target import event_number, hub_of, number_of
from ops.github.untrusted import NUMBER, REPORT, noted, pull_request_for, read_stage_file

WATERMARK = "## Experiment report"
IMAGE_SECONDS = 20.0


@dataclass(frozen=True)
class Asked:
    """What was said at the command line, apart from which report and in which form the answer is printed."""

    number: int | None
    watermark: str
    way: str
    publish: str | None
    head_sha: str | None
    artifact: str
    dry_run: bool


@click.command()
@click.argument("report", type=click.Path(path_type=Path), required=False)
@click.option("--pr", "number", type=int, help="The pull request's number.  [that of the event, else of the commit]")
@click.option(
    "--watermark", default=WATERMARK, show_default=True, help="The comment's first line, by which it is found again."
)
@click.option(
    "--with",
    "way",
    type=click.Choice(["auto", "api"]),
    default="auto",
    show_default=True,
    help="auto: CML where it is installed and would hit the right comment. api: never CML.",
)
@click.option("--publish", metavar="ADDRESS", help="PUT the report's local images there; without it they are left out.")
@click.option(
    "--artifact", default="report", show_default=True, help="What to name where the whole of a shortened report is."
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    help="Seconds to wait in all for a service that is busy.",
)
@click.option(
    "--untrusted", type=click.Path(path_type=Path), metavar="FOLDER", help="Post what a fork's job handed over."
)
@click.option("--head-sha", metavar="COMMIT", help="With --untrusted: the commit of that run.  [that of the event]")
@click.option(
    "--hand-over", type=click.Path(path_type=Path), metavar="FOLDER", help="Post nothing: write what --untrusted reads."
)
@click.option("--dry-run", is_flag=True, help="Read, and say what would be done; write nothing anywhere.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def post(  # noqa: PLR0913 - one for each option
    *,
    report: Path | None,
    number: int | None,
    watermark: str,
    way: str,
    publish: str | None,
    artifact: str,
    patience: float,
    untrusted: Path | None,
    head_sha: str | None,
    hand_over: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    r"""Put REPORT on the pull request, as one comment that is updated in place.

    \b
    In a workflow of GitHub Actions, on pull_request:
      GITHUB_TOKEN=… python -m ops post report.md
    By hand, for pull request 12:
      GITHUB_TOKEN=… GITHUB_REPOSITORY=OWNER/NAME python -m ops post report.md --pr 12 --dry-run
    For forks, whose jobs have no token that may write: hand over in the job on pull_request, post in workflow_run:
      python -m ops post report.md --hand-over logs/report
      GITHUB_TOKEN=… python -m ops post --untrusted logs/report --head-sha COMMIT

    CML posts where it is installed (`cml` of GitHub Actions, 0.20 or newer). It looks at the first 30 comments only and
    at whoever made them: where that would make a second comment or change somebody else's, and where it fails, the REST
    API is used instead. The address is GITHUB_API_URL's, the token REPO_TOKEN's or GITHUB_TOKEN's; it is shown nowhere.

    Exit 0 when the report is on the pull request, 1 when the service did not answer, 2 on a mistake.
    """
    asked = Asked(number, watermark, way, publish, head_sha, artifact, dry_run)
    waiting = Patience(seconds=patience, first=min(2.0, patience / 60), say=_say)
    if (report is None) == (untrusted is None):
        raise RefusedError("expected REPORT or --untrusted FOLDER, one of them. Cure: python -m ops post --help")
    if report is not None and hand_over is not None:
        click.echo(handed_over(_read(report), hand_over, number=number))
        return
    try:
        hub = hub_of(os.environ, patience=waiting)
        done = _trusted(report, asked, hub) if report is not None else _untrusted(untrusted or Path(), asked, hub)
    except UnansweredError as error:
        leave(str(error), code=FAILED)
    else:
        click.echo(json_bytes(asdict(done)).decode().rstrip() if as_json else told(done, dry_run=dry_run))


def told(done: Posted, *, dry_run: bool) -> str:
    """Return what was done, or would be, in a line.

    >>> told(Posted(7, "updated", "api", "https://example.org/7#issuecomment-1"), dry_run=False)
    'updated by api: https://example.org/7#issuecomment-1'
    """
    would = "would be " if dry_run else ""
    return f"{would}{done.action} by {done.by}: {done.url or f'pull request {done.number}'}"


def handed_over(text: str, folder: Path, *, number: int | None) -> str:
    """Write the folder that a job without a token hands to one with a token; return what is in it."""
    number = event_number(os.environ) if number is None else number
    if number is None:
        raise RefusedError("found no pull request's event, expected a number to hand over. Cure: --pr NUMBER.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(text, encoding="utf-8")
    (folder / NUMBER).write_text(f"{number}\n", encoding="utf-8")
    return f"{folder}: {REPORT} and the number {number}"


def _trusted(report: Path, asked: Asked, hub: Hub) -> Posted:
    number = number_of(asked.number, os.environ, hub=hub)
    address = None if asked.dry_run else asked.publish
    wire = Wire(address.rstrip("/"), os.environ.get("PUBLISH_AUTHORIZATION", ""), IMAGE_SECONDS) if address else None
    text = with_images(titled(_read(report), title=asked.watermark), folder=report.parent, wire=wire, say=_say)
    return _posted(text, number, asked, hub)


def _untrusted(folder: Path, asked: Asked, hub: Hub) -> Posted:
    handed = read_stage_file(folder)
    number = pull_request_for(handed, asked.head_sha, os.environ, hub=hub).number
    return _posted(noted(titled(handed.text, title=asked.watermark)), number, asked, hub)


def _posted(text: str, number: int, asked: Asked, hub: Hub) -> Posted:
    text = fitted(text, artifact=asked.artifact)
    cml = found_cml(os.environ, timeout=hub.patience.timeout) if asked.way == "auto" else None
    if asked.dry_run:
        plan = planned(text, hub=hub, number=number, title=asked.watermark, cml=cml)
        return Posted(number, plan.action, plan.by, plan.ours.url if plan.ours else "")
    return post_report(text, hub=hub, number=number, title=asked.watermark, artifact=asked.artifact, cml=cml)


def _say(said: str) -> None:
    click.echo(said, err=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(
            f"{path} cannot be read as text ({error}), expected Markdown. Cure: `python -m ops report` makes it."
        ) from error

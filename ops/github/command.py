"""`python -m ops post REPORT.md`: post the report on the pull request as one comment."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.result_files import json_bytes
from ops.github.body import fitted, titled
from ops.github.client import GitHub
from ops.github.cml import found_cml
from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import HttpClient
from ops.github.images import with_images
from ops.github.posting import Posted, planned, post_report
from ops.github.retry import RetryPolicy
from ops.github.target import event_number, event_run, github_from, number_of
from ops.github.untrusted import NUMBER, REPORT, neutral, pull_request_for, read_handed, text_of

WATERMARK = "## Experiment report"
IMAGE_SECONDS = 20.0
SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True)
class Options:
    """The options of the command line, apart from the report and the output format."""

    number: int | None
    watermark: str
    way: str
    publish: str | None
    head_sha: str | None
    artifact: str
    dry_run: bool


@click.command()
@click.argument("report", type=click.Path(path_type=Path), required=False)
@click.option(
    "--pr", "number", type=int, help="The pull request's number.  [default: of the event, else of the commit]"
)
@click.option(
    "--watermark", default=WATERMARK, show_default=True, help="The comment's first line, which identifies it."
)
@click.option(
    "--with",
    "way",
    type=click.Choice(["auto", "api"]),
    default="auto",
    show_default=True,
    help="auto: CML if it is installed and would update the right comment. api: never CML.",
)
@click.option(
    "--publish", metavar="ADDRESS", help="Upload the report's local images there by PUT; without it they are left out."
)
@click.option("--artifact", default="report", show_default=True, help="The artifact that a shortened report refers to.")
@click.option(
    "--retry-seconds",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    help="Seconds to wait in all between retries.",
)
@click.option(
    "--untrusted",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Post the report that a fork's job wrote with --hand-over.",
)
@click.option("--head-sha", metavar="COMMIT", help="With --untrusted: the commit of that run.  [default: of the event]")
@click.option(
    "--hand-over",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Post nothing; write the folder that --untrusted reads.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def post(  # noqa: PLR0913 - one for each option
    *,
    report: Path | None,
    number: int | None,
    watermark: str,
    way: str,
    publish: str | None,
    artifact: str,
    retry_seconds: float,
    untrusted: Path | None,
    head_sha: str | None,
    hand_over: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    r"""Post REPORT on the pull request as one comment, which later runs update.

    \b
    In a workflow of GitHub Actions, on pull_request:
      GITHUB_TOKEN=… python -m ops post report.md
    By hand, on pull request 12:
      GITHUB_TOKEN=… GITHUB_REPOSITORY=OWNER/NAME python -m ops post report.md --pr 12 --dry-run
    For forks, whose jobs have a read-only token: hand over in the pull_request job, post in a workflow_run job:
      python -m ops post report.md --hand-over logs/report
      GITHUB_TOKEN=… python -m ops post --untrusted logs/report --head-sha COMMIT

    CML posts if it is installed (`cml`, 0.20 or newer). It reads the first 30 comments only, by any author. If it would
    add a second comment or change another author's, or if it fails, the REST API is used instead. GITHUB_API_URL sets
    the address, REPO_TOKEN or GITHUB_TOKEN the token, which is never printed. What posted, and why, is printed and
    added to the step's summary. With --untrusted and no report, the comment names the workflow's run instead.

    Exit 0 when the report is posted, 1 when the service does not respond, 2 on a mistake.
    """
    options = Options(number, watermark, way, publish, head_sha, artifact, dry_run)
    policy = RetryPolicy(seconds=retry_seconds, first=min(2.0, retry_seconds / 60), log=_log)
    if (report is None) == (untrusted is None):
        raise RefusedError("expected REPORT or --untrusted FOLDER, one of them. Cure: python -m ops post --help")
    if report is not None and hand_over is not None:
        click.echo(handed_over(_read(report), hand_over, number=number))
        return
    try:
        github = github_from(os.environ, policy=policy)
        done = (
            _trusted(report, options, github)
            if report is not None
            else _untrusted(untrusted or Path(), options, github)
        )
    except UnansweredError as error:
        leave(str(error), code=FAILED)
    else:
        click.echo(json_bytes(asdict(done)).decode().rstrip() if as_json else to_text(done, dry_run=dry_run))
        if summary := os.environ.get(SUMMARY):
            safe = to_text(replace(done, why=neutral(done.why)), dry_run=dry_run)
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(f"Report {safe}\n")


def to_text(done: Posted, *, dry_run: bool) -> str:
    """Return the result as one line.

    >>> to_text(Posted(7, "updated", "api", "CML is not installed", "https://example.org/7"), dry_run=False)
    'updated by api: https://example.org/7 (CML is not installed)'
    """
    would = "would be " if dry_run else ""
    return f"{would}{done.action} by {done.by}: {done.url or f'pull request {done.number}'} ({done.why})"


def handed_over(text: str, folder: Path, *, number: int | None) -> str:
    """Write the folder that a job with a token reads; return what it holds."""
    number = event_number(os.environ) if number is None else number
    if number is None:
        raise RefusedError("found no event of a pull request, expected a number to hand over. Cure: --pr NUMBER.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(text, encoding="utf-8")
    (folder / NUMBER).write_text(f"{number}\n", encoding="utf-8")
    return f"{folder}: {REPORT} and the number {number}"


def _trusted(report: Path, options: Options, github: GitHub) -> Posted:
    number = number_of(options.number, os.environ, github=github)
    address = None if options.dry_run else options.publish
    http = (
        HttpClient(address.rstrip("/"), os.environ.get("PUBLISH_AUTHORIZATION", ""), IMAGE_SECONDS) if address else None
    )
    text = with_images(titled(_read(report), title=options.watermark), folder=report.parent, http=http, log=_log)
    return _posted(text, number, options, github)


def _untrusted(folder: Path, options: Options, github: GitHub) -> Posted:
    handed = read_handed(folder, run=event_run(os.environ))
    number = pull_request_for(handed, options.head_sha, os.environ, github=github).number
    return _posted(text_of(handed, title=options.watermark), number, options, github)


def _posted(text: str, number: int, options: Options, github: GitHub) -> Posted:
    text = fitted(text, artifact=options.artifact)
    cml = found_cml(os.environ, timeout=github.policy.timeout) if options.way == "auto" else "--with api was given"
    if options.dry_run:
        plan = planned(text, github=github, number=number, title=options.watermark, cml=cml)
        return Posted(number, plan.action, plan.by, plan.why, plan.ours.url if plan.ours else "")
    return post_report(text, github=github, number=number, title=options.watermark, artifact=options.artifact, cml=cml)


def _log(line: str) -> None:
    click.echo(line, err=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(
            f"{path} cannot be read as text ({error}), expected Markdown. Cure: write it with `python -m ops report`."
        ) from error

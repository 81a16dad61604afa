"""Read a report written by untrusted code, for the pull request of its commit."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ops.github.body import titled
from ops.github.client import GitHub, PullRequest
from ops.github.errors import RefusedError
from ops.github.target import COMMIT, Environment, checked_number, event_commit, event_head

REPORT, NUMBER = "report.md", "number"
LARGEST = {REPORT: 1_000_000, NUMBER: 20}  # bytes
NOTE = "> Written by the code of this pull request: trust it as you trust that code. Links and images are left out."
NO_REPORT = "The workflow left no report: it failed before, or the report has expired."
BREAK = "\u200b"  # a zero-width space: invisible, and it breaks links and mentions
TAGS = "details|summary|table|thead|tbody|tr|th|td|sub|sup|br|b|i|em|strong|code|pre|p|hr|ul|ol|li"
OTHER_TAG = re.compile(rf"<(?!/?(?:{TAGS})(?: open)? ?/?>)(?=[A-Za-z/!?])", flags=re.IGNORECASE)
ENTITY = re.compile(r"&(?!(?:amp|lt|gt|nbsp|quot);)(?=[A-Za-z#])")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
LINKS = (
    (re.compile(r"@"), f"@{BREAK}"),  # a mention notifies people
    (re.compile(r"#(?=\d)"), f"#{BREAK}"),  # a number links to another thread
    (re.compile(r"(?i)\b(gh-)(?=\d)"), rf"\1{BREAK}"),
    (re.compile(r"\](?=[(:\[])"), f"]{BREAK}"),
    (re.compile(r"://"), f":{BREAK}//"),
    (re.compile(r"(?i)\b(www)\."), rf"\1{BREAK}."),
    (re.compile(r"(?i)\b(mailto|xmpp):"), rf"\1{BREAK}:"),
)


@dataclass(frozen=True)
class HandedOver:
    """An untrusted job's text, made safe to post, if any; the number that it claims; the address of its run."""

    text: str | None
    number: int | None
    run: str | None = None


def read_handed(folder: Path, *, run: str | None = None) -> HandedOver:
    """Return the report of a folder and its number, if any; refuse large files and other than plain ones.

    Without a report, return that the run at this address left none; without an address, refuse.
    """
    text = _content(folder / REPORT)
    if text is None and run is not None:
        return HandedOver(None, None, run)
    if text is None:
        raise RefusedError(f"{folder} lacks {REPORT}. Cure: check the run that should have written it.")
    number = _content(folder / NUMBER)
    return HandedOver(neutral(text), None if number is None else _number(number, folder / NUMBER), run)


def pull_request_for(
    handed: HandedOver, commit: str | None, environment: Environment, *, github: GitHub
) -> PullRequest:
    """Return the open pull request of the report's commit, as GitHub says, not as the folder says.

    Otherwise a fork's job could post its report on another pull request.
    """
    commit = commit or event_commit(environment) or ""
    if not COMMIT.fullmatch(commit):
        raise RefusedError(
            f"found {commit[:80]!r} as the commit of the untrusted run, expected its 40 hexadecimal digits. "
            "Cure: --head-sha with github.event.workflow_run.head_sha."
        )
    if handed.number is not None:
        candidates = [github.pull_request(handed.number)]
    elif head := event_head(environment):
        candidates = github.pull_requests_of(head)
    else:
        candidates = github.pull_requests_at(commit)
    fit = [one for one in candidates if one.open and one.commit == commit]
    if len(fit) == 1:
        return fit[0]
    claimed = "" if handed.number is None else f" (the folder says {handed.number})"
    raise RefusedError(
        f"found {len(fit)} open pull requests whose newest commit is {commit[:12]}{claimed}, expected one. Nothing is "
        "posted: the pull request has a newer commit, or the report is for another. Cure: run the report again."
    )


def neutral(text: str) -> str:
    r"""Return Markdown without working mentions, links and images, otherwise unchanged.

    >>> ascii(neutral("[press](https://example.org) @owner <img src=x> &#64;owner, p < 0.01"))
    "'[press]\\u200b(https:\\u200b//example.org) @\\u200bowner &lt;img src=x> &amp;#\\u200b64;owner, p < 0.01'"
    """
    text = UNSEEN.sub("", text.replace("\r\n", "\n"))
    text = OTHER_TAG.sub("&lt;", ENTITY.sub("&amp;", text))
    for pattern, instead in LINKS:
        text = pattern.sub(instead, text)
    return text


def text_of(handed: HandedOver, *, title: str) -> str:
    """Return a report with a note below its title that its author is untrusted, or that there is no report.

    >>> text_of(HandedOver(None, None, "https://example.org/runs/1"), title="## Experiment report").splitlines()[-1]
    'The workflow left no report: it failed before, or the report has expired. [Its run](https://example.org/runs/1)'
    """
    if handed.text is None:
        return f"{title}\n\n{NO_REPORT} [Its run]({handed.run})"
    files = f" [Its run]({handed.run}#artifacts) has the files." if handed.run else ""
    first, _, rest = titled(handed.text, title=title).partition("\n")
    return f"{first}\n\n{NOTE}{files}\n\n{rest.strip()}"


def _number(text: str, path: Path) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}\n?", text):
        raise RefusedError(f"{path} has no number, expected that of a pull request, in digits. Nothing is posted.")
    return checked_number(int(text))


def _content(path: Path) -> str | None:
    # A link could point to this job's secrets; a pipe would never end.
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(
            f"{path} cannot be read: {error.strerror}. Expected a plain file; nothing is posted."
        ) from None
    with os.fdopen(opened, "rb") as stream:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise RefusedError(f"{path} is not a plain file. Nothing is posted.")
        content = stream.read(LARGEST[path.name] + 1)
    if len(content) > LARGEST[path.name]:
        raise RefusedError(f"{path} is larger than {LARGEST[path.name]:,} bytes. Nothing is posted.")
    return content.decode(errors="replace")

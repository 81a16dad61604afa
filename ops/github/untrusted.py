"""Take a report that somebody else's code has made: as data, for the pull request that its commit belongs to."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ops.github.client import Hub, PullRequest
from ops.github.errors import RefusedError
from ops.github.target import COMMIT, Environment, checked_number, event_commit, event_head

REPORT, NUMBER = "report.md", "number"
LARGEST = {REPORT: 1_000_000, NUMBER: 20}  # bytes
NOTE = "> Made by the code of this pull request itself: judge it as you judge that code. Links and images are left out."
BREAK = "\u200b"  # a space of no width: read by nobody, and no link or mention goes through it
TAGS = "details|summary|table|thead|tbody|tr|th|td|sub|sup|br|b|i|em|strong|code|pre|p|hr|ul|ol|li"
OTHER_TAG = re.compile(rf"<(?!/?(?:{TAGS})(?: open)? ?/?>)(?=[A-Za-z/!?])", flags=re.IGNORECASE)
ENTITY = re.compile(r"&(?!(?:amp|lt|gt|nbsp|quot);)(?=[A-Za-z#])")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
LINKS = (
    (re.compile(r"@"), f"@{BREAK}"),  # a mention writes to people
    (re.compile(r"#(?=\d)"), f"#{BREAK}"),  # a number links back from another thread
    (re.compile(r"(?i)\b(gh-)(?=\d)"), rf"\1{BREAK}"),
    (re.compile(r"\](?=[(:\[])"), f"]{BREAK}"),
    (re.compile(r"://"), f":{BREAK}//"),
    (re.compile(r"(?i)\b(www)\."), rf"\1{BREAK}."),
    (re.compile(r"(?i)\b(mailto|xmpp):"), rf"\1{BREAK}:"),
)


@dataclass(frozen=True)
class Handed:
    """What an untrusted job handed over: a text that is safe to post, and the pull request that it says it is about."""

    text: str
    number: int | None


def read_stage_file(folder: Path) -> Handed:
    """Return the report in a folder and its number, if it names one; refuse what is too large or no plain file."""
    text = _content(folder / REPORT)
    if text is None:
        raise RefusedError(f"{folder} lacks {REPORT}. Cure: look at the run that should have made it.")
    number = _content(folder / NUMBER)
    return Handed(neutral(text), None if number is None else _number(number, folder / NUMBER))


def pull_request_for(handed: Handed, commit: str | None, environment: Environment, *, hub: Hub) -> PullRequest:
    """Return the open pull request whose newest commit the report was made for, as GitHub says, not as the folder says.

    Without that a fork's job could name another pull request, and its report would stand there.
    """
    commit = commit or event_commit(environment) or ""
    if not COMMIT.fullmatch(commit):
        raise RefusedError(
            f"found {commit[:80]!r} as the commit of the untrusted run, expected its 40 hexadecimal digits. "
            "Cure: --head-sha with github.event.workflow_run.head_sha."
        )
    if handed.number is not None:
        there = [hub.pull_request(handed.number)]
    elif head := event_head(environment):
        there = hub.pull_requests_of(head)
    else:
        there = hub.pull_requests_at(commit)
    fit = [one for one in there if one.open and one.commit == commit]
    if len(fit) == 1:
        return fit[0]
    said = "" if handed.number is None else f" (the folder says {handed.number})"
    raise RefusedError(
        f"found {len(fit)} open pull requests whose newest commit is {commit[:12]}{said}, expected one. Nothing is "
        "posted: it has moved on, or the report is about another. Cure: let the report run again on its newest commit."
    )


def neutral(text: str) -> str:
    r"""Return Markdown that mentions nobody, links nowhere and shows no image, and reads as before.

    >>> ascii(neutral("[press](https://example.org) @owner <img src=x> &#64;owner, p < 0.01"))
    "'[press]\\u200b(https:\\u200b//example.org) @\\u200bowner &lt;img src=x> &amp;#\\u200b64;owner, p < 0.01'"
    """
    text = UNSEEN.sub("", text.replace("\r\n", "\n"))
    text = OTHER_TAG.sub("&lt;", ENTITY.sub("&amp;", text))
    for pattern, instead in LINKS:
        text = pattern.sub(instead, text)
    return text


def noted(text: str) -> str:
    """Return a report with a note below its title on who made it."""
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{NOTE}\n\n{rest.strip()}"


def _number(text: str, path: Path) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}\n?", text):
        raise RefusedError(f"{path} holds no number, expected a pull request's, in digits. Nothing is posted.")
    return checked_number(int(text))


def _content(path: Path) -> str | None:
    # A link could name the file that holds this job's secrets; a pipe would never end.
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
            raise RefusedError(f"{path} is no plain file. Nothing is posted.")
        content = stream.read(LARGEST[path.name] + 1)
    if len(content) > LARGEST[path.name]:
        raise RefusedError(f"{path} is larger than {LARGEST[path.name]:,} bytes. Nothing is posted.")
    return content.decode(errors="replace")

"""The client of GitHub's REST API, against a server on loopback that behaves like it."""

import email.utils
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ops.github.body import LONGEST, fitted, is_same, is_titled
from ops.github.client import Comment, GitHub
from ops.github.cml import updates_ours
from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import HttpClient
from ops.github.posting import ours_among, post_report
from ops.github.retry import RetryPolicy
from ops.github.untrusted import neutral
from tests.ops.github_server import BOT, ME, REPOSITORY, TOKEN, Fault, State, certificate_in, served

TITLE = "## Experiment report"
TEXT = f"{TITLE}\n\nmerge: it is better."
OLD = f"{TITLE}\n\nlook: it is the same."
MARK = '![](https://cml.dev/watermark.png#abc123 "CML watermark Experiment report")'


@dataclass
class Desk:
    """A client, its server's state, and what was waited and said."""

    state: State
    github: GitHub
    waits: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def post(self, text: str = TEXT) -> tuple[str, str]:
        done = post_report(
            text, github=self.github, number=7, title=TITLE, artifact="report", cml="CML is not installed"
        )
        return done.action, done.by


def desk_at(address: str, state: State, *, timeout: float = 10, token: str = TOKEN) -> Desk:
    waits: list[float] = []
    said: list[str] = []
    policy = RetryPolicy(seconds=1000, first=1, timeout=timeout, sleep=waits.append, log=said.append)
    return Desk(state, GitHub(address, REPOSITORY, token, policy), waits, said)


@pytest.fixture
def desk() -> Iterator[Desk]:
    state = State()
    with served(state) as address:
        yield desk_at(address, state)


def test_the_first_report_makes_a_comment(desk: Desk) -> None:
    assert desk.post() == ("created", "api")
    assert desk.state.bodies == [TEXT]


def test_the_second_report_takes_the_place_of_the_first(desk: Desk) -> None:
    desk.state.comment("hello", author="a person")
    desk.state.comment(OLD)
    desk.state.comment("thanks", author="a person")
    assert desk.post() == ("updated", "api")
    assert desk.state.bodies == ["hello", TEXT, "thanks"]


def test_the_same_report_again_writes_nothing(desk: Desk) -> None:
    desk.state.comment(f"{TEXT}\n\n{MARK}")
    assert desk.post() == ("unchanged", "api")
    assert desk.state.asked("PATCH") == desk.state.asked("POST") == []


@pytest.mark.parametrize("before", [30, 99, 100, 250])
def test_our_comment_is_found_however_many_stand_before_it(desk: Desk, before: int) -> None:
    for place in range(before):
        desk.state.comment(f"remark {place}", author="a person")
    desk.state.comment(OLD)
    assert desk.post() == ("updated", "api")
    assert desk.state.bodies[before:] == [TEXT]
    assert len(desk.state.asked("GET")) == 2 + before // 100


@pytest.mark.parametrize("login", [ME, None])
def test_a_comment_of_somebody_else_with_the_same_title_is_left_alone(desk: Desk, login: str | None) -> None:
    desk.state.login = login
    desk.state.comment(OLD, author="a person")
    assert desk.post() == ("created", "api")
    assert desk.state.bodies == [OLD, TEXT]


def test_a_workflow_finds_its_own_comment_though_it_is_not_told_who_it_is(desk: Desk) -> None:
    desk.state.login = None
    desk.state.comment(OLD, author=BOT, kind="Bot")
    assert desk.post() == ("updated", "api")
    assert desk.state.bodies == [TEXT]


def test_a_longer_title_is_another_title(desk: Desk) -> None:
    desk.state.comment(f"{TITLE} of last week\n\ntext")
    assert desk.post() == ("created", "api")


def test_a_comment_of_a_deleted_user_is_read(desk: Desk) -> None:
    desk.state.comment(OLD)["user"] = None
    assert desk.post() == ("created", "api")


REFUSALS = [
    (401, "Bad credentials", "found 401 .Bad credentials.*GITHUB_TOKEN"),
    (403, "Resource not accessible by integration", "found 403 .Resource.*pull-requests: write"),
    (404, "Not Found", "found 404 .*--pr and GITHUB_REPOSITORY"),
    (422, "Validation Failed", "found 422 .Validation Failed.*brackets"),
]


@pytest.mark.parametrize(("status", "message", "expected"), REFUSALS)
def test_a_refusal_is_told_with_its_cure_and_not_asked_again(
    desk: Desk, status: int, message: str, expected: str
) -> None:
    desk.state.faults.append(Fault("POST", status, message=message))
    with pytest.raises(RefusedError, match=expected):
        desk.post()
    assert len(desk.state.asked("POST")) == 1
    assert desk.waits == []


def test_a_wrong_token_is_refused_at_the_first_question(desk: Desk) -> None:
    wrong = desk_at(desk.github.address, desk.state, token="ghs_wrong")  # noqa: S106 - made up
    with pytest.raises(RefusedError, match="found 401") as refused:
        wrong.post()
    assert "ghs_wrong" not in str(refused.value)


def test_a_pull_request_that_is_not_there_is_told(desk: Desk) -> None:
    with pytest.raises(RefusedError, match=f"404 .Not Found. at GET .*/repos/{REPOSITORY}/issues/8/comments"):
        post_report(TEXT, github=desk.github, number=8, title=TITLE, artifact="report", cml="CML is not installed")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_a_service_in_trouble_is_asked_again(desk: Desk, status: int, method: str) -> None:
    if method == "PATCH":
        desk.state.comment(OLD)
    desk.state.faults += [Fault(method, status), Fault(method, status)]
    desk.post()
    assert desk.state.bodies == [TEXT]
    assert desk.waits == [1, 2]


def test_waits_double_and_end(desk: Desk) -> None:
    desk.state.faults += [Fault("*", 503) for _ in range(6)]
    with pytest.raises(
        UnansweredError, match=r"did not respond: found 503 .a fault. after 6 attempts, .*Nothing is posted"
    ):
        desk.post()
    assert desk.waits == [1, 2, 4, 8, 16]
    assert len(desk.state.requests) == 6


@pytest.mark.parametrize("status", [429, 403])
def test_a_limit_is_waited_for_as_long_as_it_says(desk: Desk, status: int) -> None:
    desk.state.faults.append(Fault("POST", status, {"Retry-After": "17"}, "You have exceeded a secondary rate limit"))
    assert desk.post() == ("created", "api")
    assert desk.waits == [17]
    assert desk.state.bodies == [TEXT]
    assert len(desk.state.asked("GET")) == 2


def test_a_limit_may_be_told_as_a_date_or_as_the_moment_of_its_end(desk: Desk) -> None:
    soon = time.time() + 300
    desk.state.faults.append(Fault("GET", 429, {"Retry-After": email.utils.formatdate(soon, usegmt=True)}))
    exhausted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(soon))}
    desk.state.faults.append(Fault("GET", 403, exhausted, "API rate limit exceeded"))
    desk.post()
    assert [200 < wait <= 300 for wait in desk.waits] == [True, True]


def test_a_limit_without_a_time_is_given_a_minute(desk: Desk) -> None:
    desk.state.faults.append(Fault("GET", 403, message="You have exceeded a secondary rate limit"))
    desk.post()
    assert desk.waits == [60]


def test_the_time_limit_is_for_all_waits_together(desk: Desk) -> None:
    desk.state.faults += [Fault("*", 503) for _ in range(6)]
    github = replace(desk.github, policy=replace(desk.github.policy, seconds=10, first=4))
    with pytest.raises(UnansweredError, match="after 2 attempts, expected a response within 10 s"):
        github.comments(7)
    assert desk.waits == [4]


def test_a_rate_limit_beyond_the_time_limit_ends_it_at_once(desk: Desk) -> None:
    desk.state.faults.append(Fault("GET", 429, {"Retry-After": "3600"}))
    with pytest.raises(UnansweredError, match=r"429 .a fault. and requests a wait of 3600 s after 1 attempt"):
        desk.post()
    assert desk.waits == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_is_reset_is_tried_again(desk: Desk, method: str) -> None:
    desk.state.faults.append(Fault(method))
    assert desk.post() == ("created", "api")
    assert desk.state.bodies == [TEXT]


@pytest.mark.parametrize("fault", [Fault("POST", after=True), Fault("POST", 502, after=True)])
def test_a_comment_that_was_made_though_the_answer_is_lost_is_not_made_twice(desk: Desk, fault: Fault) -> None:
    desk.state.faults.append(fault)
    assert desk.post() == ("created", "api")
    assert desk.state.bodies == [TEXT]
    assert len(desk.state.asked("POST")) == 1


def test_a_comment_that_was_made_though_the_answer_never_comes_is_not_made_twice() -> None:
    state = State(faults=[Fault("POST", after=True, hang=True)])
    with served(state) as address:
        desk = desk_at(address, state, timeout=0.5)
        assert desk.post() == ("created", "api")
    assert state.bodies == [TEXT]
    assert len(state.asked("POST")) == 1
    assert "timed out" in desk.said[0]


def test_a_look_that_is_not_answered_ends_the_matter(desk: Desk) -> None:
    desk.state.faults += [Fault("POST"), *(Fault("GET", 503) for _ in range(40))]
    with pytest.raises(UnansweredError, match="did not respond: found 503"):
        desk.github.create_comment(7, TEXT, found=lambda: next(iter(desk.github.comments(7)), None))
    assert (len(desk.state.asked("POST")), len(desk.state.asked("GET"))) == (1, 6)


def test_nobody_there_is_told_after_a_few_tries() -> None:
    with served(State()) as address:
        pass
    with pytest.raises(UnansweredError, match="Connection refused after 6 attempts"):
        desk_at(address, State()).post()


def test_a_comment_that_github_finds_too_long_is_shortened_once(desk: Desk) -> None:
    desk.state.longest = 30_100
    report = f"{TITLE}\n\n" + "\n\n".join(f"paragraph {place} " + "x" * 500 for place in range(110))
    assert desk.post(report) == ("created", "api")
    (body,) = desk.state.bodies
    assert body.endswith("The artifact `report` has all of it.")
    assert 25_000 < len(body) < 30_000
    desk.state.longest = 100
    with pytest.raises(RefusedError, match="too long"):
        desk.post(report + " changed")


def test_a_redirect_within_the_host_is_followed_with_the_method_as_it_is(desk: Desk) -> None:
    there = {"Location": f"/repos/{REPOSITORY}/issues/7/comments"}
    desk.state.faults.append(Fault("POST", 307, there))
    assert desk.post() == ("created", "api")
    assert desk.state.bodies == [TEXT]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_another_host_gets_neither_the_token_nor_a_question(desk: Desk, method: str) -> None:
    other = State()
    with served(other) as elsewhere:
        desk.state.faults.append(Fault(method, 307, {"Location": f"{elsewhere}/user"}))
        with pytest.raises(RefusedError, match="redirects to another host"):
            desk.post()
    assert other.requests == []


@pytest.mark.parametrize("location", ["http://[", "file:///etc/passwd", "https://127.0.0.1:99999/"])
def test_a_redirect_that_cannot_be_followed_is_told(desk: Desk, location: str) -> None:
    desk.state.faults.append(Fault("GET", 302, {"Location": location}))
    with pytest.raises(RefusedError, match="redirects to another host"):
        desk.github.login()


def test_a_next_page_on_another_host_is_not_asked_for(desk: Desk) -> None:
    other = State()
    with served(other) as elsewhere:
        desk.state.faults.append(Fault("GET", 200, {"Link": f'<{elsewhere}/more>; rel="next"'}, content=[]))
        with pytest.raises(RefusedError, match="redirects to another host"):
            desk.github.comments(7)
    assert other.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://api.github.com",
        "ftp://127.0.0.1",
        "https://robot:word@api.github.com",
        "https://api.github.com?token=x",
        "api.github.com",
        "http://127.0.0.1.example.org",
        "https://api.github.com:port",
        "https://[",
        "",
    ],
)
def test_an_address_that_a_token_must_not_travel_to_is_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="expected https://HOST"):
        GitHub(address, REPOSITORY, TOKEN)


def test_https_is_spoken_where_the_certificate_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_in(tmp_path)
    state = State()
    with served(state, certificate=certificate) as address:
        with pytest.raises(RefusedError, match=r"certificate that is not trusted .*SSL_CERT_FILE"):
            desk_at(address, state).post()
        assert state.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert desk_at(address, state).post() == ("created", "api")
    assert state.bodies == [TEXT]


def test_something_that_is_not_github_is_told(desk: Desk) -> None:
    desk.state.faults += [Fault("GET", 200, message="welcome to the proxy"), Fault("GET", 200, content=["welcome"])]
    with pytest.raises(RefusedError, match="does not respond like GitHub's REST API"):
        desk.github.login()
    with pytest.raises(RefusedError, match="does not respond like GitHub's REST API"):
        desk.github.comments(7)


def test_the_token_stands_in_the_header_and_nowhere_else(desk: Desk, tmp_path: Path) -> None:
    shown = [repr(desk.github), repr(desk.github.http), str(desk.github), repr(desk)]
    faults = [
        Fault("POST", 401, message=f"Bearer {TOKEN} is wrong"),
        Fault("POST", 500, message=f"{TOKEN}"),
        Fault("POST", 307, {"Location": f"https://{TOKEN}.example.org/"}),
        Fault("POST", 307, {"Location": f"https://example.org/{TOKEN}"}),
    ]
    for fault in faults:
        desk.state.faults = [fault] * (6 if fault.status == 500 else 1)
        with pytest.raises((RefusedError, UnansweredError)) as raised:
            desk.post()
        shown.append("".join(traceback.format_exception(raised.value)))
    assert TOKEN not in "".join([*shown, *desk.said])
    assert TOKEN not in "".join(request.path + request.body.decode() for request in desk.state.requests)
    assert {request.authorization for request in desk.state.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("token", [f"{TOKEN}\n{TOKEN}", f"{TOKEN}é", f"{TOKEN}\x00"])
def test_a_token_that_no_header_may_hold_is_refused_without_being_shown(desk: Desk, token: str) -> None:
    with pytest.raises(RefusedError, match="without a newline") as raised:
        desk_at(desk.github.address, desk.state, token=token).post()
    assert TOKEN not in "".join(traceback.format_exception(raised.value))
    assert desk.state.requests == []


def test_a_pull_request_is_opened_once_and_kept_up_to_date(desk: Desk) -> None:
    first = desk.github.open_pull_request("retrain/churn", "main", "Promote the challenger", "because")
    again = desk.github.open_pull_request("retrain/churn", "main", "Promote the challenger", "because")
    assert again == first
    changed = desk.github.open_pull_request("retrain/churn", "main", "Promote the challenger", "because it is newer")
    assert (changed.number, changed.body) == (first.number, "because it is newer")
    assert [pull["body"] for pull in desk.state.pulls] == ["because it is newer"]
    assert desk.github.pull_request_of("retrain/churn") == changed
    assert desk.github.pull_request_of("another") is None


@pytest.mark.parametrize("fault", [Fault("POST", after=True), Fault("POST", 422, message="exists", after=True)])
def test_a_pull_request_that_was_opened_meanwhile_is_taken(desk: Desk, fault: Fault) -> None:
    desk.state.faults.append(fault)
    assert desk.github.open_pull_request("topic", "main", "a title", "a body").number == 1
    assert len(desk.state.pulls) == 1


def test_a_pull_request_that_cannot_be_opened_is_told(desk: Desk) -> None:
    desk.state.faults.append(Fault("POST", 422, message="No commits between main and topic"))
    with pytest.raises(RefusedError, match="No commits between main and topic"):
        desk.github.open_pull_request("topic", "main", "a title", "a body")


def test_a_fork_with_a_branch_of_the_same_name_is_another(desk: Desk) -> None:
    desk.state.pull(3, head="topic", owner="stranger")
    assert desk.github.pull_request_of("topic") is None


def test_an_endless_list_is_given_up() -> None:
    state = State()
    with served(state) as address:
        link = {"Link": f'<{address}/user>; rel="next"'}
        state.faults += [Fault("GET", 200, link, content=[]) for _ in range(101)]
        github = desk_at(address, state).github
        with pytest.raises(RefusedError, match="has more than 100 pages"):
            github.comments(7)


def comment(identity: int, body: str, author: str = ME) -> Comment:
    return Comment(identity, body, author, bot=False, url="")


def test_cml_is_used_only_where_it_updates_ours_our_comment() -> None:
    others = [comment(place, "a remark", "a person") for place in range(40)]
    ours = comment(99, f"{OLD}\n\n{MARK}")
    unmarked = comment(99, OLD)
    forged = comment(98, f"{OLD}\n\n{MARK}", "a person")
    assert updates_ours(others, None, title=TITLE)
    assert updates_ours([*others[:29], ours, *others], ours, title=TITLE)
    assert not updates_ours([*others[:30], ours], ours, title=TITLE)
    assert not updates_ours([*others[:3], unmarked], unmarked, title=TITLE)
    assert not updates_ours([forged], None, title=TITLE)
    assert not updates_ours([ours, forged], ours, title=TITLE)
    assert updates_ours([forged, ours], ours, title=TITLE)


def test_of_two_comments_of_ours_the_newest_is_taken() -> None:
    two = [comment(1, OLD), comment(2, OLD)]
    assert ours_among(two, login=ME.upper(), title=TITLE) == two[1]


def test_a_cut_report_closes_what_it_opened() -> None:
    rows = "\n".join(f"| row {place} | {'x' * 80} |" for place in range(1000))
    report = f"{TITLE}\n\nmerge\n\n<details><summary>a</summary>\n\n```text\n{rows}\n```\n\n</details>"
    cut = fitted(report, artifact="report")
    assert len(cut) <= LONGEST
    assert cut.count("<details") == cut.count("</details>") == 1
    assert cut.count("```") == 2
    assert cut.index("</details>") < cut.index("> The report is too long")


@pytest.mark.parametrize("report", ["x" * 100_000, "x\n" * 100_000, "<details>" * 20_000, "```\n" * 40_000])
def test_every_report_can_be_cut(report: str) -> None:
    assert len(fitted(report, artifact="report")) <= LONGEST


def test_what_windows_and_cml_add_is_no_difference() -> None:
    assert is_same(TEXT.replace("\n", "\r\n") + f"\r\n\r\n{MARK}", TEXT)
    assert not is_same(f"{TEXT} And more.", TEXT)
    assert is_titled(f"\r\n{TITLE}\r\n\r\ntext", title=TITLE)


HOSTILE = [
    "@owner",
    "@owner/team",
    r"\@owner",
    "&commat;owner",
    "&#64;owner",
    "#12",
    "owner/name#12",
    "GH-12",
    "&#35;12",
    "[press](https://example.org)",
    "[press](//example.org)",
    "[press][here]\n\n[here]: //example.org",
    "![image](//example.org/x.png)",
    "<https://example.org>",
    "https://example.org",
    "www.example.org",
    "mailto:owner@example.org",
    "<a href='//example.org'>press</a>",
    "<IMG SRC=//example.org/x.png>",
    "<details onclick=x>",
    "<!-- hidden -->",
    "\u202egro.elpmaxe\u202c",
    "a\u200b@owner",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_mentions_nobody_and_links_nowhere(text: str) -> None:
    found = neutral(text)
    for trap in (
        "@o",
        "#1",
        "://",
        "](",
        "]:",
        "][",
        "www.",
        "mailto:o",
        "<a",
        "<I",
        "<!",
        "<h",
        "\u202e",
        "&c",
        "&#6",
    ):
        assert trap not in found


def test_untrusted_text_reads_as_before() -> None:
    text = "## Title\n\n"
    text += "<details><summary>more</summary>\n\n| a | p < 0.01 |\n|---|---:|\n\n`x &lt; y` ▇▇▁ −0.5\n</details>\n"
    assert neutral(text) == text


def test_a_wire_without_a_secret_sends_none() -> None:
    state = State()
    with served(state) as address:
        HttpClient(address).send("PUT", f"{address}/files/a.png", b"image")
    assert state.requests[0].authorization is None
    assert state.files == {"/files/a.png": b"image"}

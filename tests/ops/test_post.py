"""`python -m ops post`: one comment, by CML or our client, and no leaked secret."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.core.command import run
from ops.__main__ import application
from ops.github.client import GitHub
from ops.github.errors import RefusedError
from ops.github.proposals import UNKNOWN, check_may_propose
from ops.github.retry import RetryPolicy
from ops.github.target import github_from
from ops.github.untrusted import NO_REPORT
from tests.cures import apply_cure, cure_in
from tests.ops.github_server import BOT, ME, REPOSITORY, TOKEN, Fault, State, certificate_in, served
from tests.project import ROOT
from tests.project import run as in_folder

TITLE = "## Experiment report"
TEXT = f"{TITLE}\n\nmerge: it is better."
OLD = f"{TITLE}\n\nlook: it is the same."
MARK = '![](https://cml.dev/watermark.png#abc123 "CML watermark Experiment report")'
SHA = "a" * 40
# What CML 0.20.6 does: one page of comments, the last one with its mark by any author, else a new one.
CML = f"""#!{sys.executable}
import json, os, pathlib, sys, urllib.request
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as stream:
    stream.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
mode = (here / "mode").read_text()
if sys.argv[1:] == ["--version"]:
    print({{"stub": "cml 1.2.3 of somebody else", "old": "0.18.3"}}.get(mode, "0.20.6"))
    sys.exit()
token = os.environ["REPO_TOKEN"]
if mode == "fails":
    sys.exit(f"HttpError: {{token}} is no good")
if mode == "silent":
    sys.exit()
def ask(method, path, said=None):
    request = urllib.request.Request(os.environ["GITHUB_API_URL"] + "/repos/{REPOSITORY}/" + path, method=method)
    request.add_header("Authorization", "Bearer " + token)
    return json.load(urllib.request.urlopen(request, said and json.dumps(said).encode()))
options = dict(word.split("=", 1) for word in sys.argv[3:-1])
mark = '![](https://cml.dev/watermark.png#abc123 "CML watermark ' + options["--watermark-title"] + '")'
body = pathlib.Path(sys.argv[-1]).read_text() + "\\n\\n" + mark
there = f"issues/{{options['--target'].removeprefix('pr/')}}/comments"
ours = [one for one in ask("GET", there) if mark in one["body"]]
update = ("PATCH", f"issues/comments/{{ours[-1]['id']}}") if ours else ("POST", there)
done = ask(*update, {{"body": body}})
if mode == "dies":
    sys.exit(1)
print(done["html_url"])
"""


@dataclass
class Desk:
    """A server, the environment of a workflow's job, and a report in a folder."""

    state: State
    folder: Path
    environment: dict[str, str]
    capture: pytest.CaptureFixture[str]
    shown: list[str] = field(default_factory=list)

    def post(self, *arguments: str) -> tuple[int, str, str]:
        return self.verb("post", *arguments)

    def verb(self, *words: str) -> tuple[int, str, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("GITHUB_", "REPO_", "HEAD_"))]:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            with pytest.raises(SystemExit) as left:
                run(lambda: application([*words], prog_name="ops"))
        out, err = self.capture.readouterr()
        self.shown += [out, err]
        return int(left.value.code or 0), out.strip(), err.strip()

    def event(self, content: object) -> None:
        path = self.folder / "event.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        self.environment["GITHUB_EVENT_PATH"] = str(path)

    def with_cml(self, mode: str = "works") -> None:
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "cml").write_text(CML)
        (tools / "cml").chmod(0o755)
        (tools / "mode").write_text(mode)
        self.environment["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"

    def calls(self) -> list[Any]:
        path = self.folder / "tools/calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    state = State()
    state.pull(7, sha=SHA)
    (tmp_path / "report.md").write_text(f"{TEXT}\n")
    with served(state) as address:
        environment = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN, "PATH": ""}
        desk = Desk(state, tmp_path, environment, capsys)
        desk.event({"pull_request": {"number": 7}})
        yield desk
    assert TOKEN not in "".join(desk.shown)
    assert TOKEN not in "".join(request.path for request in state.requests)
    ours = [path for path in tmp_path.rglob("*") if path.is_file() and path != tmp_path / "tools/calls"]
    assert [path for path in ours if TOKEN.encode() in path.read_bytes()] == []


def test_the_report_is_posted_and_its_address_said(desk: Desk) -> None:
    assert desk.post("report.md") == (
        0,
        "created by api: https://github.example/owner/name/pull/7#issuecomment-1000 (CML is not installed)",
        "",
    )
    assert desk.state.bodies == [TEXT]
    (desk.folder / "report.md").write_text(f"{OLD}\n")
    assert desk.post("report.md")[1].startswith("updated by api")
    assert desk.state.bodies == [OLD]


def test_a_machine_reads_json(desk: Desk) -> None:
    code, out, _ = desk.post("report.md", "--json")
    assert (code, json.loads(out)) == (
        0,
        {
            "action": "created",
            "by": "api",
            "number": 7,
            "url": "https://github.example/owner/name/pull/7#issuecomment-1000",
            "why": "CML is not installed",
        },
    )


def test_a_report_without_the_title_gets_it(desk: Desk) -> None:
    (desk.folder / "report.md").write_bytes(b"all is\r\nwell\r\n")
    desk.post("report.md", "--watermark", "## Another report")
    assert desk.state.bodies == ["## Another report\n\nall is\nwell"]


def test_a_report_that_is_too_long_for_a_comment_is_shortened(desk: Desk) -> None:
    (desk.folder / "report.md").write_text("a line\n" * 20_000)
    assert desk.post("report.md", "--artifact", "whole")[0] == 0
    (body,) = desk.state.bodies
    assert (50_000 < len(body) <= 60_000, body.endswith("The artifact `whole` has all of it.")) == (True, True)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(desk: Desk) -> None:
    assert desk.post("report.md", "--dry-run")[:2] == (
        0,
        "would be created by api: pull request 7 (CML is not installed)",
    )
    desk.state.comment(OLD)
    image_report(desk)
    code, out, _ = desk.post("report.md", "--dry-run", "--publish", desk.environment["GITHUB_API_URL"])
    assert (code, out.split()[:3]) == (0, ["would", "be", "updated"])
    assert {request.method for request in desk.state.requests} == {"GET"}


@pytest.mark.parametrize(
    "event",
    [
        {"pull_request": {"number": 7}},
        {"workflow_run": {"pull_requests": [{"number": 7}], "head_sha": "b" * 40}},
        {"workflow_run": {"pull_requests": [], "head_sha": SHA}},
        {"workflow_run": {"pull_requests": [{"number": 9}, {"number": 7}], "head_sha": SHA}},
        {"pull_request": {"number": "7; rm -rf /"}},
        {"pull_request": {"number": True}},
        {"pull_request": {"number": -7}},
        {"pull_request": "7"},
        {"push": {}},
        [7],
        "not JSON",
    ],
)
def test_the_number_is_that_of_the_event_or_of_the_commit(desk: Desk, event: object) -> None:
    desk.event(event)
    desk.environment["GITHUB_SHA"] = SHA
    assert desk.post("report.md")[0] == 0
    assert desk.state.asked("POST") == [f"/repos/{REPOSITORY}/issues/7/comments"]


def test_a_pull_request_that_holds_the_commit_further_down_is_another(desk: Desk) -> None:
    desk.state.pull(8, sha="b" * 40, before=SHA)
    desk.event({"push": {}})
    desk.environment["GITHUB_SHA"] = SHA
    assert desk.post("report.md")[0] == 0
    desk.state.pull(9, sha=SHA)
    code, _, err = desk.post("report.md")
    assert (code, "found the open pull requests 7, 9 at commit aaaaaaaaaaaa" in err) == (2, True)


def test_outside_of_a_pull_request_the_cure_is_said(desk: Desk) -> None:
    desk.event({"push": {}})
    desk.environment["GITHUB_SHA"] = "c" * 40
    code, _, err = desk.post("report.md")
    assert (code, "found no open pull request at commit cccccccccccc" in err, "--pr NUMBER" in err) == (2, True, True)
    assert desk.post("report.md", "--pr", "7")[0] == 0
    assert desk.post("report.md", "--pr", "0")[0] == 2


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GITHUB_TOKEN", "", "found no token in the environment"),
        ("GITHUB_REPOSITORY", "", "expected OWNER/NAME"),
        ("GITHUB_REPOSITORY", "owner/name/../other", "expected OWNER/NAME"),
        ("GITHUB_REPOSITORY", "owner/..", "expected OWNER/NAME"),
        ("GITHUB_API_URL", "http://api.github.com", "expected https://HOST"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_is_missing_in_the_environment_is_said_with_its_cure(
    desk: Desk, name: str, value: str, expected: str, dry: tuple[str, ...]
) -> None:
    desk.environment[name] = value
    code, _, err = desk.post("report.md", *dry)
    assert (code, expected in err, "Cure: " in err) == (2, True, True)
    assert desk.state.requests == []


def test_of_two_tokens_the_one_that_cml_takes_is_taken(desk: Desk) -> None:
    desk.environment |= {"GITHUB_TOKEN": "ghs_other", "REPO_TOKEN": TOKEN}
    assert desk.post("report.md")[0] == 0


def test_a_report_that_is_not_there_is_a_mistake(desk: Desk) -> None:
    assert desk.post("reprot.md")[0] == 2
    assert desk.post()[0] == 2
    assert desk.post("report.md", "--untrusted", ".")[0] == 2


def test_a_service_that_does_not_answer_is_told_apart_from_a_mistake(desk: Desk) -> None:
    desk.state.faults = [Fault("GET", 503) for _ in range(6)]
    code, _, err = desk.post("report.md", "--retry-seconds", "0.2")
    assert (code, err.count("retries in"), "did not respond: found 503" in err) == (1, 5, True)


def test_cml_posts_where_it_is_installed(desk: Desk) -> None:
    desk.with_cml()
    assert desk.post("report.md")[1].startswith("created by cml: https://github.example/owner/name/pull/7")
    assert desk.state.bodies == [f"{TEXT}\n\n{MARK}"]
    (words, environment) = desk.calls()[-1]
    assert words[:-1] == [
        "comment",
        "update",
        "--driver=github",
        "--repo=https://github.com/owner/name",
        "--target=pr/7",
        "--publish=false",
        "--watermark-title=Experiment report",
    ]
    assert environment["REPO_TOKEN"] == TOKEN
    assert "GITHUB_TOKEN" not in environment
    assert environment["ITERATIVE_DO_NOT_TRACK"] == "1"
    assert Path(environment["GIT_CONFIG_GLOBAL"]).parent == Path(words[-1]).parent
    assert [TOKEN in json.dumps(call) for call in desk.calls()] == [False, True]


def test_cml_updates_its_own_comment_in_place(desk: Desk) -> None:
    desk.with_cml()
    desk.state.comment(f"{OLD}\n\n{MARK}")
    assert desk.post("report.md")[1].startswith("updated by cml")
    assert desk.state.bodies == [f"{TEXT}\n\n{MARK}"]
    assert desk.post("report.md")[1].startswith("unchanged by api")


def test_beyond_what_cml_sees_the_comment_is_updated_all_the_same(desk: Desk) -> None:
    desk.with_cml()
    for _ in range(30):
        desk.state.comment("a remark", author="a person")
    desk.state.comment(f"{OLD}\n\n{MARK}")
    assert desk.post("report.md")[1].startswith("updated by api")
    assert desk.state.bodies[30:] == [TEXT]
    assert [words for words, _ in desk.calls()] == [["--version"]]


def test_a_forged_mark_does_not_let_cml_overwrite_a_stranger(desk: Desk) -> None:
    desk.with_cml()
    forged = f"{OLD}\n\n{MARK}"
    desk.state.comment(forged, author="a stranger")
    assert desk.post("report.md")[1].startswith("created by api")
    assert desk.state.bodies == [forged, TEXT]


@pytest.mark.parametrize("mode", ["fails", "silent", "stub", "old"])
def test_where_cml_is_something_else_or_fails_our_client_posts(desk: Desk, mode: str) -> None:
    desk.with_cml(mode)
    code, out, err = desk.post("report.md")
    assert (code, out.split(":")[0]) == (0, "created by api")
    assert desk.state.bodies == [TEXT]
    assert ("HttpError: *** is no good" in err) == (mode == "fails")
    assert len(desk.calls()) == (1 if mode in {"stub", "old"} else 2)


def test_cml_that_dies_after_it_posted_leaves_one_comment(desk: Desk) -> None:
    desk.with_cml("dies")
    code, out, _ = desk.post("report.md")
    assert (code, out.split(":")[0]) == (0, "updated by cml")
    assert desk.state.bodies == [f"{TEXT}\n\n{MARK}"]


def test_without_cml_means_never_to_ask_it(desk: Desk) -> None:
    desk.with_cml()
    assert desk.post("report.md", "--with", "api")[1].startswith("created by api")
    assert desk.calls() == []


@pytest.mark.parametrize(
    ("mode", "way", "why"),
    [
        ("works", "auto", "CML posted"),
        ("works", "api", "--with api was given"),
        ("stub", "auto", "`cml` is not CML 0.20 or newer"),
        ("fails", "auto", "CML failed with exit code 1: HttpError: *** is no good"),
        ("dies", "auto", "CML posted; then CML failed with exit code 1: no output"),
        (None, "auto", "CML is not installed"),
    ],
)
def test_what_posted_and_why_is_printed_and_in_the_summary(desk: Desk, mode: str | None, way: str, why: str) -> None:
    if mode is not None:
        desk.with_cml(mode)
    summary = desk.folder / "summary.md"
    summary.write_text("before\n")
    desk.environment["GITHUB_STEP_SUMMARY"] = str(summary)
    code, out, _ = desk.post("report.md", "--with", way)
    assert (code, out.endswith(f" ({why})")) == (0, True), out
    assert summary.read_text() == f"before\nReport {out}\n"


def test_another_comment_that_cml_would_write_is_the_reason(desk: Desk) -> None:
    desk.with_cml()
    desk.state.comment(f"{OLD}\n\n{MARK}", author="a stranger")
    assert desk.post("report.md")[1].endswith("(CML would write another comment)")
    assert desk.post("report.md")[1].endswith("(the comment is the same)")


def image_report(desk: Desk) -> None:
    (desk.folder / "images").mkdir()
    (desk.folder / "images/roc.png").write_bytes(b"an image")
    (desk.folder / "secret.txt").write_text("private")
    lines = [
        '![ROC](images/roc.png "a curve")',
        '<img src="images/roc.png" width="49%">',
        "![web](https://x.org/a.png)",
    ]
    (desk.folder / "report.md").write_text("\n".join([TEXT, *lines]))


def test_images_are_put_where_an_address_is_given(desk: Desk) -> None:
    image_report(desk)
    desk.environment["PUBLISH_AUTHORIZATION"] = "Basic c2VjcmV0"
    address = f"{desk.environment['GITHUB_API_URL']}/files"
    assert desk.post("report.md", "--publish", f"{address}/")[0] == 0
    ((place, content),) = desk.state.files.items()
    assert content == b"an image"
    url = f"{address}/{Path(place).name}"
    (body,) = desk.state.bodies
    assert body.endswith(f'![ROC]({url} "a curve")\n<img src="{url}" width="49%">\n![web](https://x.org/a.png)')
    (put,) = [request for request in desk.state.requests if request.method == "PUT"]
    assert put.authorization == "Basic c2VjcmV0"


def test_without_an_address_images_are_left_out_and_nothing_is_sent(desk: Desk) -> None:
    image_report(desk)
    assert desk.post("report.md")[0] == 0
    (body,) = desk.state.bodies
    assert body.splitlines()[3:] == [
        "_ROC_",
        "",
        "![web](https://x.org/a.png)",
        "",
        "> 1 image left out: the files are in the artifact.",
    ]
    assert desk.state.asked("PUT") == []


def test_a_dead_asset_host_only_drops_the_images(desk: Desk) -> None:
    image_report(desk)
    with served(State()) as dead:
        pass
    with (desk.folder / "report.md").open("a") as stream:
        stream.write("\n![gain](images/gain.png)")
    code, _, err = desk.post("report.md", "--publish", dead)
    assert (code, err.count("\n"), "images are left out: images/roc.png" in err) == (0, 0, True)
    assert "> 2 images left out" in desk.state.bodies[0]


def test_an_asset_host_that_refuses_only_drops_the_images(desk: Desk) -> None:
    image_report(desk)
    desk.state.faults.append(Fault("PUT", 403))
    assert desk.post("report.md", "--publish", f"{desk.environment['GITHUB_API_URL']}/files")[0] == 0
    assert "> 1 image left out" in desk.state.bodies[0]


@pytest.mark.parametrize(
    "path", ["secret.txt", "../outside.png", "images/none.png", "images/link.png", "images/large.png"]
)
def test_only_images_below_the_report_are_sent(desk: Desk, path: str) -> None:
    image_report(desk)
    (desk.folder / "inner").mkdir()
    (desk.folder / "images").rename(desk.folder / "inner/images")
    (desk.folder / "outside.png").write_bytes(b"an image of another")
    (desk.folder / "inner/images/link.png").symlink_to(desk.folder / "outside.png")
    with (desk.folder / "inner/images/large.png").open("wb") as large:
        large.truncate(5_000_001)
    (desk.folder / "secret.txt").rename(desk.folder / "inner/secret.txt")
    (desk.folder / "inner/report.md").write_text(f"{TEXT}\n\n![a]({path})")
    assert desk.post("inner/report.md", "--publish", f"{desk.environment['GITHUB_API_URL']}/files")[0] == 0
    assert desk.state.files == {}


def handed(desk: Desk, text: str = TEXT, number: str | None = "7\n") -> None:
    (desk.folder / "handed").mkdir(exist_ok=True)
    (desk.folder / "handed/report.md").write_text(text)
    if number is not None:
        (desk.folder / "handed/number").write_text(number)


def test_a_fork_hands_its_report_over_without_a_token(desk: Desk) -> None:
    del desk.environment["GITHUB_TOKEN"]
    assert desk.post("report.md", "--hand-over", "handed")[:2] == (0, "handed: report.md and the number 7")
    desk.environment["GITHUB_TOKEN"] = TOKEN
    desk.event({"workflow_run": {"pull_requests": [], "head_sha": SHA}})
    assert desk.post("--untrusted", "handed")[0] == 0
    (body,) = desk.state.bodies
    assert body.startswith(f"{TITLE}\n\n> Written by the code of this pull request")
    assert body.endswith("merge: it is better.")


def test_a_run_that_left_no_report_is_named_in_the_comment_until_there_is_one(desk: Desk) -> None:
    address = "https://github.example/owner/name/actions/runs/5"
    head = {"head_sha": SHA, "head_branch": "topic", "head_repository": {"owner": {"login": "owner"}}}
    desk.event({"workflow_run": {**head, "html_url": address, "conclusion": "failure"}})
    assert desk.post("--untrusted", "handed")[0] == 0
    (body,) = desk.state.bodies
    assert body == f"{TITLE}\n\n{NO_REPORT} [Its run]({address})"
    handed(desk)
    assert desk.post("--untrusted", "handed")[1].startswith("updated by api")
    (body,) = desk.state.bodies
    assert f"images are left out. [Its run]({address}#artifacts) has the files.\n" in body
    assert body.endswith("merge: it is better.")


def test_untrusted_text_is_made_harmless(desk: Desk) -> None:
    handed(desk, f"{TITLE}\n\n@owner [press](https://example.org) ![x](//example.org/x.png)")
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 0
    assert not any(trap in desk.state.bodies[0] for trap in ("@owner", "](", "://"))


def test_a_fork_cannot_post_on_another_pull_request(desk: Desk) -> None:
    desk.state.pull(8, sha="b" * 40, owner="fork")
    handed(desk)
    code, _, err = desk.post("--untrusted", "handed", "--head-sha", "b" * 40)
    assert (code, "found 0 open pull requests whose newest commit is bbbbbbbbbbbb (the folder says 7)" in err) == (
        2,
        True,
    )
    assert desk.state.bodies == []


def test_a_closed_pull_request_gets_no_report(desk: Desk) -> None:
    desk.state.pulls[0]["state"] = "closed"
    handed(desk)
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 2


def test_without_a_number_the_event_tells_which_fork_it_was(desk: Desk) -> None:
    desk.state.pulls.clear()
    desk.state.pull(7, head="topic", owner="fork", sha=SHA)
    handed(desk, number=None)
    desk.event(
        {"workflow_run": {"head_sha": SHA, "head_branch": "topic", "head_repository": {"owner": {"login": "fork"}}}}
    )
    assert desk.post("--untrusted", "handed")[0] == 0
    assert len(desk.state.bodies) == 1


@pytest.mark.parametrize("number", ["", "0", "-7", "7 8", "7\n8", "٧", "9999999999", "7;8", "1" * 50])
def test_an_untrusted_number_is_a_number_or_nothing_is_posted(desk: Desk, number: str) -> None:
    handed(desk, number=number)
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 2
    assert desk.state.requests == []


@pytest.mark.parametrize("sha", ["", "main", "a" * 39, "A" * 40, f"{SHA}/../x"])
def test_an_untrusted_commit_is_a_commit_or_nothing_is_posted(desk: Desk, sha: str) -> None:
    handed(desk)
    assert desk.post("--untrusted", "handed", "--head-sha", sha)[0] == 2
    assert desk.state.requests == []


def test_an_untrusted_file_that_is_a_link_a_pipe_or_too_large_is_refused(desk: Desk) -> None:
    handed(desk)
    report = desk.folder / "handed/report.md"
    report.unlink()
    report.symlink_to("/proc/self/environ")
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 2
    report.unlink()
    os.mkfifo(report)
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 2
    report.unlink()
    report.write_text("x" * 1_000_001)
    code, _, err = desk.post("--untrusted", "handed", "--head-sha", SHA)
    assert (code, "larger than 1,000,000 bytes" in err) == (2, True)
    report.unlink()
    assert desk.post("--untrusted", "handed", "--head-sha", SHA)[0] == 2
    assert desk.state.requests == []


def test_a_process_of_its_own_speaks_https_and_shows_no_secret(tmp_path: Path) -> None:
    certificate = certificate_in(tmp_path)
    (tmp_path / "report.md").write_text(TEXT)
    state = State(login=None)
    state.comment(OLD, author=BOT, kind="Bot")
    with served(state, certificate=certificate) as address:
        environment = {
            "PATH": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GITHUB_API_URL": address,
            "GITHUB_REPOSITORY": REPOSITORY,
            "REPO_TOKEN": TOKEN,
            "SSL_CERT_FILE": str(certificate),
        }
        command = [sys.executable, "-m", "ops", "post", "report.md", "--pr", "7"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        state.faults.append(Fault("GET", 401, message=f"{TOKEN} is wrong"))
        refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(":")[0], state.bodies) == (0, "updated by api", [TEXT])
    assert (refused.returncode, refused.stderr.count("\n"), "401 (*** is wrong)" in refused.stderr) == (2, 1, True)
    assert TOKEN not in done.stdout + done.stderr + refused.stdout + refused.stderr
    assert ME not in state.bodies


NO_REVIEWERS = "ops/github/approval.py: in Settings → Environments → {}, add required reviewers."
NO_RIGHTS = "ops/github/approval.py: create the environment, and give the job `permissions: actio"


def test_an_environment_without_reviewers_is_refused_until_it_has_some(desk: Desk) -> None:
    desk.state.reviewers["production"] = []
    code, out, err = desk.verb("approval")
    assert (code, out) == (2, "")
    assert err.startswith(
        "found no required reviewers in environment 'production' of owner/name, expected one or more."
    )
    assert "Environments → production, add" in cure_in(err, of=NO_REVIEWERS)
    desk.state.reviewers["production"] = ["a person", "another"]
    assert desk.verb("approval") == (0, "production: 1 of 2 required reviewers has to approve", "")
    assert desk.verb("approval", "staging")[0] == 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_without_rights_approves_nothing(desk: Desk, status: int) -> None:
    desk.state.reviewers["production"] = ["a person"]
    desk.state.faults.append(Fault("GET", status, message="Resource not accessible by integration"))
    code, out, err = desk.verb("approval", "production")
    assert (code, out, err.count("\n")) == (2, "", 0)
    assert f"found {status} (Resource not accessible by integration) at environment 'production'" in err
    assert "actions: read" in cure_in(err, of=NO_RIGHTS)
    assert desk.verb("approval", "production")[0] == 0


def with_rules(desk: Desk) -> Path:
    file = desk.folder / ".github/rulesets/main.json"
    file.parent.mkdir(parents=True)
    file.write_bytes((ROOT / ".github/rulesets/main.json").read_bytes())
    return file


def test_the_rules_of_main_are_created_once_and_then_updated(desk: Desk) -> None:
    file = with_rules(desk)
    assert desk.verb("ruleset") == (
        0,
        ".github/rulesets/main.json: created at owner/name\nGitHub Actions may open pull requests",
        "",
    )
    changed = {**json.loads(file.read_bytes()), "enforcement": "disabled"}
    file.write_text(json.dumps(changed))
    assert ".json: updated at" in desk.verb("ruleset")[1]
    assert desk.state.rulesets == [changed]


def test_an_unanswered_creation_makes_no_second_ruleset(desk: Desk) -> None:
    with_rules(desk)
    desk.state.faults.append(Fault("POST", 502, after=True))
    assert desk.verb("ruleset")[0] == 0
    assert desk.state.rulesets is not None
    assert len(desk.state.rulesets) == 1


def test_a_token_without_administration_rights_changes_no_rules(desk: Desk) -> None:
    with_rules(desk)
    desk.state.rulesets = None
    code, out, err = desk.verb("ruleset")
    assert (code, out, err.count("\n")) == (2, "", 0)
    assert err.startswith("found 403 (Resource not accessible by personal access token) at the rulesets of owner/name")
    key = "ops/github/ruleset.py: set GITHUB_TOKEN to a token with administration rights."
    assert cure_in(err, of=key)
    assert desk.state.asked("PUT") + desk.state.asked("POST") == []


@pytest.mark.parametrize("content", ["", "{}", '{"name": "main", "rules": 7}', "[]"])
def test_a_file_that_holds_no_ruleset_is_refused(desk: Desk, content: str) -> None:
    file = with_rules(desk)
    for words in ("init -q", "add .github", "commit -qm rules"):
        in_folder(["git", *words.split()], cwd=desk.folder)
    file.write_text(content)
    code, _, err = desk.verb("ruleset")
    assert (code, err.count("\n"), desk.state.requests) == (2, 0, [])
    apply_cure(
        err,
        f"git checkout {file.relative_to(desk.folder)}",
        of="ops/github/ruleset.py: git checkout {}",
        cwd=desk.folder,
    )
    assert desk.verb("ruleset")[0] == 0


FORBIDDEN = "ops/github/proposals.py: go to {}."


def test_the_rules_say_whether_actions_may_open_pull_requests(desk: Desk) -> None:
    with_rules(desk)
    desk.state.actions_propose = False
    code, out, _ = desk.verb("ruleset")
    assert (code, "GitHub Actions may not open pull requests" in out) == (0, True)
    assert "“Allow GitHub Actions to create and approve pull requests”" in cure_in(out, of=FORBIDDEN)
    desk.state.actions_propose = None
    assert "may open" not in desk.verb("ruleset")[1]


def check(desk: Desk) -> tuple[list[str], GitHub]:
    log: list[str] = []
    return log, github_from(desk.environment, policy=RetryPolicy(log=log.append))


def test_a_workflow_that_may_open_no_pull_request_stops_before_its_work(desk: Desk) -> None:
    log, github = check(desk)
    desk.state.actions_propose = False
    check_may_propose(github)
    assert desk.state.asked("GET") == ["/user"], "the setting does not limit a person's token"
    desk.state.login = None
    with pytest.raises(RefusedError, match="found in owner/name: GitHub Actions may not open pull requests") as refused:
        check_may_propose(github)
    assert "Workflow permissions, and turn on" in cure_in(str(refused.value), of=FORBIDDEN)
    desk.state.actions_propose = True
    check_may_propose(github)
    assert log == []
    desk.state.actions_propose = None
    check_may_propose(github)
    assert log == [UNKNOWN]


def test_a_refused_pull_request_names_the_setting(desk: Desk) -> None:
    _, github = check(desk)
    said = "GitHub Actions is not permitted to create or approve pull requests."
    desk.state.faults.append(Fault("POST", 403, message=said))
    with pytest.raises(RefusedError, match="is not permitted to create") as refused:
        github.open_pull_request("topic-2", "main", "a title", "")
    assert "Allow GitHub Actions to create" in cure_in(str(refused.value), of="ops/github/refusals.py: go to {}.")

"""What GitHub's client and its settings refuse is accepted once the cure is applied."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from ops.github.client import GitHub
from ops.github.errors import RefusedError
from ops.github.http import HttpClient, checked_address
from ops.github.retry import RetryPolicy
from ops.github.target import checked_number, github_from
from ops.github.untrusted import HandedOver, pull_request_for, read_handed
from tests.cures import cure_in
from tests.ops.github_server import REPOSITORY, TOKEN, State, certificate_in, served

Call = Callable[[], object]
POLICY = RetryPolicy(seconds=1000, first=1, timeout=10, sleep=lambda _: None, log=lambda _: None)
WORKFLOW = {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": REPOSITORY}
SHA = "a" * 40


def client(**changes: str) -> Call:
    environment: Mapping[str, str] = {name: value for name, value in {**WORKFLOW, **changes}.items() if value}
    return partial(github_from, environment, policy=POLICY)


CASES: dict[str, tuple[Call, Call]] = {
    "ops/github/target.py: in a workflow, `env: GITHUB_TOKEN: ${{ github.token }}` and": (
        client(GITHUB_TOKEN=""),
        client(GITHUB_TOKEN=TOKEN),
    ),
    "ops/github/target.py: export GITHUB_REPOSITORY=OWNER/NAME.": (
        client(GITHUB_REPOSITORY="name"),
        client(GITHUB_REPOSITORY="owner/name"),
    ),
    "ops/github/target.py: --pr NUMBER.": (partial(checked_number, 0), partial(checked_number, 7)),
    "ops/github/http.py: correct GITHUB_API_URL, or --publish.": (
        partial(checked_address, "http://github.example"),
        partial(checked_address, "https://github.example"),
    ),
    "ops/github/http.py: store the secret again, without a newline.": (
        partial(HttpClient, "https://github.example", f"Bearer {TOKEN}\n{TOKEN}"),
        partial(HttpClient, "https://github.example", f"Bearer {TOKEN}"),
    ),
}


def held(key: str, refused: Call, cured: Call) -> None:
    with pytest.raises(RefusedError) as error:
        refused()
    cure_in(str(error.value), of=key)
    cured()


@pytest.mark.parametrize("key", CASES)
def test_the_cure_of_a_refused_setting(key: str) -> None:
    held(key, *CASES[key])


def test_a_folder_without_a_report_has_one_after_its_run(tmp_path: Path) -> None:
    def written() -> object:
        (tmp_path / "report.md").write_text("It is better.")
        return read_handed(tmp_path)

    key = "ops/github/untrusted.py: check the run that should have written it."
    held(key, partial(read_handed, tmp_path), written)


def asking(state: State, address: str, *, repository: str = REPOSITORY, token: str = TOKEN) -> GitHub:
    return GitHub(address, repository, token, POLICY)


def test_what_the_service_refuses_is_cured_by_the_right_token_number_and_commit() -> None:
    state = State()
    state.pull(7, sha=SHA)
    number = 7
    with served(state) as address:
        good = partial(asking(state, address).pull_request, number)
        held(
            "ops/github/refusals.py: set GITHUB_TOKEN (in a workflow: env: GITHUB_TOKEN: ${{ gith",
            partial(asking(state, address, token=TOKEN[::-1]).pull_request, number),
            good,
        )
        held(
            "ops/github/refusals.py: check --pr and GITHUB_REPOSITORY, and whether the token is f",
            partial(asking(state, address).pull_request, number + 1),
            good,
        )
        pull = partial(pull_request_for, environment={}, github=asking(state, address))
        held(
            "ops/github/untrusted.py: --head-sha with github.event.workflow_run.head_sha.",
            partial(pull, HandedOver("text", number), None),
            partial(pull, HandedOver("text", number), SHA),
        )
        held(
            "ops/github/untrusted.py: run the report again.",
            partial(pull, HandedOver("text", number), "b" * 40),
            partial(pull, HandedOver("text", number), SHA),
        )


def test_a_certificate_of_an_own_authority_is_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate_in(tmp_path)
    state = State()
    state.pull(7, sha=SHA)
    with served(state, certificate=files) as address:
        ask = partial(asking(state, address).pull_request, 7)

        def trusted() -> object:
            monkeypatch.setenv("SSL_CERT_FILE", str(files))
            return asking(state, address).pull_request(7)

        held("ops/github/http.py: if the service has its own certificate authority, set SSL_CE", ask, trusted)

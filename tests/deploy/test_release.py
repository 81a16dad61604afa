"""A release reaches a running server, is undone on failure, and reports missing settings."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.releasing.cluster import refusals_of, release_to_cluster, rendered, renderer
from deploy.releasing.folder import release_to_folder
from deploy.releasing.model import Model, fingerprint_of, released_source
from deploy.releasing.server import AskingError, Server
from deploy.releasing.settings import Settings, settings_from_environment
from lab.core.errors import LabError, ModelError, ParamsError, SourceError
from tests.ops.packable import assign, packable
from tests.project import QUIET, ROOT, run
from tests.serving.asking import wait_until
from tests.serving.going_on import constant_requests
from tests.serving.served import model_folder
from tests.serving.server import served

pytestmark = pytest.mark.xdist_group("packable")  # made once for all tests of the group
KEY = "the server's key"
NOWHERE = Settings(folder=None, context=None, images={}, server=None, seconds=1)
DIGEST = f"sha256:{'a' * 64}"
IMAGES = {f"tabular-lab-{name}": f"registry.example/{name}@{DIGEST}" for name in ("server", "model")}
MANIFESTS = "served/release/staging/manifests.yaml"
# Renders as the real one does, records its other arguments, and fails on request.
KUBECTL = """\
#!/bin/sh
case $1 in
  kustomize|version) exec "$REAL_KUBECTL" "$@" ;;
  config) echo lab-staging ;;
  *) echo "$*" >> "$SAID" ;;
esac
case "$*" in *"$FAILS"*) echo "no such luck" >&2; exit 1 ;; esac
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the models `old`, `new`, and two that are not as they should be."""
    folder = tmp_path_factory.mktemp("models")
    model_folder(folder / "old")
    model_folder(folder / "new", "naive_bayes")
    for name in ("damaged", "unknown"):
        shutil.copytree(folder / "new", folder / name)
    (folder / "damaged/compiled.npz").write_bytes(b"")
    manifest = json.loads((folder / "unknown/manifest.json").read_bytes())
    del manifest["threshold"]  # as if a later version of this repository had written it in a form of its own
    (folder / "unknown/manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def link(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the name of the folder that the server reads."""
    link = tmp_path_factory.mktemp("release") / "champion"
    release_to_folder(Model("staging", models / "old", ROOT), link, NOWHERE, tell=print)
    return link


@pytest.fixture(scope="module")
def server(link: Path) -> Iterator[Server]:
    with served(link.parent, champion=str(link), seconds_between_looks="0.1", api_key=KEY) as address:
        yield Server(address, KEY)


@pytest.fixture
def old(server: Server, models: Path, link: Path) -> Settings:
    """Return the settings of a release to the server, which answers with the old model."""
    settings = replace(NOWHERE, folder=link, server=server, seconds=20)
    if fingerprint_of(link) != fingerprint_of(models / "old"):
        assert release_to_folder(Model("staging", models / "old", ROOT), link, settings, tell=print)
    return settings


def released(models: Path, name: str, settings: Settings) -> tuple[bool, str]:
    said: list[str] = []
    assert settings.folder is not None
    done = release_to_folder(Model("staging", models / name, ROOT), settings.folder, settings, tell=said.append)
    return done, "\n".join(said)


def names_beside(link: Path) -> list[str]:
    return sorted(path.name for path in link.parent.iterdir() if path.name.startswith((".champion-", ".champion.new-")))


def test_a_release_is_taken_over_no_request_is_lost_and_the_former_model_stays_beside(
    models: Path, link: Path, old: Settings, server: Server
) -> None:
    with constant_requests(server.address, key=KEY) as answers:
        wait_until(lambda: answers.total() > 20, lambda: answers)
        done, said = released(models, "new", old)
        before = answers.total()
        wait_until(lambda: answers.total() > before + 20, lambda: answers)
    assert (done, set(answers)) == (True, {200})
    assert "answers with" in said
    assert server.fingerprint() == fingerprint_of(models / "new") == fingerprint_of(link)
    assert fingerprint_of(link.with_name("champion.previous")) == fingerprint_of(models / "old")
    assert len(names_beside(link)) == 2  # the one that answers and the former


def test_a_model_that_the_server_refuses_goes_back(models: Path, link: Path, old: Settings, server: Server) -> None:
    target, beside = link.readlink(), names_beside(link)
    done, said = released(models, "unknown", replace(old, seconds=3))
    assert not done
    assert "does not answer with" in said
    assert "The former model is back" in said
    assert "and answers." in said
    assert (link.readlink(), names_beside(link)) == (target, beside)
    assert server.fingerprint() == fingerprint_of(models / "old")


def test_where_another_folder_is_served_nothing_is_left_of_a_first_release(
    models: Path, old: Settings, tmp_path: Path
) -> None:
    done, said = released(models, "new", replace(old, folder=tmp_path / "other", seconds=0.5))
    assert not done
    assert "there was none before" in said
    assert [path.name for path in tmp_path.iterdir()] == [".other.lock"]


def test_a_damaged_model_is_refused_before_anything_is_touched(models: Path, link: Path, old: Settings) -> None:
    target, beside = link.readlink(), names_beside(link)
    with pytest.raises(ModelError, match=r"compiled\.npz has the fingerprint"):
        released(models, "damaged", old)
    assert (link.readlink(), names_beside(link)) == (target, beside)


@pytest.mark.parametrize("key", ["", "another"])
def test_a_server_that_does_not_know_the_key_is_not_released_to(
    models: Path, link: Path, old: Settings, key: str
) -> None:
    target = link.readlink()
    with pytest.raises(AskingError, match="Cure: set LAB_API_KEY"):
        released(models, "new", replace(old, server=Server(old.server.address, key)))  # type: ignore[union-attr]
    assert link.readlink() == target


def test_a_server_that_is_not_there_is_not_released_to(models: Path, link: Path, old: Settings) -> None:
    target = link.readlink()
    with pytest.raises(AskingError, match="could not be asked"):
        released(models, "new", replace(old, server=Server("http://127.0.0.1:9", KEY)))
    assert link.readlink() == target


def test_who_names_no_server_is_told_that_none_was_asked(models: Path, tmp_path: Path) -> None:
    done, said = released(models, "new", replace(NOWHERE, folder=tmp_path / "champion"))
    assert done
    assert "none was asked whether it answers" in said


def test_the_third_model_back_is_removed_and_the_second_stays(models: Path, tmp_path: Path) -> None:
    link = tmp_path / "champion"
    for name in ("old", "new", "old", "new"):
        released(models, name, replace(NOWHERE, folder=link))
    assert len(names_beside(link)) == 2
    assert fingerprint_of(link.with_name("champion.previous")) == fingerprint_of(models / "old")


def test_a_folder_of_somebody_else_is_not_exchanged(models: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(SourceError, match="expected a link"):
        released(models, "new", replace(NOWHERE, folder=tmp_path / "mine"))


def test_two_releases_at_once_do_not_mix(models: Path, tmp_path: Path) -> None:
    link = tmp_path / "champion"

    def another(said: str) -> None:
        with pytest.raises(LabError, match="another release is under way"):
            released(models, "old", replace(NOWHERE, folder=link))

    model = Model("staging", models / "new", ROOT)
    assert release_to_folder(model, link, replace(NOWHERE, folder=link), tell=another)


def test_a_release_that_is_stopped_while_it_waits_goes_back(models: Path, link: Path, old: Settings) -> None:
    target = link.readlink()
    environment = {
        **QUIET,
        "LAB_RELEASE_FOLDER": str(link),
        "LAB_API_KEY": KEY,
        "LAB_RELEASE_URL": old.server.address,  # type: ignore[union-attr]
    }
    command = [f"{ROOT}/deploy/release", "staging", "--packed", f"{models}/unknown"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: link.readlink() != target, link.readlink)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 143
    assert link.readlink() == target


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"FOLDER": "a", "CONTEXT": "b"}, "expected one of them"),
        ({"SERVER_IMAGE": "registry.example/server:1"}, "expected an image by its digest"),
        ({"URL": "http://me:secret@127.0.0.1"}, "no address of a server"),
        ({"URL": "file:///etc/passwd"}, "no address of a server"),
        ({"SECONDS": "-1"}, "expected a number above 0"),
        ({"SECONDS": "soon"}, "expected a number above 0"),
    ],
)
def test_a_setting_that_cannot_be_is_one_message_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"LAB_RELEASE_{name}", value)
    with pytest.raises(ParamsError, match=says) as caught:
        settings_from_environment()
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with two versions, and what a release needs of this one."""
    folder = packable(tmp_path_factory.mktemp("clone") / "clone")
    (folder / "deploy").mkdir()
    shutil.copy2(ROOT / "deploy/release", folder / "deploy")
    shutil.copytree(ROOT / "deploy/kubernetes", folder / "deploy/kubernetes")
    return folder


def release(clone: Path, stage: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), **settings}
    return run(["deploy/release", stage], cwd=clone, check=False, environment=environment)


def test_where_nothing_is_configured_nothing_is_deployed_and_the_last_line_says_so(clone: Path) -> None:
    done = release(clone, "staging")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Nothing was deployed to staging: ")
    folder = clone / "served/release/staging"
    assert json.loads((folder / "champion/about.json").read_bytes())["version"] == "v2.0.0"
    assert (folder / "manifests.yaml").exists() == bool(renderer())


def test_a_stage_that_there_is_not_is_one_message(clone: Path) -> None:
    done = release(clone, "elsewhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected one of ['production', 'staging']" in done.stderr


def test_head_has_the_first_word_then_the_stage_then_its_champion(clone: Path) -> None:
    assert released_source("production", root=clone).version == "v2.0.0"
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "Later"], cwd=clone)
    try:
        assert released_source("production", root=clone).version == "v1.0.0"
        assert released_source("staging", root=clone).version is None
        assign(clone, "staging", version=2)
        assert released_source("staging", root=clone).version == "v2.0.0"
    finally:
        run(["git", "reset", "--quiet", "--hard", "HEAD~1"], cwd=clone)


@dataclass(frozen=True)
class Cluster:
    """Somebody's cluster, to whose kubectl is said what `said` returns."""

    folder: Path
    settings: Settings

    def released(self, model: Path, **changes: Any) -> tuple[bool, str]:
        output: list[str] = []
        settings = replace(self.settings, **changes)
        done = release_to_cluster(Model("staging", model, self.folder), settings, tell=output.append)
        return done, "\n".join(output)

    def said(self) -> list[str]:
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    if renderer()[:1] != ["kubectl"]:
        pytest.skip("kubectl is not installed, of version 5 or newer as kustomize counts")
    shutil.copytree(ROOT / "deploy/kubernetes", tmp_path / "deploy/kubernetes")
    kubectl = tmp_path / "bin/kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    monkeypatch.setenv("REAL_KUBECTL", str(shutil.which("kubectl")))
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    monkeypatch.setenv("FAILS", "nothing fails")
    monkeypatch.setenv("PATH", f"{kubectl.parent}{os.pathsep}{os.environ['PATH']}")
    return Cluster(tmp_path, replace(NOWHERE, context="lab-staging", images=IMAGES, seconds=7))


def test_a_cluster_is_given_the_images_by_digest_and_waited_for(models: Path, cluster: Cluster) -> None:
    done, output = cluster.released(models / "new")
    where, manifests = "--context lab-staging --namespace tabular-lab-staging", cluster.folder / MANIFESTS
    assert done
    assert "none was asked which model answers" in output
    assert cluster.said() == [
        f"{where} apply --filename {manifests}",
        f"{where} rollout status deployment/server --timeout=7s",
    ]
    assert manifests.read_text().count(f"@{DIGEST}") == 2
    assert "registry.invalid" not in manifests.read_text()


def test_pods_that_do_not_get_ready_go_back(models: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "rollout status")
    done, output = cluster.released(models / "new")
    assert (done, "no such luck" in output) == (False, True)
    assert cluster.said()[-1].endswith("rollout undo deployment/server")


def test_a_server_that_answers_with_another_model_brings_the_pods_back(
    models: Path, cluster: Cluster, old: Settings
) -> None:
    done, output = cluster.released(models / "new", server=old.server, seconds=0.5)
    assert (done, "does not answer with" in output) == (False, True)
    assert cluster.said()[-1].endswith("rollout undo deployment/server")
    assert cluster.released(models / "old", server=old.server)[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"context": "other"}, r"expected one of \['lab-staging'\]"), ({"images": {}}, "expected each by its digest")],
)
def test_what_cannot_be_applied_is_not(models: Path, cluster: Cluster, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ParamsError, match=says):
        cluster.released(models / "new", **changes)
    assert cluster.said() == []


def test_manifests_that_kubernetes_would_refuse_are_found() -> None:
    pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    if not renderer():
        pytest.skip("neither kustomize nor a kubectl that brings it is installed, of version 5 or newer")
    text = rendered(ROOT / "deploy/kubernetes/overlays/staging", {})
    assert refusals_of(text) == []
    assert refusals_of(text.replace("targetPort:", "targetProt:"))

"""The manifests are valid, restricted, and consistent with image and server."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.releasing.cluster import renderer
from serving.app import create_application
from serving.settings import Settings
from tests.deploy.image import DOCKERFILE, USER, read_stages
from tests.project import ROOT

FOLDER = ROOT / "deploy/kubernetes"
BASE = FOLDER / "base"
OVERLAYS = ("staging", "production")
VERSIONS = ("1.32", "1.37")
Resource = dict[str, Any]


def resources_of(text: str) -> list[Resource]:
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each]


@cache
def base() -> dict[str, Resource]:
    listed = resources_of((BASE / "kustomization.yaml").read_text())[0]["resources"]
    found = [each for name in listed for each in resources_of((BASE / name).read_text())]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


@cache
def rendered(folder: Path) -> dict[str, Resource]:
    """Return what kustomize makes of a folder; a test that needs it is skipped where there is none."""
    if not renderer():
        pytest.skip("neither kustomize nor a kubectl that brings it is installed, of version 5 or newer")
    done = subprocess.run([*renderer(), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in resources_of(done.stdout)}


def overlay(name: str) -> dict[str, Resource]:
    return base() if name == "base" else rendered(FOLDER / "overlays" / name)


def deployment(resources: dict[str, Resource]) -> Resource:
    found: Resource = resources["Deployment/server"]["spec"]
    return found


def pod() -> Resource:
    found: Resource = deployment(base())["template"]["spec"]
    return found


def containers(of: Resource) -> Iterator[Resource]:
    yield from of["initContainers"]
    yield from of["containers"]


def refusals(resources: dict[str, Resource], version: str) -> list[str]:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    found = []
    for name, resource in resources.items():
        try:
            kubernetes.validate(resource, version, strict=True)
        except kubernetes.ValidationError as error:
            found.append(f"{name}: {error}")
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_resource_of_the_base(version: str) -> None:
    assert refusals(base(), version) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_kubernetes_takes_every_resource_of_an_overlay(name: str, version: str) -> None:
    assert refusals(overlay(name), version) == []


def test_what_kubernetes_does_not_know_would_be_found() -> None:
    service = {**base()["Service/server"], "spec": {"ports": [{"prot": 80}]}}
    assert refusals({"Service/server": service}, VERSIONS[0])


def test_every_file_of_the_base_is_listed() -> None:
    listed = resources_of((BASE / "kustomization.yaml").read_text())[0]["resources"]
    assert sorted(listed) == sorted(path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")


def test_a_pod_is_shut_in_as_the_namespaces_demand() -> None:
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod()["automountServiceAccountToken"] is False
    assert base()["ServiceAccount/server"]["automountServiceAccountToken"] is False
    for container in containers(pod()):
        shut = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["securityContext"] == shut, container["name"]
    for name in OVERLAYS:
        (namespace,) = resources_of((FOLDER / f"overlays/{name}/namespace.yaml").read_text())
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_runs_as_the_user_of_the_image() -> None:
    context = pod()["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == USER
    assert context["fsGroup"] == context["runAsGroup"]
    users = {step.text for stage in read_stages(DOCKERFILE.read_text()) for step in stage.of("USER")}
    assert users == {USER}


def test_every_container_says_what_it_needs_and_what_it_may_take() -> None:
    for container in containers(pod()):
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}, container["name"]


def test_probes_ask_what_the_server_answers_and_no_key_is_needed_for() -> None:
    (server,) = pod()["containers"]
    paths = {kind: server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/ready", "readiness": "/ready", "liveness": "/health"}
    served = {getattr(route, "path", None) for route in create_application(Settings()).routes}
    assert set(paths.values()) <= served


def test_a_pod_that_goes_has_time_for_what_it_was_asked() -> None:
    (server,) = pod()["containers"]
    assert 0 < server["lifecycle"]["preStop"]["sleep"]["seconds"] < pod()["terminationGracePeriodSeconds"]
    assert deployment(base())["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_port_is_the_image_s() -> None:
    stages = {stage.name: stage for stage in read_stages(DOCKERFILE.read_text())}
    (exposed,) = stages["server"].of("EXPOSE")
    (server,) = pod()["containers"]
    assert [port["containerPort"] for port in server["ports"]] == [int(exposed.text)]
    assert deployment(base())["template"]["metadata"]["annotations"]["prometheus.io/port"] == exposed.text
    names = {port["name"] for port in server["ports"]}
    assert {port["targetPort"] for port in base()["Service/server"]["spec"]["ports"]} <= names


def settings_of_base() -> dict[str, str]:
    return dict(line.split("=", 1) for line in (BASE / "settings.env").read_text().splitlines())


def test_every_setting_is_one_that_the_server_knows_and_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    (server,) = pod()["containers"]
    names = [*settings_of_base(), *(each["name"] for each in server["env"] if each["name"].startswith("LAB_"))]
    assert {name.removeprefix("LAB_").lower() for name in names} <= set(Settings.model_fields)
    for name, value in settings_of_base().items():
        monkeypatch.setenv(name, value)
    assert Settings().log == Path("/var/lab/log")


def test_every_path_that_is_set_is_mounted_and_only_the_log_can_be_written() -> None:
    (server,) = pod()["containers"]
    mounts = {mount["mountPath"]: mount for mount in server["volumeMounts"]}
    for name, value in settings_of_base().items():
        if value.startswith("/"):
            assert any(Path(value).is_relative_to(path) for path in mounts), name
    assert {path for path, mount in mounts.items() if not mount.get("readOnly")} == {"/var/lab/log", "/tmp"}  # noqa: S108
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod()["volumes"]}


def test_the_model_is_put_where_the_server_looks_for_it() -> None:
    (champion,) = pod()["initContainers"]
    assert champion["args"] == [settings_of_base()["LAB_CHAMPION"]]


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("Service/server", ["selector"]),
        ("PodDisruptionBudget/server", ["selector", "matchLabels"]),
        ("NetworkPolicy/server", ["podSelector", "matchLabels"]),
        ("Deployment/server", ["selector", "matchLabels"]),
    ],
)
@pytest.mark.parametrize("name", ["base", *OVERLAYS])
def test_who_selects_pods_selects_these(name: str, resource: str, path: list[str]) -> None:
    selector = overlay(name)[resource]["spec"]
    for part in path:
        selector = selector[part]
    labels = deployment(overlay(name))["template"]["metadata"]["labels"]
    assert selector
    assert selector.items() <= labels.items()


@pytest.mark.parametrize("name", ["base", *OVERLAYS])
def test_the_autoscaler_scales_the_server_by_what_it_requests(name: str) -> None:
    scaler = overlay(name)["HorizontalPodAutoscaler/server"]["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}
    assert "replicas" not in deployment(overlay(name))
    assert 1 <= scaler["minReplicas"] < scaler["maxReplicas"]


def test_nothing_goes_out_and_only_named_namespaces_come_in() -> None:
    policy = base()["NetworkPolicy/server"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["egress"] == []
    assert all(source for rule in policy["ingress"] for source in rule["from"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_overlay_lives_in_a_namespace_of_its_own(name: str) -> None:
    for key, resource in overlay(name).items():
        where = resource["metadata"]["name" if resource["kind"] == "Namespace" else "namespace"]
        assert where == f"tabular-lab-{name}", key


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_named_by_digest_once_they_are_set(name: str) -> None:
    images = [container["image"] for container in containers(deployment(overlay(name))["template"]["spec"])]
    assert all(re.search(r"(@sha256:[0-9a-f]{64}|^registry\.invalid/.*:unset)$", image) for image in images), images


def test_production_waits_for_room_in_another_zone() -> None:
    spread = deployment(overlay("production"))["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"]: each["whenUnsatisfiable"] for each in spread} == {
        "kubernetes.io/hostname": "ScheduleAnyway",
        "topology.kubernetes.io/zone": "DoNotSchedule",
    }


def test_no_secret_stands_in_a_file() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert "kind: Secret" not in path.read_text(), path


def test_a_challenger_in_the_shadow_comes_beside_the_champion(tmp_path: Path) -> None:
    for part in ("base", "components", "overlays"):
        shutil.copytree(FOLDER / part, tmp_path / part)
    path = tmp_path / "overlays/staging/kustomization.yaml"
    path.write_text(path.read_text() + "components: [../../components/shadow]\n")
    found = rendered(tmp_path / "overlays/staging")
    spec = deployment(found)["template"]["spec"]
    (server,) = spec["containers"]
    settings = found[f"ConfigMap/{server['envFrom'][0]['configMapRef']['name']}"]["data"]
    assert {container["name"] for container in spec["initContainers"]} == {"champion", "challenger"}
    assert (settings["LAB_CHALLENGER"], settings["LAB_SHADOW"]) == ("/models/challenger", "true")
    assert settings["LAB_CHAMPION"] == "/models/champion"
    assert refusals(found, VERSIONS[-1]) == []

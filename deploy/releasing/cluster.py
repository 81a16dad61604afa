"""Render a stage's manifests, validate them, and apply them to a named cluster."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.releasing.model import Model, fingerprint_of
from deploy.releasing.settings import BY_DIGEST, Settings
from lab.core.errors import LabError, ParamsError

OVERLAYS = Path("deploy/kubernetes/overlays")
VERSION = "1.32"  # the oldest that kubernetes-validate knows and that is tested
DEPLOYMENT = "deployment/server"
VALIDATOR = "kubernetes_validate"  # an extra of the tests
Tell = Callable[[str], None]


class ClusterError(LabError):
    """Kustomize or kubectl refused."""


def release_to_cluster(model: Model, settings: Settings, *, tell: Tell) -> bool:
    """Return whether the stage is as it should be; where no context is named, that is: written down, and no more."""
    overlay = _overlay(model)
    if settings.context is not None:
        _check_context(settings.context)
    folder = model.root / "served/release" / model.stage
    tell(f"{folder / 'champion'}: {model.put(folder / 'champion')}")
    manifests = _written(overlay, settings, folder, tell)
    if settings.context is None:
        tell(f"Nothing was deployed to {model.stage}: the environment names no place. {folder} holds what would be.")
        return True
    return _applied(manifests, model.stage, fingerprint_of(folder / "champion"), settings, tell)


@cache
def renderer() -> list[str]:
    """Return the command that renders a folder, empty where there is none of version 5 or newer."""
    for build, version in ((["kustomize", "build"], ["version"]), (["kubectl", "kustomize"], ["version", "--client"])):
        if shutil.which(build[0]):
            said = _done([build[0], *version]).stdout
            found = re.search(r"(?:^|Kustomize Version: )v?(\d+)\.\d+\.\d+$", said, re.MULTILINE)
            if found and int(found[1]) >= 5:
                return build
    return []


def rendered(overlay: Path, images: Mapping[str, str]) -> str:
    """Return the manifests of an overlay, with images in the place of those that it names."""
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.relpath(overlay.resolve(), Path(folder).resolve())  # kustomize takes relative paths only
        named = [_named(overlay, name, image) for name, image in sorted(images.items())]
        text = json.dumps({"resources": [base], **({"images": named} if named else {})})
        Path(folder, "kustomization.yaml").write_text(text)  # JSON is YAML
        return _run([*renderer(), str(Path(folder).resolve())])


def refusals_of(manifests: str) -> list[str]:
    """Return what Kubernetes would not take; kubernetes-validate must be installed."""
    kubernetes = import_module(VALIDATOR)
    found = []
    for resource in _resources(manifests):
        try:
            kubernetes.validate(resource, VERSION, strict=True)
        except kubernetes.ValidationError as error:
            found.append(f"{resource['kind']}/{resource['metadata']['name']}: {error.message}")
    return found


def _overlay(model: Model) -> Path:
    known = sorted(path.name for path in (model.root / OVERLAYS).iterdir() if (path / "kustomization.yaml").exists())
    if model.stage not in known:
        raise ParamsError(f"found the stage {model.stage}, expected one of {known}: the folders of {OVERLAYS}.")
    return model.root / OVERLAYS / model.stage


def _check_context(context: str) -> None:
    """Refuse before anything is done, where somebody wants a deployment that could not be made."""
    if shutil.which("kubectl") is None:
        raise ParamsError(f"LAB_RELEASE_CONTEXT is {context}, and kubectl is not installed. Install it, or unset it.")
    known = _run(["kubectl", "config", "get-contexts", "--output", "name"]).split()
    if context not in known:
        raise ParamsError(
            f"LAB_RELEASE_CONTEXT is {context}, expected one of {known}. Cure: kubectl config get-contexts"
        )


def _written(overlay: Path, settings: Settings, folder: Path, tell: Tell) -> Path:
    """Write the manifests, and say whether they were looked over."""
    path = folder / "manifests.yaml"
    if not renderer():
        if settings.context is not None:
            raise ParamsError("found no kustomize of version 5 or newer, nor a kubectl with one. Install one of them.")
        tell("The manifests were not rendered: neither kustomize nor kubectl of version 5 or newer is installed.")
        return path
    manifests = rendered(overlay, settings.images)
    path.write_text(manifests)
    tell(f"{path}: {len(_resources(manifests))} resources, {_looked_over(manifests)}")
    unnamed = [image for image in _images(manifests) if not BY_DIGEST.fullmatch(image)]
    if unnamed and settings.context is not None:
        raise ParamsError(
            f"found the images {unnamed}, expected each by its digest. Cure: LAB_RELEASE_SERVER_IMAGE and "
            "LAB_RELEASE_MODEL_IMAGE, or `images` in the overlay."
        )
    if unnamed:
        tell(f"Not named yet: {', '.join(unnamed)}.")
    return path


def _looked_over(manifests: str) -> str:
    if find_spec(VALIDATOR) is None:
        return "not looked over: kubernetes-validate is not installed"
    if refusals := refusals_of(manifests):
        raise ClusterError("Kubernetes would refuse: " + "; ".join(refusals))
    return f"each valid for Kubernetes {VERSION}"


def _applied(manifests: Path, stage: str, fingerprint: str, settings: Settings, tell: Tell) -> bool:
    kubectl = ["kubectl", "--context", settings.context or "", "--namespace", f"tabular-lab-{stage}"]
    _run([*kubectl, "apply", "--filename", str(manifests)])
    done = _done([*kubectl, "rollout", "status", DEPLOYMENT, f"--timeout={settings.seconds:.0f}s"])
    said = done.stderr.strip() if done.returncode else None
    if said is None and settings.server is not None:
        said = settings.server.waits_for(fingerprint, seconds=settings.seconds)
    if said is None:
        asked = "" if settings.server else " LAB_RELEASE_URL names no server, so none was asked which model answers."
        tell(f"{stage} is applied, and its pods are ready.{asked}")
        return True
    tell(f"{stage} does not answer with {fingerprint[:12]}: {said}")
    back = _done([*kubectl, "rollout", "undo", DEPLOYMENT])
    tell(f"The pods go back to what they were: {(back.stdout + back.stderr).strip()}")
    return False


def _named(overlay: Path, name: str, image: str) -> dict[str, str]:
    """Return the entry that exchanges an image by the name that the overlay has given to it."""
    (kustomization,) = _resources((overlay / "kustomization.yaml").read_text())
    known = {entry["name"]: entry.get("newName", entry["name"]) for entry in kustomization.get("images", [])}
    repository, _, digest = image.partition("@")
    return {"name": known.get(name, name), "newName": repository, "digest": digest}


def _images(manifests: str) -> list[str]:
    return sorted(set(re.findall(r"^\s*(?:- )?image: (\S+)$", manifests, re.MULTILINE)))


def _resources(text: str) -> list[Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only where manifests are rendered

    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each]


def _run(command: Sequence[str]) -> str:
    done = _done(command)
    if done.returncode:
        raise ClusterError(f"`{' '.join(command)}` was refused: {done.stderr.strip()}")
    return done.stdout


def _done(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603

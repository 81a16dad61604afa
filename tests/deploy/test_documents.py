"""What docs/deploying.md names is there."""

import re
from pathlib import Path

import pytest

from tests.project import ROOT

PAGE = (ROOT / "docs/deploying.md").read_text()
PATHS = sorted(set(re.findall(r"\b(?:deploy|tests|docs)/[\w./-]*\w", PAGE)))
MANIFESTS = re.findall(r"^\| ((?:[\w.]+\.(?:yaml|env)(?:, )?)+) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_resource_of_the_cluster_is_described() -> None:
    described = {name for names in MANIFESTS for name in names.split(", ")}
    base = {path.name for path in Path(ROOT / "deploy/kubernetes/base").iterdir()}
    assert described == base - {"kustomization.yaml", "account.yaml", "service.yaml"}

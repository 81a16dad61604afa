"""Read the judged models of a revision: manifests, and scores of every window."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.params import parse_json
from lab.model_files.manifest import MANIFEST, PIPELINE, Manifest
from ops.revisions.lock import LockedStage
from ops.revisions.objects import Objects
from ops.revisions.snapshot import Snapshot

WINDOWS = ("train", "test", "current")
CHAMPION, CHALLENGER = "champion", "challenger"
CURE = "Cure: `dvc repro` writes it again."


@dataclass(frozen=True)
class Judged:
    """Champion and challenger of a dvc.lock, read from cache or remote, not from the working tree."""

    stages: dict[str, LockedStage]
    objects: Objects

    def manifest(self, model: str) -> Manifest:
        """Return the manifest of models/NAME."""
        path = f"models/{model}/{MANIFEST}"
        content = self.objects.output(self.stages, path)
        return parse_json(content.decode(), kind=Manifest, where=path, cure=CURE)

    def scores(self, model: str) -> dict[str, Any]:
        """Return a model's scores of each window as columns."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - only promotion and rollback read scores

        found = {}
        for window in WINDOWS:
            content = self.objects.output(self.stages, f"data/predictions/{window}.parquet")
            column = f"{model}_score"
            found[window] = pq.read_table(io.BytesIO(content), columns=[column])[column].combine_chunks()
        return found


def judged_at(snapshot: Snapshot, root: Path) -> Judged:
    """Return the models of a revision's dvc.lock."""
    return Judged(snapshot.lock, Objects(root))


def identity(manifest: Manifest) -> tuple[str | None, float]:
    """Return what decides whether two models are the same: the fitted pipeline's hash and the threshold."""
    return manifest.files.get(PIPELINE), manifest.threshold


def differences(judged: Judged, model: str, derived: Judged) -> list[str]:
    """Return how the derived champion differs from the judged model; expected are no differences."""
    found, expected = derived.manifest(CHAMPION), judged.manifest(model)
    words = []
    if found.training != expected.training:
        words.append(
            f"it was fitted on {found.training.rows} rows ({found.training.fingerprint[:12]}), expected "
            f"{expected.training.rows} ({expected.training.fingerprint[:12]})"
        )
    others = (name for name, fingerprint in found.files.items() if expected.files.get(name, fingerprint) != fingerprint)
    words += [f"{name} has other bytes" for name in sorted(others)]
    if found.threshold != expected.threshold:
        words.append(f"its threshold is {found.threshold:g}, expected {expected.threshold:g}")
    return words


def different_scores(judged: Judged, derived: Judged) -> list[str]:
    """Return the windows in which the derived champion's scores differ from the judged challenger's."""
    expected, found = judged.scores(CHALLENGER), derived.scores(CHAMPION)
    return [f"other scores in the window {name}" for name in WINDOWS if not found[name].equals(expected[name])]

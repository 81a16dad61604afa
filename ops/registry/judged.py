"""The models of one revision as they were judged there: their manifests, and their scores of every window."""

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
    """What a dvc.lock records of champion and challenger, read from cache or remote and not from the working tree."""

    stages: dict[str, LockedStage]
    objects: Objects

    def manifest(self, model: str) -> Manifest:
        """Return what the folder models/NAME says of itself."""
        path = f"models/{model}/{MANIFEST}"
        content = self.objects.output(self.stages, path)
        return parse_json(content.decode(), kind=Manifest, where=path, cure=CURE)

    def scores(self, model: str) -> dict[str, Any]:
        """Return a model's scores of each window as columns."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - only who promotes or rolls back reads scores

        found = {}
        for window in WINDOWS:
            content = self.objects.output(self.stages, f"data/predictions/{window}.parquet")
            column = f"{model}_score"
            found[window] = pq.read_table(io.BytesIO(content), columns=[column])[column].combine_chunks()
        return found


def judged_at(snapshot: Snapshot, root: Path) -> Judged:
    """Return what the dvc.lock of a revision records."""
    return Judged(snapshot.lock, Objects(root))


def identity(manifest: Manifest) -> tuple[str | None, float]:
    """Return what two models have in common that decide alike, to the byte: the fitted pipeline and the threshold."""
    return manifest.files.get(PIPELINE), manifest.threshold


def differences(judged: Judged, model: str, derived: Judged) -> list[str]:
    """Return in words how the champion that was derived differs from the model that was judged; none is the promise."""
    found, expected = derived.manifest(CHAMPION), judged.manifest(model)
    words = []
    if found.training != expected.training:
        words.append(
            f"it was fitted on {found.training.rows} rows ({found.training.fingerprint[:12]}), expected "
            f"{expected.training.rows} ({expected.training.fingerprint[:12]})"
        )
    others = (name for name, fingerprint in found.files.items() if expected.files.get(name, fingerprint) != fingerprint)
    words += [f"{name} is not the same bytes" for name in sorted(others)]
    if found.threshold != expected.threshold:
        words.append(f"its threshold is {found.threshold:g}, expected {expected.threshold:g}")
    return words


def different_scores(judged: Judged, derived: Judged) -> list[str]:
    """Return in which windows the derived champion scores other than the challenger that was judged."""
    expected, found = judged.scores(CHALLENGER), derived.scores(CHAMPION)
    return [f"other scores in the window {name}" for name in WINDOWS if not found[name].equals(expected[name])]

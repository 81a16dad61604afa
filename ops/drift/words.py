"""Describe which answers of a log are used, which are left out, and why."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.drift.log_selection import SHORT, Counts
from lab.drift.set_aside import SetAside

MANIFEST = "manifest.json"
LEFT_OUT = {
    "torn": "incomplete lines at the end of a file (still being written, or its server was killed)",
    "other_arms": "answers of another arm (--arm)",
    "other_models": "answers of another model (--fingerprint)",
    "other_moments": "answers of other moments (--since, --until)",
    "repeated": "repeated answers for the same unit and moment; the last one counts",
    "unknown_labels": "labels without an answer in the log",
}


def selection_lines(counts: Counts, set_aside: SetAside, *, models: Path) -> Iterator[str]:
    """Yield lines of text; `models` is the folder of this repository's models."""
    yield f"{counts.judged:,} of {counts.answers:,} answers are used, {counts.labelled:,} of them with a label"
    for name, text in LEFT_OUT.items():
        if count := getattr(counts, name):
            yield f"left out: {count:,} {text}"
    for reason in counts.left_out:
        yield f"left out: {reason}"
    for found in set_aside.reasons:
        yield f"set aside: {found.text}"
    yield from _models(counts.models, models=models)


def _models(found: Mapping[str, int], *, models: Path) -> Iterator[str]:
    if len(found) > 1:
        shares = ", ".join(f"{fingerprint[:SHORT]} ({rows:,})" for fingerprint, rows in found.items())
        yield f"{len(found)} models answered: {shares}; --fingerprint selects the answers of one"
    known = _known(models)
    unknown = [fingerprint[:SHORT] for fingerprint in found if fingerprint not in known]
    if known and unknown:
        yield f"{', '.join(unknown)}: not a model in {models}; its scores are compared with those of another model"


def _known(models: Path) -> set[str]:
    """Return the fingerprints of the models in the folder, computed as by serving."""
    manifests = [models / name / MANIFEST for name in ("champion", "challenger")]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in manifests if path.is_file()}

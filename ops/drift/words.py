"""Say what of a server's log is judged, and what is not and why."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.drift.log_selection import SHORT, Counts

MANIFEST = "manifest.json"
LEFT_OUT = {
    "torn": "torn lines at the end of a file that is being written, or whose server was killed",
    "other_arms": "answers of another arm (--arm)",
    "other_models": "answers of another model (--fingerprint)",
    "other_moments": "answers of other moments (--since, --until)",
    "repeated": "answers that were asked for again, for the same unit and moment: the last one counts",
    "unknown_labels": "labels of no answer that is here",
}


def words_of(counts: Counts, *, models: Path) -> Iterator[str]:
    """Yield lines for a person; `models` is the folder of this repository's own."""
    yield f"{counts.judged:,} of {counts.answers:,} answers are judged, {counts.labelled:,} of them with a label"
    for name, says in LEFT_OUT.items():
        if count := getattr(counts, name):
            yield f"left out: {count:,} {says}"
    for reason in counts.left_out:
        yield f"left out: {reason}"
    yield from _models(counts.models, models=models)


def _models(found: Mapping[str, int], *, models: Path) -> Iterator[str]:
    if len(found) > 1:
        shares = ", ".join(f"{fingerprint[:SHORT]} ({rows:,})" for fingerprint, rows in found.items())
        yield f"{len(found)} models answered: {shares}; --fingerprint takes the answers of one"
    known = _known(models)
    strange = [fingerprint[:SHORT] for fingerprint in found if fingerprint not in known]
    if known and strange:
        yield f"{', '.join(strange)}: no model that lies in {models}, so its scores are held against another's"


def _known(models: Path) -> set[str]:
    """Return the fingerprints of the models that lie here, as the server makes them."""
    manifests = [models / name / MANIFEST for name in ("champion", "challenger")]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in manifests if path.is_file()}

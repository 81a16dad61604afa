"""Read and write a compiled model: a program in JSON beside plain arrays, neither of which runs when it is read."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.compiled.estimates import probabilities
from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.ready import ready
from lab.core.errors import ModelError
from lab.model_files.compiled_names import ARRAYS, PROGRAM

MANIFEST = "manifest.json"
DECIMALS = 6  # of a score, as in lab/models/scoring.py, which this module must not import: it would bring pandas
CURE = "Cure: `dvc checkout --force` brings it back, `dvc repro --force` derives it again."


@dataclass(frozen=True)
class Compiled:
    """A model that needs numpy alone. Columns are asked for by the names of its features, as `Columns` says."""

    program: Part
    arrays: Arrays

    def probabilities(self, columns: Columns) -> Numbers:
        """Return each row's probability of the positive class, unrounded."""
        return probabilities(self._ready, self.arrays, columns)

    def scores(self, columns: Columns) -> Numbers:
        """Return each row's score: the probability rounded once, as everywhere."""
        return self.probabilities(columns).round(DECIMALS) + 0.0  # + 0.0 makes −0.0 a plain zero

    @cached_property
    def _ready(self) -> Part:
        made: Part = ready(self.program, self.arrays)
        return made


def program_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a program as JSON, the same bytes for the same program."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def arrays_bytes(arrays: Arrays) -> bytes:
    """Return arrays as a zip file, whose dates numpy leaves at the first that a zip file can hold."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_compiled(folder: Path) -> Compiled:
    """Return the compiled model of a folder, whose files must have the fingerprints that its manifest names."""
    named = json_in(_read(folder / MANIFEST), folder / MANIFEST)["files"]
    content = json_in(checked(folder / PROGRAM, named.get(PROGRAM)), folder / PROGRAM)
    if content["model"] is None:
        raise ModelError(f"{folder} is not compiled: {content['reason']}. Cure: serve its pipeline instead.")
    return Compiled(content["model"], arrays_in(checked(folder / ARRAYS, named.get(ARRAYS)), folder / ARRAYS))


def arrays_in(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a zip file, none of which runs anything; `path` is its name in a message."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} holds no plain arrays: {error}. {CURE}") from error


def checked(path: Path, expected: str | None) -> bytes:
    """Return a file's content, which must have the fingerprint that is expected."""
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(f"{path} has the fingerprint {found}, expected {expected} as its manifest says. {CURE}")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected a file of a compiled model: {error}. {CURE}") from error


def json_in(content: bytes, path: Path) -> Any:
    """Return what JSON says; `path` is its name in a message."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}. {CURE}") from error

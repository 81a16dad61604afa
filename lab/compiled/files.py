"""Read and write compiled models: a JSON program and plain arrays, no executable content."""

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
from lab.compiled.ready import precompute
from lab.core.errors import ModelError
from lab.model_files.compiled_names import ARRAYS, PROGRAM

MANIFEST = "manifest.json"
DECIMALS = 6  # as in lab/models/scoring.py, which imports pandas
CURE = "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."


@dataclass(frozen=True)
class Compiled:
    """A model that needs only numpy; `Columns` are the values of its features by name."""

    program: Part
    arrays: Arrays

    def probabilities(self, columns: Columns) -> Numbers:
        """Return the probability of the positive class for each row, unrounded."""
        return probabilities(self._program, self.arrays, columns)

    def scores(self, columns: Columns) -> Numbers:
        """Return the score of each row: the rounded probability."""
        return self.probabilities(columns).round(DECIMALS) + 0.0  # + 0.0 turns −0.0 into 0.0

    @cached_property
    def _program(self) -> Part:
        made: Part = precompute(self.program, self.arrays)
        return made


def program_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a program as JSON; equal programs give equal bytes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def arrays_bytes(arrays: Arrays) -> bytes:
    """Return arrays as a zip file; numpy writes a constant date into it."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_compiled(folder: Path) -> Compiled:
    """Return the compiled model of a folder, after its files are verified against the manifest."""
    named = parse_json(_read(folder / MANIFEST), folder / MANIFEST)["files"]
    content = parse_json(read_verified(folder / PROGRAM, named.get(PROGRAM)), folder / PROGRAM)
    if content["model"] is None:
        raise ModelError(f"{folder} is not compiled: {content['reason']}. Cure: serve its pipeline instead.")
    return Compiled(content["model"], parse_arrays(read_verified(folder / ARRAYS, named.get(ARRAYS)), folder / ARRAYS))


def parse_arrays(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a zip file, without executing anything; `path` is for error messages."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} has no plain arrays: {error}. {CURE}") from error


def read_verified(path: Path, expected: str | None) -> bytes:
    """Return the content of a file whose fingerprint must be the expected one."""
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(f"{path} has the fingerprint {found}, expected {expected} of its manifest. {CURE}")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected a file of a compiled model: {error}. {CURE}") from error


def parse_json(content: bytes, path: Path) -> Any:
    """Return the content of JSON; `path` is for error messages."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}. {CURE}") from error

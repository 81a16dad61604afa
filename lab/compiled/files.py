"""Read and write compiled models: a JSON program and plain arrays, no executable content."""

import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.compiled.check import check_scores, check_structure, tested_columns
from lab.compiled.estimates import probabilities
from lab.compiled.parts import Arrays, Columns, Numbers, Part
from lab.compiled.ready import precompute
from lab.core.errors import ModelError, SourceError
from lab.model_files.archive import members_of
from lab.model_files.compiled_names import ARRAYS, PROGRAM

MANIFEST = "manifest.json"
DECIMALS = 6  # as in lab/models/scoring.py, which imports pandas
CURE = "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."
MOST_BYTES = 256_000_000  # of a file with arrays
MOST_JSON_BYTES = 8_000_000  # Python needs about 20 times as much memory


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
        found = self.probabilities(columns).round(DECIMALS) + 0.0  # + 0.0 turns −0.0 into 0.0
        if np.isnan(found).any():
            raise SourceError("found a row without a score, expected numbers of usual size. Cure: use smaller numbers.")
        return found

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


def read_compiled(folder: Path, *, most_bytes: int = MOST_BYTES) -> Compiled:
    """Return the compiled model of a folder, after its files are verified and test rows are scored."""
    with damage_as_model_error(folder):
        manifest = parse_json(read_limited(folder / MANIFEST, MOST_JSON_BYTES), folder / MANIFEST)
        named, features = manifest["files"], manifest["inputs"]["features"]
        content = parse_json(read_verified(folder / PROGRAM, named.get(PROGRAM), MOST_JSON_BYTES), folder / PROGRAM)
        if content["model"] is None:
            raise ModelError(f"{folder} is not compiled: {content['reason']}. Cure: serve its pipeline instead.")
        arrays = parse_arrays(read_verified(folder / ARRAYS, named.get(ARRAYS), most_bytes), folder / ARRAYS)
        model = Compiled(content["model"], arrays)
        check_model(model, {name: feature["kind"] for name, feature in features.items()})
    return model


def check_model(model: Compiled, features: Mapping[str, str]) -> None:
    """Refuse a model that is inconsistent, or cannot score test rows of its features, by name and kind."""
    columns = tested_columns(model.program, features)
    with np.errstate(all="ignore"):
        check_structure(model.program, model.arrays, columns)
        check_scores(model.scores, columns)


@contextmanager
def damage_as_model_error(where: Path | str) -> Iterator[None]:
    """Turn any error of reading a model into one ModelError: a damaged file can raise anything."""
    try:
        yield
    except Exception as error:
        if isinstance(error, ModelError) and str(where) in str(error):
            raise
        problem = f"{error}" if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
        raise ModelError(f"{where} is not a valid model: {problem}. {CURE}") from error


def parse_arrays(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a zip file, without executing anything; `path` is for error messages.

    The file must be as large as its arrays: compressed arrays, and sizes that are only declared, are refused.
    """
    try:
        return {name.removesuffix(".npy"): _array(member) for name, member in members_of(content).items()}
    except Exception as error:
        raise ModelError(f"{path} has no plain arrays: {error}. {CURE}") from error


def _array(content: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def read_verified(path: Path, expected: str | None, most_bytes: int) -> bytes:
    """Return the content of a file whose fingerprint must be the expected one."""
    content = read_limited(path, most_bytes)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(f"{path} has the fingerprint {found}, expected {expected} of its manifest. {CURE}")
    return content


def read_limited(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file that is not larger than the limit."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # a pipe would block
            state = os.fstat(stream.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise ModelError(f"{path} is not a regular file, expected a file of a model. {CURE}")
            if state.st_size > most_bytes:
                raise ModelError(f"{path} has {state.st_size} bytes, expected at most {most_bytes}. {CURE}")
            return stream.read(most_bytes + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read, expected a file of a compiled model: {error}. {CURE}") from error


def parse_json(content: bytes, path: Path) -> Any:
    """Return the content of JSON; `path` is for error messages."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}. {CURE}") from error

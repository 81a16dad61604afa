"""Write a fitted model as canonical skops: equal models give equal bytes.

Plain skops names objects by memory address, copies uninitialised padding and writes the time, and histogram boosting
stores its number of threads. The canonical form has none of these and loads with `skops.io.load`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ModelError
from lab.model_files.skops_io import skops_io

SCHEMA = "schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold
UNIX = 3
ONE_THREAD = "1"


def canonical_bytes(model: object) -> bytes:
    """Return a fitted model as the bytes of a skops file."""
    with zipfile.ZipFile(io.BytesIO(skops_io.dumps(model))) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    state = json.loads(members.pop(SCHEMA))
    if extra := sorted(name for name in members if not name.endswith(".npy")):
        raise ModelError(f"the model contains {extra}, expected arrays only. Cure: use dense matrices.")
    arrays = {name: _array_bytes(content) for name, content in members.items()}
    names = {name: f"{hashlib.sha256(content).hexdigest()[:32]}.npy" for name, content in arrays.items()}
    schema = json.dumps(_canonical(state, names=names), separators=(",", ":")).encode()
    return _zip_bytes({SCHEMA: schema} | {names[name]: content for name, content in arrays.items()})


def with_current_modules(content: bytes, moved: Mapping[str, str]) -> bytes:
    """Return a canonical skops file in which classes of moved modules have their current module names."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        schema = file.read(SCHEMA)
        current = schema
        for old, new in moved.items():
            current = current.replace(f'"__module__":"{old}"'.encode(), f'"__module__":"{new}"'.encode())
        if current == schema:
            return content
        return _zip_bytes({name: file.read(name) for name in file.namelist()} | {SCHEMA: current})


def _canonical(state: Any, *, names: dict[str, str]) -> Any:
    """Return a state without object ids and with sorted keys; the order of dictionaries is content and is kept."""
    if isinstance(state, list):
        return [_canonical(item, names=names) for item in state]
    if not isinstance(state, dict):
        return state
    loader = state.get("__loader__")
    keys = sorted(state) if isinstance(loader, str) else list(state)
    kept = {key: _canonical(state[key], names=names) for key in keys if key != "__id__"}
    if loader == "NdArrayNode" and state["type"] == "numpy":
        kept["file"] = names[state["file"]]
    if loader == "SetNode":
        kept["content"].sort(key=json.dumps)
    if loader == "ObjectNode" and state["__class__"] == "_BinMapper":
        kept["content"]["content"]["n_threads"]["content"] = ONE_THREAD
    return kept


def _array_bytes(content: bytes) -> bytes:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    buffer = io.BytesIO()
    np.save(buffer, _without_padding(array), allow_pickle=False)
    return buffer.getvalue()


def _without_padding(array: NDArray[Any]) -> NDArray[Any]:
    """Return a structured array with zero bytes between the fields; other arrays are unchanged."""
    if array.dtype.names is None:
        return array
    clean = np.zeros(array.shape, dtype=array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    return clean


def _zip_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.create_system = UNIX
            entry.external_attr = 0o644 << 16
            file.writestr(entry, members[name])
    return buffer.getvalue()

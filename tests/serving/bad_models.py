"""Model folders that are damaged in one place, each with fingerprints that match."""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.compiled.files import MOST_JSON_BYTES
from tests.serving.served import explained_folder

LINEAR, TREES = "logistic_regression", "random_forest"


@dataclass
class Parts:
    """The content of a model folder; `files` replaces the bytes of a file."""

    manifest: Any
    about: Any
    program: Any
    arrays: dict[str, Any]
    reasons: Any
    files: dict[str, bytes]

    def array(self, part: str) -> Any:
        """Return the array that a part of the program names."""
        return self.arrays[self.name(part)]

    def name(self, part: str) -> str:
        return str({**self.program, **self.program.get("trees", {})}[part])


Damage = Callable[[Parts], object]


def bad_folder(folder: Path, good: Path, damage: Damage) -> Path:
    """Return a copy of a good folder with one damage."""
    shutil.copytree(good.resolve(), folder)
    with np.load(folder / "compiled.npz") as found:
        arrays = dict(found)
    manifest, about, program, reasons = (
        json.loads((folder / f"{name}.json").read_bytes()) for name in ("manifest", "about", "compiled", "reasons")
    )
    parts = Parts(manifest, about, program["model"], arrays, reasons, {})
    damage(parts)
    _write(folder, parts, "compiled.json", json.dumps({"model": parts.program, "reason": ""}).encode())
    _write(folder, parts, "compiled.npz", _npz(parts.arrays))
    if isinstance(parts.manifest, dict):
        for name in ("compiled.json", "compiled.npz"):
            parts.manifest["files"][name] = _fingerprint(folder / name)
    _write(folder, parts, "manifest.json", json.dumps(parts.manifest).encode())
    parts.reasons["model"] = _fingerprint(folder / "manifest.json")
    _write(folder, parts, "reasons.json", json.dumps(parts.reasons).encode())
    if isinstance(parts.about, dict):
        parts.about["reasons"] = {name: _fingerprint(folder / name) for name in ("reasons.json", "reasons.npz")}
    _write(folder, parts, "about.json", json.dumps(parts.about).encode())
    return folder


def _write(folder: Path, parts: Parts, name: str, content: bytes) -> None:
    (folder / name).write_bytes(parts.files.get(name, content))


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _npz(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **arrays)
    return buffer.getvalue()


def compressed_zeros(megabytes: int) -> bytes:
    """Return a small file that is large when it is unpacked."""
    buffer, content = io.BytesIO(), io.BytesIO()
    np.save(content, np.zeros(megabytes * 125_000))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a0.npy", content.getvalue())
    return buffer.getvalue()


def declared(shape: tuple[int, ...]) -> bytes:
    """Return a file whose array declares a shape, and has 8 bytes."""
    buffer, content = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a0.npy", content.getvalue() + bytes(8))
    return buffer.getvalue()


def _set(place: Callable[[Parts], Any], key: Any, value: Any) -> Damage:
    return lambda parts: place(parts).__setitem__(key, value)


def _files(**files: bytes) -> Damage:
    return lambda parts: parts.files.update({name.replace("_", "."): content for name, content in files.items()})


def _attribute(name: str, value: Any) -> Damage:
    return lambda parts: setattr(parts, name, value)


def _shared_child(parts: Parts) -> None:
    parts.array("right")[0] = parts.array("left")[0]


def _cycle(parts: Parts) -> None:
    inner = np.flatnonzero(parts.array("left") != np.arange(len(parts.array("left"))))
    parts.array("left")[inner[-1]] = 0


def _unknown_column(parts: Parts) -> None:
    parts.array("feature")[np.flatnonzero(parts.array("left") != np.arange(len(parts.array("left"))))[-1]] = 10_000


def _two_outputs(parts: Parts) -> None:
    parts.arrays[parts.name("coefficients")] = np.repeat(parts.array("coefficients"), 2, axis=0)


def _narrow(parts: Parts) -> None:
    parts.arrays[parts.name("coefficients")] = parts.array("coefficients")[:, :-1]


def _short_levels(parts: Parts) -> None:
    (name,) = parts.program["preparation"]["blocks"][2]["values"]
    parts.arrays[name] = parts.arrays[name][:-1]


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def _deep_program(parts: Parts) -> None:
    for _ in range(500):
        parts.program = {"kind": "calibrated", "inner": parts.program, "scores": None, "slope": 1, "intercept": 0}


BAD: dict[str, tuple[str, Damage]] = {
    "manifest is not JSON": (LINEAR, _files(manifest_json=b"{")),
    "manifest is nested": (LINEAR, _files(manifest_json=_nested(100_000))),
    "manifest is a list": (LINEAR, _attribute("manifest", [])),
    "manifest is large": (LINEAR, _files(manifest_json=b" " * (MOST_JSON_BYTES + 1))),
    "no features": (LINEAR, _set(lambda parts: parts.manifest["inputs"], "features", {})),
    "a feature less": (LINEAR, lambda parts: parts.manifest["inputs"]["features"].pop("amount")),
    "a feature of another kind": (
        LINEAR,
        _set(lambda parts: parts.manifest["inputs"]["features"], "amount", {"kind": "category"}),
    ),
    "threshold is no number": (LINEAR, _set(lambda parts: parts.manifest, "threshold", float("nan"))),
    "a moment that is none": (LINEAR, _set(lambda parts: parts.manifest["training"], "last_moment", "yesterday")),
    "about is a list": (LINEAR, _attribute("about", [])),
    "a metric that JSON does not have": (LINEAR, _set(lambda parts: parts.about, "metrics", {"auc": float("nan")})),
    "compressed arrays": (LINEAR, _files(compiled_npz=compressed_zeros(20))),
    "arrays that declare a size": (LINEAR, _files(compiled_npz=declared((10**12,)))),
    "arrays of objects": (LINEAR, lambda parts: parts.arrays.update(a0=np.array([{}], dtype=object))),
    "half of the arrays": (LINEAR, _files(compiled_npz=_npz({"a0": np.zeros(99)})[:500])),
    "no arrays": (LINEAR, _files(compiled_npz=b"")),
    "program is a list": (LINEAR, _attribute("program", [])),
    "program is nested": (LINEAR, _files(compiled_json=_nested(100_000))),
    "program is deep": (LINEAR, _deep_program),
    "an estimator of tomorrow": (LINEAR, _set(lambda parts: parts.program, "kind", "of tomorrow")),
    "coefficients are NaN": (LINEAR, _set(lambda parts: parts.array("coefficients"), ..., np.nan)),
    "coefficients are infinite": (LINEAR, _set(lambda parts: parts.array("coefficients"), ..., np.inf)),
    "a coefficient less": (LINEAR, _narrow),
    "two outputs": (LINEAR, _two_outputs),
    "a level less": (LINEAR, _short_levels),
    "levels that are lists": (
        LINEAR,
        _set(lambda parts: parts.program["preparation"]["blocks"][1], "levels", [[["east"], ["west"]]]),
    ),
    "a tree with a cycle": (TREES, _cycle),
    "a tree with a shared child": (TREES, _shared_child),
    "a column that does not exist": (TREES, _unknown_column),
    "a leaf is NaN": (TREES, _set(lambda parts: parts.array("value"), -1, np.nan)),
    "leaves that are no probabilities": (TREES, _set(lambda parts: parts.array("value"), ..., 7.0)),
    "roots out of order": (TREES, lambda parts: parts.array("roots").sort() or parts.array("roots").__setitem__(0, 1)),
    "too shallow": (TREES, _set(lambda parts: parts.program["trees"], "deepest", 1)),
}


def pipe_in_place_of(path: Path) -> None:
    """Put a pipe without a writer there: opening it waits for ever."""
    path.unlink()
    os.mkfifo(path)


def good_folders(folder: Path) -> dict[str, Path]:
    return {variant: explained_folder(folder / variant, variant) for variant in (LINEAR, TREES, "naive_bayes")}

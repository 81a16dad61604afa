"""`python -m benchmarks.processor`: compare the DAG on an emulated Haswell with the commit.

It needs qemu-user (Debian's package of that name). Only the stages are emulated; DVC itself runs as it is. numpy's own
AVX2 kernels are switched off there, because this emulator crashes in one of them (the vectorised argsort): numpy then
runs older kernels than on any machine that the promise names.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import cost_of
from lab.core.yaml_files import read_yaml

ROOT = Path(__file__).parent.parent
EMULATOR = "qemu-x86_64"
SETTING = Path("lab/core/determinism.py")


def main() -> None:
    if shutil.which(EMULATOR) is None:
        sys.exit(f"found no {EMULATOR}, expected Debian's package qemu-user. Cure: apt-get install qemu-user")
    with tempfile.TemporaryDirectory() as name:
        clone, wrapped = Path(name) / "clone", Path(name) / "bin"
        cost_of(["git", "clone", "--quiet", str(ROOT), str(clone)], cwd=ROOT)
        wrap_python(wrapped)
        without_avx2(clone / SETTING)
        committed = outputs_of(clone)
        environment = {"PATH": f"{wrapped}{os.pathsep}{os.environ['PATH']}"}
        cost = cost_of(["dvc", "repro", "--force", "--quiet"], cwd=clone, environment=environment)
        changed = [path for path, digest in outputs_of(clone).items() if committed[path] != digest]
    result = "\n".join(changed) if changed else f"the same bytes in all {len(committed)} outputs"
    sys.stdout.write(f"{result}\n{cost.wall_seconds:.0f} seconds\n")
    sys.exit(1 if changed else 0)


def wrap_python(folder: Path) -> None:
    """Put a `python` into a folder that runs this interpreter on an emulated processor without AVX-512."""
    folder.mkdir()
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec {EMULATOR} -cpu Haswell {sys.executable} "$@"\n')
    script.chmod(0o755)


def without_avx2(path: Path) -> None:
    """Let a clone's numpy use no kernel newer than SSE4.2."""
    text = path.read_text(encoding="utf-8")
    if '"X86_V4 ' not in text:
        raise RuntimeError(f"{path} no longer names the kernels that are switched off")
    path.write_text(text.replace('"X86_V4 ', '"X86_V3 X86_V4 '), encoding="utf-8")


def outputs_of(folder: Path) -> dict[str, str]:
    """Return the fingerprint of every output in dvc.lock; code differs by the setting above, outputs must not."""
    stages: dict[str, Any] = read_yaml(folder / "dvc.lock", cure="git checkout dvc.lock")["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


if __name__ == "__main__":
    main()

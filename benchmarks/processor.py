"""`python -m benchmarks.processor`: the DAG on an emulated Haswell must give what is committed, byte for byte.

It needs qemu-user (Debian's package of that name). Only the stages are emulated; DVC itself runs as it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import cost_of

ROOT = Path(__file__).parent.parent
EMULATOR = "qemu-x86_64"
COMPARED = ("dvc.lock", "metrics", "plots")


def main() -> None:
    if shutil.which(EMULATOR) is None:
        sys.exit(f"found no {EMULATOR}, expected Debian's package qemu-user. Cure: apt-get install qemu-user")
    with tempfile.TemporaryDirectory() as name:
        clone, wrapped = Path(name) / "clone", Path(name) / "bin"
        cost_of(["git", "clone", "--quiet", str(ROOT), str(clone)], cwd=ROOT)
        wrap_python(wrapped)
        environment = {"PATH": f"{wrapped}{os.pathsep}{os.environ['PATH']}"}
        cost = cost_of(["dvc", "repro", "--force", "--quiet"], cwd=clone, environment=environment)
        changed = subprocess.run(
            ["git", "diff", "--stat", "--", *COMPARED], cwd=clone, capture_output=True, text=True, check=True
        ).stdout
    sys.stdout.write(f"{cost.cpu_seconds:.0f} CPU seconds\n{changed or 'the same bytes'}\n")
    sys.exit(1 if changed else 0)


def wrap_python(folder: Path) -> None:
    """Put a `python` into a folder that runs this interpreter on an emulated processor without AVX-512."""
    folder.mkdir()
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec {EMULATOR} -cpu Haswell {sys.executable} "$@"\n')
    script.chmod(0o755)


if __name__ == "__main__":
    main()

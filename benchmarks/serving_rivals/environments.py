"""Install an environment for each contender below .rivals/serving, from pins."""

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from lab.core.errors import SourceError

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
FOLDER = ROOT / ".rivals/serving"
FITTED_WITH = ("joblib", "numpy", "pandas", "scikit-learn", "scipy")  # another version could not read the pipeline
UV = [sys.executable, "-m", "uv"]


def our_python() -> Path:
    """Return the Python of an environment with what the serving image holds, and nothing else."""
    return _python("ours", ROOT / "serving/requirements.txt", [])


def rival_python(name: str) -> Path:
    """Return the Python of a rival's environment; the pipeline's libraries are those that it was fitted with."""
    return _python(name, HERE / f"{name}.txt", [f"{library}=={version(library)}" for library in FITTED_WITH])


def _python(name: str, pins: Path, more: list[str]) -> Path:
    folder = FOLDER / name
    stamp, python = folder / "stamp", folder / "bin/python"
    wanted = hashlib.sha256(pins.read_bytes() + repr((sys.version, more)).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        sys.stderr.write(f"installing {pins.relative_to(ROOT)} into {folder.relative_to(ROOT)}\n")
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(python), "--requirement", str(pins), *more)
        stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run([*UV, "--quiet", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SourceError(
            f"uv {arguments[0]} left with {done.returncode}, expected an environment: {done.stderr.strip()}. "
            "Cure: make test sets uv up; the package registry must be reached."
        )

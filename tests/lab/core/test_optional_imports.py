"""Optional libraries are not loaded by others, and stay importable."""

import subprocess
import sys

import pytest

from lab.core.optional_imports import absent
from tests.project import ROOT

OPTIONAL = ("dask", "pytest", "pynvml")


def test_a_hidden_module_cannot_be_imported_and_comes_back() -> None:
    with absent("wave", "json"), pytest.raises(ModuleNotFoundError, match="wave"):
        import wave  # noqa: F401, PLC0415 - the import is what is tested
    import wave as found  # noqa: PLC0415

    assert found.__name__ == "wave"


def test_a_loaded_module_stays() -> None:
    before = sys.modules["subprocess"]
    with absent("subprocess"):
        assert sys.modules["subprocess"] is before
    assert sys.modules["subprocess"] is before


def test_a_stage_does_not_load_optional_libraries() -> None:
    script = f"import stages.train, sys; print([name for name in {OPTIONAL} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

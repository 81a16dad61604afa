"""The kernels are pinned before numpy, here or by what starts the process."""

import sys

import pytest

from lab.core.cpu_kernels import PINNED
from tests.project import QUIET, ROOT, run


@pytest.mark.parametrize(("environment", "code"), [(PINNED, 0), ({}, 1)])
def test_numpy_may_come_first_where_the_environment_has_the_pins(environment: dict[str, str], code: int) -> None:
    script = "import sys, types; sys.modules['numpy'] = types.ModuleType('numpy'); import lab.core.determinism"
    done = run([sys.executable, "-c", script], cwd=ROOT, environment={**QUIET, **environment}, check=False)
    assert done.returncode == code
    assert ("numpy is already imported with other kernels" in done.stderr) == bool(code)

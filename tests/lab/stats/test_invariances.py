"""Statistics do not depend on row order, units, arm order or batches."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import lab.stats
from tests.lab.stats.invariances import LAWS, WITHOUT_A_LAW
from tests.lab.stats.laws import Check, reordered, swapped, unchanged

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(lab.stats.__path__, prefix="lab.stats.") if not module.ispkg
)
CASES = [pytest.param(check, id=f"{name}: {law}") for name, laws in LAWS.items() for law, check in laws.items()]


def public_functions() -> set[str]:
    found = set()
    for name in MODULES:
        module = importlib.import_module(name)
        members = inspect.getmembers(module, inspect.isfunction)
        found |= {
            f"{name.rpartition('.')[2]}.{own}"
            for own, of in members
            if of.__module__ == module.__name__ and not own.startswith("_")
        }
    return found


@pytest.mark.parametrize("check", CASES)
def test_it_does_not_matter(check: Check) -> None:
    check()


def test_every_public_function_is_entered_and_nothing_else() -> None:
    entered = set(LAWS) | set(WITHOUT_A_LAW)
    assert sorted(public_functions() - entered) == []
    assert sorted(entered - public_functions()) == []


def test_no_entry_is_empty() -> None:
    assert [name for name, laws in LAWS.items() if not laws] == []
    assert [name for name, reason in WITHOUT_A_LAW.items() if not reason] == []


@pytest.mark.parametrize(
    "check",
    [
        reordered(list, [1.0, 2.0, 3.0, 4.0]),
        unchanged(lambda value: value, (1.0,), (1.0001,)),
        swapped(lambda one, two: {"difference": abs(two - one), "p_value": 1.0}, 1.0, 2.0),
        swapped(lambda one, two: {"difference": two - one, "p_value": one}, 1.0, 2.0),
    ],
)
def test_a_statistic_that_breaks_a_law_is_caught(check: Check) -> None:
    with pytest.raises(AssertionError):
        check()


def test_the_library_alone_loads_no_heavy_part_of_scipy() -> None:
    code = f"import sys\nfor name in {MODULES}: __import__(name)\nprint([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {f"'scipy.{part}'" for part in ("stats", "optimize", "integrate") if f"'scipy.{part}'" in loaded}

"""Read the tests' own tasks."""

from contextlib import chdir

from lab.task.schema import Task, read_task
from tests.project import OWN


def own_task(name: str) -> Task:
    """Return a task of tests/own."""
    with chdir(OWN):
        return read_task(name)

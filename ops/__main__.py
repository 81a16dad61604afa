"""`python -m ops VERB`: what a person or CI does around the DAG."""

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from lab.command import run

# A verb is a click command of the same name in a module of the same name; it is imported only when it is called.
VERBS = (
    "abtest",
    "assign",
    "compare",
    "deps",
    "derive",
    "drift",
    "gate",
    "gauges",
    "history",
    "init",
    "latency",
    "monitor",
    "pack",
    "plan",
    "post",
    "promote",
    "readme",
    "report",
    "repro",
    "resolve",
    "retrain",
    "revert",
    "rollback",
    "smoke",
    "story",
    "sweep",
    "verify",
)


class Verbs(click.Group):
    """A group that knows its commands by name, so that one verb does not pay for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"ops.{cmd_name}"), cmd_name)
        # Docstrings are raw, so the sign that keeps click from joining lines is two characters in them.
        command.help = (command.help or "").replace("\\b", "\b")
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def application() -> None:
    """Do what stands around the pipeline: own data, versions and their differences, promotion, retraining, pages."""


def put_this_python_first() -> None:
    """Let `python` and `dvc`, which stages and verbs call by name, be the ones that lie beside this interpreter."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


if __name__ == "__main__":
    put_this_python_first()
    run(lambda: application(prog_name="python -m ops"))

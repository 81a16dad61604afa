"""Run one verb: `python -m ops VERB`."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from lab.core.command import run
from ops.verbs import GROUPS, VERBS


class Verbs(click.Group):
    """The verbs by name; a verb is imported when it is called, so help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(VERBS[cmd_name].module), cmd_name)
        # Docstrings are raw, so the sign that keeps click from joining lines is two characters in them.
        command.help = (command.help or "").replace("\\b", "\b")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS and (near := get_close_matches(args[0], VERBS, n=1)):
            ctx.fail(f"No such verb '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        widest = max(map(len, VERBS))
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), verb.summary) for name, verb in verbs.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def application() -> None:
    """Work around the pipeline: own data, versions and their differences, promotion, retraining, serving.

    `python -m ops VERB --help` explains a verb, with examples.
    """


def put_this_python_first() -> None:
    """Make commands find the `python` and `dvc` that lie beside this interpreter."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


if __name__ == "__main__":
    put_this_python_first()
    run(lambda: application(prog_name="python -m ops"))

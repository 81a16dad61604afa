"""`python -m ops restore`: bring back the last good outputs after a failed run."""

from dataclasses import dataclass
from pathlib import Path

import click

from lab.core.command import FAILED
from lab.core.errors import LabError
from lab.pages.markdown import listed
from ops.dvc.stages import root_of_pipeline
from ops.dvc.torn_files import check_files_of_dvc
from ops.resolve.results import Results


@dataclass(frozen=True)
class Restored:
    """The outputs that came back, and those that neither the cache nor the last commit has."""

    back: tuple[str, ...]
    missing: tuple[str, ...]


@click.command()
def restore() -> None:
    """Bring back the last good outputs after a failed or killed run.

    Before a stage runs, DVC deletes its outputs. This command makes every output what dvc.lock records: from the cache,
    or from the last commit. Settings and code stay as they are, so `dvc repro` then runs the stage again.

    Exit 0 when every recorded output is there, 1 when some are neither in the cache nor in the commit, 2 where there is
    no pipeline, or another DVC uses its outputs.
    """
    root = root_of_pipeline()
    check_files_of_dvc(root, say=lambda line: click.echo(line, err=True))
    found = restore_outputs(root)
    click.echo(f"Restored: {listed(found.back)}." if found.back else "Nothing to restore.")
    if found.missing:
        click.echo(f"Neither in the cache nor in git: {listed(found.missing)}. `dvc repro` makes them.", err=True)
        raise SystemExit(FAILED)


def restore_outputs(root: Path) -> Restored:
    """Make every output what dvc.lock records; an output without a record stays as it is."""
    from ops.dvc.errors import DvcError  # noqa: PLC0415 - DVC takes a quarter of a second to import
    from ops.dvc.last_outputs import check_out_recorded, differing_outputs  # noqa: PLC0415 - as above
    from ops.dvc.reproduction import locked_repository  # noqa: PLC0415 - as above

    wanted, missing = set[str](), set[str]()
    try:
        with locked_repository(root) as repository:
            for stage in (each for each in repository.index.stages if each.cmd):
                if differing := differing_outputs(stage):
                    check_out_recorded(stage)
                    Results(root, ("HEAD",)).restore(stage)
                    wanted |= differing
                    missing |= differing_outputs(stage)
    except DvcError as error:
        raise LabError(f"DVC refused: {error}") from error
    return Restored(tuple(sorted(wanted - missing)), tuple(sorted(missing)))

"""`python -m ops story`: demo of a model's life, with a rollback."""

from pathlib import Path

import click

from ops.demo.sandbox import print_end, run_steps
from ops.demo.story.setup import story_in
from ops.demo.story.steps import STEPS


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("story"))
def story(*, folder: Path) -> None:
    r"""Demo a team's work with this repository, in a new folder: real commands, a git remote, an S3 remote.

    A first version is tagged. A better experiment is merged with its report, a worse one is not. New data drifts; a
    retraining proposes a new champion, which is promoted and rolled back. A fresh clone restores every version, byte
    for byte. It takes some minutes, needs no account, and uses this machine only.

    \b
    Afterwards, look around:
      cd story/work
      git log --oneline --graph --all
      python -m ops history
      dvc exp show --all-commits --only-changed
      code .              (with the DVC extension)

    The S3 server stops at the end; the clone keeps everything in its cache. Exit 0 on success, 2 on an error.
    """
    with story_in(folder, log=click.echo) as state:
        run_steps(STEPS, state)
        print_end(state.sandbox.work)

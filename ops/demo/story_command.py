"""`python -m ops story`: play the whole life of a model in a repository of its own, and leave it to look at."""

from pathlib import Path

import click

from ops.demo.story.sandbox import scene_in
from ops.demo.story.steps import CHAPTERS, remember


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("story"))
def story(*, folder: Path) -> None:
    r"""Play what a team does with this repository, in a new folder: real commands, a git remote, an S3 remote.

    A first version is tagged; a better experiment is merged with its report, a worse one is told to stop; new data
    drifts; a retraining proposes a new champion; it is promoted and rolled back; and a fresh clone elsewhere brings
    every version back, byte for byte. It takes some minutes, needs no account, and reaches nothing but this machine.

    \b
    Afterwards, look around:
      cd story/work
      git log --oneline --graph --all
      python -m ops history
      dvc exp show --all-commits --only-changed
      code .              (with the DVC extension)

    The S3 server ends with the story; the clone keeps everything in its cache. Exit 0 when it went as it is told, 2
    where it did not.
    """
    with scene_in(folder, tell=click.echo) as scene:
        for number, (title, chapter) in enumerate(CHAPTERS.items(), start=1):
            told = (chapter.__doc__ or "").splitlines()[0]
            click.secho(f"\n{number}. {title}. {told}", bold=True)
            chapter(scene)
            remember(scene)
        click.secho(f"\nThe end. Look around: cd {scene.work}", bold=True)

"""`deploy/release STAGE`: release a model, and undo the release if it fails."""

import signal
import sys
from pathlib import Path
from types import FrameType

import click

from deploy.releasing.cluster import release_to_cluster
from deploy.releasing.folder import release_to_folder
from deploy.releasing.model import Model
from deploy.releasing.settings import settings_from_environment
from lab.core.command import FAILED, run

STOPPED = 143


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stage")
@click.option(
    "--packed",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Release what `python -m ops pack` put here, instead of packing: for a machine without the cache.",
)
def release(*, stage: str, packed: Path | None) -> None:
    r"""Hand a model over to STAGE, and take it back where it does not answer.

    The model is the version that HEAD is registered as; else the version that is in STAGE; else HEAD's champion. Where
    it goes, the environment says:

    \b
    LAB_RELEASE_FOLDER   the folder that a running `python -m serving` reads (its LAB_CHAMPION): it is exchanged in one
                         step, and the former model stays beside it as NAME.previous
    LAB_RELEASE_CONTEXT  a context of kubectl: the stage's overlay is applied there, with the images that
                         LAB_RELEASE_SERVER_IMAGE and LAB_RELEASE_MODEL_IMAGE name by digest
    neither              model and manifests are put into served/release/STAGE, and nothing is deployed

    \b
    LAB_RELEASE_URL      the server's address: it must name the new model at /ready and /model, or all goes back
    LAB_RELEASE_SECONDS  how long it may take to [60]
    LAB_API_KEY          the server's key, where it asks for one

    \b
    Try it on this machine:
      python -m ops pack
      LAB_CHAMPION=served/champion python -m serving &
      LAB_RELEASE_FOLDER=served/champion LAB_RELEASE_URL=http://127.0.0.1:8000 deploy/release staging

    Paths are from the repository's root. Change deploy/releasing where your way is another. Exit 0 when it is there, or
    when nothing is configured (the last line says which); 1 when the server did not take it, and what was before is
    back; 2 on a mistake, and nothing was touched.
    """
    settings = settings_from_environment()
    model = Model(stage, packed, Path())
    if settings.folder is not None:
        done = release_to_folder(model, settings.folder, settings, tell=click.echo)
    else:
        done = release_to_cluster(model, settings, tell=click.echo)
    raise SystemExit(0 if done else FAILED)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    """Leave as after Ctrl-C, so that what is half done goes back."""
    sys.exit(STOPPED)


if __name__ == "__main__":
    release.help = (release.help or "").replace("\\b", "\b")  # the docstring is raw
    signal.signal(signal.SIGTERM, _stop)
    run(lambda: release(prog_name="deploy/release"))

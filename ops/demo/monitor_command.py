"""`python -m ops monitor`: play production in one command, from the first answer to the proposal of a retraining."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from lab.core.command import INTERRUPTED, leave
from ops.demo.monitor.alarms import watching
from ops.demo.monitor.sandbox import Stage, stage_in
from ops.demo.monitor.server import server_on
from ops.demo.monitor.steps import ACTS, Play
from ops.revisions.git import text_of


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("production"))
@click.option("--watch/--no-watch", default=True, show_default=True, help="Start Prometheus, where it is installed.")
@click.option("--keep", is_flag=True, help="Leave the server running at the end, until Ctrl-C, to look at /docs.")
def monitor(*, folder: Path, watch: bool, keep: bool) -> None:
    r"""Play production in a new folder: a server answers, drift appears, an alert fires, a retraining is proposed.

    The champion of HEAD is packed and served on loopback. Rows like those that it was judged on are asked about, then
    the newest ones, whose labels come later. `ops drift` judges the log, `ops gauges` hands what it found to
    Prometheus, which tells a webhook where it is installed, and `ops retrain` proposes the better model on a branch.
    Every command is real and told; it takes a minute or two, needs no account, and changes nothing in this repository.

    \b
      python -m ops monitor
      python -m ops monitor played --keep

    The folder is left to look at: its log, its page of the drift, and the branch. The server is stopped in every case.
    Exit 0 when it went to its end, 2 where it did not, 130 after Ctrl-C on the way.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that whoever ends this ends the server, too
    try:
        _play(folder, watch=watch, keep=keep)
    except KeyboardInterrupt:
        leave(f"Interrupted: the server is stopped; {folder} holds what there was by then.", code=INTERRUPTED)


def _play(folder: Path, *, watch: bool, keep: bool) -> None:
    stage = stage_in(folder, root=Path(text_of("rev-parse", "--show-toplevel")), tell=click.echo)
    _title(1, "A champion answers", "The model of HEAD is packed out of the registry, and a server answers for it.")
    stage.run("python", "-m", "ops", "pack")
    with _production(stage, watch=watch) as play:
        for number, (title, act) in enumerate(ACTS.items(), start=2):
            _title(number, title, (act.__doc__ or "").splitlines()[0])
            act(play)
        click.secho(f"\nThe end. Look around: cd {stage.work}", bold=True)
        if keep:
            click.echo(f"The server runs on at {play.server.address}/docs; Ctrl-C ends it.")
            with suppress(KeyboardInterrupt):
                signal.pause()


@contextmanager
def _production(stage: Stage, *, watch: bool) -> Iterator[Play]:
    with server_on(stage) as server:
        if watch:
            with watching(stage, server) as alarms:
                yield Play(stage, server, alarms)
        else:
            yield Play(stage, server, None)


def _title(number: int, title: str, says: str) -> None:
    click.secho(f"\n{number}. {title}. {says}", bold=True)

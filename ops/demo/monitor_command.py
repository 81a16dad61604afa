"""`python -m ops monitor`: demo of production, from the first prediction to a retraining."""

import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from lab.core.command import INTERRUPTED, leave
from ops.demo.monitor.alarms import watching
from ops.demo.monitor.server import server_on
from ops.demo.monitor.setup import sandbox_in
from ops.demo.monitor.steps import STEPS, Monitor
from ops.demo.sandbox import SHOWN, print_end, print_heading, run_steps
from ops.revisions.git import text_of


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("production"))
@click.option("--watch/--no-watch", default=True, show_default=True, help="Start Prometheus if it is installed.")
@click.option("--keep", is_flag=True, help="Keep the server running at the end, until Ctrl-C.")
def monitor(*, folder: Path, watch: bool, keep: bool) -> None:
    r"""Demo production in a new folder: a server predicts, data drifts, an alert fires, a retraining is proposed.

    The champion of HEAD is packed and served on loopback. It gets rows of its test window, then the newest rows, whose
    labels arrive later. `ops drift` checks the log, `ops gauges` exports the result to Prometheus, which alerts a
    webhook, and `ops retrain` proposes a better model on a branch. All commands are real and printed. It takes a minute
    or two, needs no account, and does not change this repository.

    \b
      python -m ops monitor
      python -m ops monitor demo --keep

    The folder keeps the log, the drift page and the branch. The server is always stopped. Exit 0 on success, 2 on an
    error, 130 after Ctrl-C.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the server too
    try:
        _run(folder, watch=watch, keep=keep)
    except KeyboardInterrupt:
        leave(f"Interrupted: the server is stopped; {folder} keeps what is done.", code=INTERRUPTED)


def _run(folder: Path, *, watch: bool, keep: bool) -> None:
    sandbox = sandbox_in(folder, root=Path(text_of("rev-parse", "--show-toplevel")), log=click.echo)
    print_heading(1, "A champion predicts", "The model of HEAD is packed from the registry, and a server loads it.")
    sandbox.run("python", "-m", "ops", "pack", most=SHOWN)
    with ExitStack() as stack:
        server = stack.enter_context(server_on(sandbox))
        alarms = stack.enter_context(watching(sandbox, server)) if watch else None
        run_steps(STEPS, Monitor(sandbox, server, alarms), start=2)
        print_end(sandbox.work)
        if keep:
            click.echo(f"The server runs at {server.address}/docs; Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                signal.pause()

"""`python -m ops gauges`: write drift, metrics and gates for Prometheus."""

from pathlib import Path
from typing import Any

import click

from lab.core.result_files import read_result, write_text
from ops.gauges.champion import champion_of
from ops.gauges.gauges import HELP_TEXTS, gauges_of
from ops.gauges.judgement import read_judgement
from ops.gauges.text import text_of
from ops.registry.task import task_of

METRICS = Path("metrics")
JUDGEMENT = METRICS / "drift.json"


@click.command()
@click.option(
    "--drift",
    "judgement",
    type=click.Path(path_type=Path, dir_okay=False),
    default=JUDGEMENT,
    show_default=True,
    help="The drift document; `python -m ops drift --current ROWS --json` prints one of newer rows.",
)
@click.option("--stage", help="Report the version in this stage, such as production, as champion.  [default: HEAD's]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, such as served/gauges/NAME.prom.  [default: print]",
)
def gauges(*, judgement: Path, stage: str | None, output: Path | None) -> None:
    r"""Write the results of drift, evaluation and gates as a file for Prometheus.

    Computing drift takes seconds, so a job does it, not a request: after the stages, or each night on the server's log.
    The server adds the files in LAB_GAUGES to GET /metrics; node_exporter's textfile collector reads them too. Unknown
    values, such as a ROC AUC without labels, are left out.

    \b
      python -m ops gauges --output served/gauges/churn.prom
      python -m ops drift --current served/log --save logs/drift.json
      python -m ops gauges --drift logs/drift.json --stage production --output served/gauges/churn.prom

    docs/watching.md lists the gauges, and what to do on an alert.
    Exit 0 when written, 2 on a mistake: no drift document, or a missing model.
    """
    root = Path()
    task = task_of(root)
    found = gauges_of(
        task,
        drift=read_judgement(judgement),
        evaluated=_known(METRICS / "evaluate.json"),
        validated=_known(METRICS / "validate.json"),
        champion=champion_of(task, stage, root=root),
    )
    text = text_of(found, HELP_TEXTS)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(text, output)
    click.echo(f"{output}: {len(found)} gauges of {task}")


def _known(path: Path) -> Any:
    return read_result(path) if path.exists() else None

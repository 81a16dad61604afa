"""`python -m ops gauges`: put what drift, evaluation and gates found into a file that Prometheus reads."""

from pathlib import Path
from typing import Any

import click

from lab.core.result_files import read_json, write_text
from ops.gauges.champion import champion_of
from ops.gauges.gauges import SAYS, gauges_of
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
    help="The judgement to show; `python -m ops drift --current ROWS --json` prints one of newer rows.",
)
@click.option("--stage", help="The champion is the version in this stage, such as production; HEAD's without it.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, in one step: served/gauges/NAME.prom. Printed without it.",
)
def gauges(*, judgement: Path, stage: str | None, output: Path | None) -> None:
    r"""Put what drift, evaluation and gates found into a file that Prometheus reads.

    Judging takes seconds, so no request does it: a job runs this after the stages, or each night on the log of what was
    served. The server shows the files of the folder that LAB_GAUGES names at GET /metrics; node_exporter's textfile
    collector reads them, too. What is not known, such as a ROC AUC without labels, is left out.

    \b
      python -m ops gauges --output served/gauges/churn.prom
      python -m ops drift --current served/log --save logs/drift.json
      python -m ops gauges --drift logs/drift.json --stage production --output served/gauges/churn.prom

    Which gauges there are, and what to do when one raises an alert: docs/watching.md.
    Exit 0 when written, 2 on a mistake: no judgement, or a model that is nowhere.
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
    text = text_of(found, SAYS)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(text, output)
    click.echo(f"{output}: {len(found)} gauges of {task}")


def _known(path: Path) -> Any:
    return read_json(path) if path.exists() else None

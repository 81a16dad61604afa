"""`python -m ops init`: write a task for a table of your own, so that the pipeline runs on it without any code."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--name", metavar="NAME", help="What to call the task; the file's name by default.")
@click.option("--positive", metavar="VALUE", help="The class to look for; needed where there are more than two.")
@click.option("--time", metavar="COLUMN", help="When a row was: learn from the past, test on what followed.")
@click.option("--unit", metavar="COLUMN", help="Whose row it is, where a customer or a machine has several.")
@click.option("--force", is_flag=True, help="Write over a task and a source of that name.")
def init(
    *, file: Path, target: str, name: str | None, positive: str | None, time: str | None, unit: str | None, force: bool
) -> None:
    """Write tasks/NAME.yaml for a FILE (CSV or Parquet) and copy it to data/source/NAME.

    Delimiter, encoding, types, missing values, identifiers, constants, groups and the positive class are found out and
    told with the reason. What is wrong can be put right in the task file. For example:

    \b
        python -m ops init telco.csv --target Churn
        python -m ops init visits.csv --target returned --unit patient_id --time visited
    """  # noqa: D301 - the mark tells click to keep the lines as they are
    from ops.init.inference import Wishes  # noqa: PLC0415 - half a second, of which `--help` has no use
    from ops.init.new_task import write_task  # noqa: PLC0415 - as above

    wishes = Wishes(target=target, positive=positive, time=time, unit=unit)
    click.echo(write_task(file, wishes, name=name, force=force))

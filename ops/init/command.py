"""`python -m ops init`: write a task folder for your own table."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--target", metavar="COLUMN", help="The column to predict (required with FILE).")
@click.option("--name", metavar="NAME", help="The task's name.  [default: the file's name]")
@click.option("--positive", metavar="VALUE", help="The positive class; required with more than two classes.")
@click.option("--above", type=float, metavar="NUMBER", help="The target is a number: rows above NUMBER are positive.")
@click.option("--time", metavar="COLUMN", help="The time of a row: train on the past, test on later rows.")
@click.option("--unit", metavar="COLUMN", help="The unit of a row, if a unit (such as a customer) has several rows.")
@click.option(
    "--group", "groups", metavar="COLUMN", multiple=True, help="A column to compare for fairness; repeatable."
)
@click.option("--ignore", metavar="COLUMN", multiple=True, help="A column to leave out; repeatable.")
@click.option("--question", metavar="TEXT", help="The question that the model answers, for README and card.")
@click.option(
    "--header", metavar="NAMES", help="Without a header: `none`, or the names, with commas; `first`: line 1 has them."
)
@click.option("--force", is_flag=True, help="Overwrite an existing task and source.")
@click.option("--move", metavar="NAME", help="Only move an old tasks/NAME.yaml into the folder tasks/NAME.")
def init(  # noqa: PLR0913 - one for each option
    *,
    file: Path | None,
    target: str | None,
    name: str | None,
    positive: str | None,
    above: float | None,
    time: str | None,
    unit: str | None,
    groups: tuple[str, ...],
    ignore: tuple[str, ...],
    question: str | None,
    header: str | None,
    force: bool,
    move: str | None,
) -> None:
    """Write the task folder tasks/NAME for a FILE (CSV or Parquet) and copy the file to data/source/NAME.

    Delimiter, encoding, types, missing values, identifiers, constants, groups and the positive class are detected; each
    decision is printed with its reason. Correct what is wrong in tasks/NAME/task.yaml. For example:

    \b
        python -m ops init telco.csv --target Churn
        python -m ops init visits.csv --target returned --unit patient_id --time visited
        python -m ops init houses.csv --target price --above 250000
        python -m ops init rows.csv --header none --target column_7 --ignore column_2
    """  # noqa: D301 - the mark tells click to keep the lines as they are
    if move is not None:
        from ops.init.move_task import move_task  # noqa: PLC0415 - slow imports, which `--help` does not need

        click.echo(move_task(move))
        return
    if file is None or target is None:
        raise click.UsageError("found no FILE or no --target, expected both: python -m ops init FILE --target COLUMN")
    if above is not None and positive is not None:
        raise click.UsageError("found --above and --positive, expected one of them")
    from ops.init.inference import Options  # noqa: PLC0415 - as above
    from ops.init.new_task import write_task  # noqa: PLC0415 - as above

    options = Options(target, positive, time, unit, groups=groups, ignore=ignore, question=question, above=above)
    click.echo(write_task(file, options, name=name, header=header, force=force))

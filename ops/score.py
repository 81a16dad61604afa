"""`python -m ops score ROWS`: score the rows of a CSV or Parquet file."""

import lab.core.determinism  # noqa: F401 - the kernels of training and serving, before numpy is imported

import io
from csv import reader
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import SourceError
from lab.core.params import load_params, load_seed
from lab.core.schema import load_schema
from lab.core.stage_files import load_section
from lab.core.tables import read_table, write_table
from lab.drift.files import MISSING_WORDS
from lab.explain.settings import ExplainParams
from lab.models.models import CHALLENGER, CHAMPION, load_model
from lab.models.scoring import score_rows
from lab.predictions.predictions import score_column
from lab.task.words import WordsSection
from ops.pack.reasoning import reasoning_of, reasons_for

REFERENCE = Path("data/explanations/reference.parquet")
FOLDERS = {"champion": CHAMPION, "challenger": CHALLENGER}
PARQUET, CSV = (".parquet", ".pq"), (".csv",)


@click.command()
@click.argument("rows", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--model", type=click.Choice(list(FOLDERS)), default="champion", show_default=True, help="The model that scores."
)
@click.option(
    "--reasons", type=click.IntRange(1, 10), metavar="N", help="Add the N strongest reasons of each score, as text."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A CSV or Parquet file, instead of printing CSV."
)
def score(*, rows: Path, model: str, reasons: int | None, output: Path | None) -> None:
    r"""Score each row of a CSV or Parquet file with the model in models/, as the pipeline scores.

    The file needs the model's features (data/features/schema.json). Its other columns, such as keys, are kept, its
    order too; the score is the last column, as in data/predictions. An empty field of a CSV is a missing value.
    --reasons adds reason_1, reason_2, … as the stage explain and the server give them; empty where there are fewer.

    \b
      python -m ops score data/features/test.parquet --output scores.csv
      python -m ops score data/features/test.parquet --reasons 3 --output scores.parquet
    """
    check_ending(rows)
    if output is not None:
        check_ending(output)
        if output.exists() and output.samefile(rows):
            raise SourceError(
                f"--output {output} is the file that is read, expected another. Cure: --output scores.csv"
            )
    read = read_rows(rows)
    table = scored(read, model=model, where=rows)
    for at, texts in enumerate(reasons_by_rank(read, model=model, most=reasons) if reasons else (), start=1):
        table = table.append_column(f"reason_{at}", pa.array(texts, pa.string()))
    if output is None:
        click.echo(csv_bytes(table), nl=False)
    elif output.suffix in PARQUET:
        write_table(table, output)
    else:
        with replaced_file(output) as partial:
            partial.write_bytes(csv_bytes(table))


def scored(table: pa.Table, *, model: str, where: Path) -> pa.Table:
    """Return the table with the scores of a model as its last column."""
    fitted, name, names = load_model(FOLDERS[model]), score_column(model), table.column_names
    wrong = [column for column in sorted(fitted.features) if names.count(column) != 1]
    if wrong or name in names:
        raise SourceError(
            f"{where} has the columns {names}, expected each feature of the model once and no {name}; "
            f"lacking or repeated: {wrong}. Cure: name the columns as in data/features/schema.json."
        )
    if not table.num_rows:
        raise SourceError(f"{where} has no rows, expected one or more. Cure: name a file with rows.")
    return table.append_column(name, pa.array(score_rows(fitted, table)))


def reasons_by_rank(rows: pa.Table, *, model: str, most: int) -> list[list[str | None]]:
    """Return the strongest reason of every row, then the second strongest of every row, and so on."""
    params, words = load_params("explain", ExplainParams), load_section("words", WordsSection).words
    reasoning = reasoning_of(
        load_model(FOLDERS[model]),
        read_table(REFERENCE),
        load_schema().features,
        words,
        walks=params.walks,
        seed=load_seed(),
    )
    found = reasons_for(reasoning, rows, most=most)
    return [[own[at].text if at < len(own) else None for own in found] for at in range(most)]


def read_rows(path: Path) -> pa.Table:
    """Return the rows of a file; each value of a CSV is text, which the model reads by the kind of its feature."""
    if path.suffix in PARQUET:
        return _read_parquet(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            names = next(reader(stream), [])
        text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=MISSING_WORDS, strings_can_be_null=True
        )
        return csv.read_csv(path, convert_options=text)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path} cannot be read as CSV: {error}. Cure: write it with commas, a header and UTF-8."
        ) from error


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"{path} cannot be read as Parquet: {error}. Cure: write it again.") from error


def csv_bytes(table: pa.Table) -> bytes:
    """Return a table as CSV."""
    buffer = io.BytesIO()
    try:
        csv.write_csv(table, buffer, csv.WriteOptions(quoting_style="needed"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(f"the rows cannot be written as CSV: {error}. Cure: --output scores.parquet") from error
    return buffer.getvalue()


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet by its name."""
    if path.suffix not in {*CSV, *PARQUET}:
        raise SourceError(
            f"{path} ends with {path.suffix!r}, expected one of {[*CSV, *PARQUET]}. Cure: name a CSV or Parquet file."
        )

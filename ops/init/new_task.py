"""Write the task folder of a file, and report the decisions."""

import filecmp
import re
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ParamsError, SourceError
from lab.core.params import parse
from lab.core.yaml_files import read_yaml
from lab.dataset.features import with_query
from lab.dataset.source import MISSING_MARKS, FileTable
from lab.ingest.files import PARQUET, names_in, open_table
from lab.task.schema import QUERY, TASK, TASKS, Task
from ops.init.csv_dialect import sniff
from ops.init.header import column_names
from ops.init.inference import Inference, Options, infer_task
from ops.init.render import to_text
from ops.init.spelling import decimal_of, free_names, marks_in
from ops.init.task_file import query_of, task_file

SOURCES = Path("data/source")
ROWS_LOOKED_AT = 1_000_000
NAME = re.compile(r"[a-z][a-z0-9_]*")


def write_task(file: Path, options: Options, *, name: str | None, header: str | None, force: bool) -> str:
    """Write the task and its source, and return the report; nothing is written on an error."""
    _refuse_no_file(file)
    task = name if name is not None else name_of(file)
    path, source = TASKS / task / TASK, SOURCES / task / file.name
    _refuse_taken(task, path, source, file, force=force)
    spelled, marks = _spelling_of(file, options, header=header)
    rows, total = _rows_of(file, spelled)
    meant = _renamed(options, spelled)
    found = infer_task(rows, meant)
    _refuse_no_feature(found)
    text = task_file(
        found,
        spelled,
        name=task,
        table=name_of(file),
        target=meant.target,
        minimum_rows=max(1, total // 2),
        command=_command(file, options, name, header),
        question=options.question,
    )
    query = query_of(found, table=name_of(file), target=meant.target) if found.above is not None else None
    _write_checked(text, path, query)
    if not (source.exists() and source.samefile(file)):
        with replaced_file(source) as partial:
            shutil.copyfile(file, partial)
    return to_text(found, spelled, marks, task=task, target=meant.target, rows=total, looked_at=rows.num_rows)


def name_of(file: Path) -> str:
    """Return the name of a file's task and table.

    >>> name_of(Path("My Data (2).csv.gz")), name_of(Path("2024.csv")), name_of(Path("Kündigung.csv"))
    ('my_data_2', 'table_2024', 'k_ndigung')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", file.name.split(".")[0].casefold()).strip("_")
    return plain if NAME.fullmatch(plain) else f"table_{plain}".rstrip("_")


def _refuse_no_file(file: Path) -> None:
    if not Path("params.yaml").is_file() or not TASKS.is_dir():
        raise ParamsError(
            "found no params.yaml and tasks/ here, expected the root of the repository. Cure: change to it."
        )
    if file.is_dir():
        raise SourceError(f"{file} is a folder, expected a CSV or Parquet file. Cure: name one file in it.")
    if not file.is_file():
        near = sorted(other.name for other in file.parent.glob("*") if other.is_file())[:10]
        raise SourceError(
            f"{file} is missing, expected a CSV or Parquet file; its folder has {near}. Cure: correct the path."
        )


def _refuse_no_feature(found: Inference) -> None:
    if not any(each.role in {"feature", "group"} for each in found.decisions):
        others = [f"{each.name}: {each.reason}" for each in found.decisions if each.role != "label"]
        raise SourceError(
            f"found no column to learn from, expected at least one. {'; '.join(others[:5]) or 'The target is alone'}."
        )


def _refuse_taken(task: str, path: Path, source: Path, file: Path, *, force: bool) -> None:
    if not NAME.fullmatch(task):
        raise ParamsError(
            f"found --name {task!r}, expected lower-case letters, digits and _, such as {name_of(Path(task))}."
        )
    if path.exists() and not force:
        raise ParamsError(f"{path} exists already. Cure: --name ANOTHER, or --force to overwrite it.")
    if source.exists() and not force and not filecmp.cmp(source, file, shallow=False):
        raise SourceError(f"{source} exists already with other content. Cure: --name ANOTHER, or --force.")


def _spelling_of(file: Path, options: Options, *, header: str | None) -> tuple[FileTable, dict[str, int]]:
    """Return how to read the file, and the number of cells with each missing mark."""
    plain = FileTable(path=file.name, missing=())
    if file.suffix.lower() not in PARQUET:
        form = sniff(file)
        plain = plain.model_copy(update={"delimiter": form.delimiter, "encoding": form.encoding})
        plain = plain.model_copy(update={"names": column_names(file, plain, header=header)})
    # The label may be named label, and the time column moment: these are their names in the feature table.
    keep = [name for name, meant in ((options.target, "label"), (options.time, "moment")) if name == meant]
    plain = plain.model_copy(update={"rename": free_names(names_in(file, plain), keep=keep)})
    if file.suffix.lower() in PARQUET:
        return plain, {}
    rows, _ = _rows_of(file, plain)
    marks = marks_in(rows, MISSING_MARKS)
    missing = ("", *(mark for mark in marks if mark))
    return plain.model_copy(update={"missing": missing, "decimal": decimal_of(rows, missing)}), marks


def _rows_of(file: Path, spelled: FileTable) -> tuple[pa.Table, int]:
    """Return the first million rows, and the number of all rows; the whole file is read."""
    schema, batches = open_table(file, spelled)
    kept, total = [schema.empty_table()], 0
    for batch in batches:
        if total < ROWS_LOOKED_AT:
            kept.append(batch.slice(0, ROWS_LOOKED_AT - total))
        total += batch.num_rows
    return pa.concat_tables(kept), total


def _renamed(options: Options, spelled: FileTable) -> Options:
    one = {key: getattr(options, key) for key in ("target", "time", "unit")}
    several = {key: getattr(options, key) for key in ("groups", "ignore")}
    renamed = {key: spelled.rename.get(name, name) for key, name in one.items() if name}
    lists = {key: tuple(spelled.rename.get(name, name) for name in names) for key, names in several.items()}
    return Options(**{**asdict(options), **renamed, **lists})


def _command(file: Path, options: Options, name: str | None, header: str | None) -> str:
    named = {**asdict(options), "name": name, "header": header}
    several = [(key, value if isinstance(value, tuple) else (value,)) for key, value in named.items()]
    given = [
        (key.replace("groups", "group"), value) for key, values in several for value in values if value is not None
    ]
    words = [word for key, value in given for word in (f"--{key}", f"{value:g}" if isinstance(value, float) else value)]
    return shlex.join(["python", "-m", "ops", "init", file.name, *words])


def _write_checked(text: str, path: Path, query: str | None) -> None:
    """Write a task file and its query after checking that the stage `task` accepts them."""
    with replaced_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
        cure = "Cure: give the columns plainer names; otherwise report a bug of `python -m ops init`."
        parse(with_query(read_yaml(partial, cure=cure), query), kind=Task, where=str(path), cure=cure)
    if query is None:
        path.with_name(QUERY).unlink(missing_ok=True)
    else:
        with replaced_file(path.with_name(QUERY)) as partial:
            partial.write_text(query, encoding="utf-8")

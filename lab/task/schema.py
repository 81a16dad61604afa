"""Read and validate a task file."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from pydantic import model_validator

from lab.core.errors import ParamsError
from lab.core.params import parse, shown
from lab.core.yaml_files import read_yaml
from lab.dataset.features import ROW, FeaturesSection, with_query
from lab.dataset.source import FilesSource, SourceSection, SqlSource
from lab.dataset.split import GroupSplit, SplitSection, TimeSplit
from lab.dataset.tables import TablesSection
from lab.experiment.design import ExperimentSection
from lab.task.gates import GatesSection
from lab.task.money import MoneySection
from lab.task.words import WordsSection, features_in

TASKS = Path("tasks")
TASK = "task.yaml"
QUERY = "features.sql"
NAME = re.compile(r"\w[\w.-]{0,99}")
NO_FEATURES = {"identifier", "ignore"}


class Task(
    SourceSection,
    TablesSection,
    SplitSection,
    FeaturesSection,
    MoneySection,
    GatesSection,
    WordsSection,
    ExperimentSection,
):
    """A whole task file; the rules below span several sections."""

    @model_validator(mode="after")
    def every_described_table_has_a_source(self) -> Self:
        if isinstance(self.source, FilesSource | SqlSource) and set(self.source.tables) != set(self.tables):
            raise ValueError(
                f"source has the tables {sorted(self.source.tables)}, tables describes {sorted(self.tables)}"
            )
        return self

    @model_validator(mode="after")
    def a_flat_table_has_the_columns_it_names(self) -> Self:
        if self.features.table is None:
            return self
        if self.features.table not in self.tables:
            raise ValueError(f"features.table is {self.features.table!r}, tables describes {sorted(self.tables)}")
        table = self.tables[self.features.table]
        columns = table.columns.keys() | (set() if table.key else {ROW})
        named = {self.features.label, *self.features.unit, *self.features.groups}
        named |= {self.features.moment} if self.features.moment else set()
        named |= {self.split.column} if isinstance(self.split, GroupSplit) else set()
        if unknown := sorted(named - columns):
            raise ValueError(f"features and split name {unknown}, the columns are {sorted(columns)}")
        return self

    @model_validator(mode="after")
    def words_are_of_features(self) -> Self:
        table = self.tables.get(self.features.table or "")
        if table is None:  # the features of a query are known after it has run: the stage explain checks them
            return self
        taken = {self.features.label, self.features.moment, *self.features.unit}
        features = {
            name for name, column in table.columns.items() if column.type not in NO_FEATURES and name not in taken
        }
        if unknown := sorted(set(features_in(self.words)) - features):
            raise ValueError(f"words name {unknown}, the features are {sorted(features)}")
        return self

    @model_validator(mode="after")
    def a_split_by_time_has_a_moment(self) -> Self:
        if isinstance(self.split, TimeSplit) and self.features.moment is None:
            raise ValueError("split.kind is time, so features.moment must name a column of moments")
        return self


def task_names() -> list[str]:
    """Return the names of all tasks, sorted."""
    return sorted(path.parent.name for path in TASKS.glob(f"*/{TASK}"))


def read_task(name: str) -> Task:
    """Return the validated task of `tasks/NAME`, with its query."""
    path = TASKS / name / TASK
    if not NAME.fullmatch(name) or not path.is_file():
        raise ParamsError(_missing(shown(name), TASKS / shown(name) / TASK))
    example = next((other for other in task_names() if other != name), name)
    cure = f"Cure: correct {path}; compare it with {TASKS}/{example}/{TASK}."
    content, query = read_yaml(path, cure=cure), path.with_name(QUERY)
    if "query" in (content.get("features") or ()):
        raise ParamsError(f"{path}: features.query is text in YAML, expected the file {query}. Cure: move it there.")
    return parse(
        with_query(content, query.read_text(encoding="utf-8") if query.is_file() else None),
        kind=Task,
        where=str(path),
        cure=cure,
    )


def _missing(name: str, path: Path) -> str:
    names = task_names()
    if (old := TASKS / f"{name}.yaml").is_file():
        return f"{old} has the old format, expected {path}. Cure: python -m ops init --move {name}"
    near = get_close_matches(name, names, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return (
        f"{path} is missing, expected one of the tasks {names} in params.yaml: task. {guess}"
        "Cure: choose one of them, or write one for your table: python -m ops init FILE --target COLUMN"
    )

"""The whole task file: one schema, strict, read once by the stage `task` and cut into sections."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from lab.core.errors import ParamsError
from lab.core.params import parse
from lab.core.yaml_files import read_yaml
from lab.dataset.features import ROW, FeaturesSection
from lab.dataset.source import FilesSource, SourceSection, SqlSource
from lab.dataset.split import GroupSplit, SplitSection, TimeSplit
from lab.dataset.tables import TablesSection
from lab.task.experiment import ExperimentSection
from lab.task.gates import GatesSection
from lab.task.money import MoneySection
from lab.task.words import WordsSection, named_in

TASKS = Path("tasks")
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
    """A task: what is predicted, from which data, worth how much, and how good it must be."""

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
        if table is None:  # what a query makes is known when it has run: the stage explain looks then
            return self
        taken = {self.features.label, self.features.moment, *self.features.unit}
        features = {
            name for name, column in table.columns.items() if column.type not in NO_FEATURES and name not in taken
        }
        if unknown := sorted(set(named_in(self.words)) - features):
            raise ValueError(f"words name {unknown}, the features are {sorted(features)}")
        return self

    @model_validator(mode="after")
    def a_split_by_time_has_a_moment(self) -> Self:
        if isinstance(self.split, TimeSplit) and self.features.moment is None:
            raise ValueError("split.kind is time, so features.moment must name the column that tells the time")
        return self


def read_task(name: str) -> Task:
    """Return a task by its name, checked from end to end."""
    path = TASKS / f"{name}.yaml"
    names = sorted(found.stem for found in TASKS.glob("*.yaml"))
    if name not in names:
        raise ParamsError(
            f"{path} is missing, expected one of the tasks {names}, as params.yaml: task says. "
            "Cure: choose one of them, or write your own from a table: python -m ops init FILE --target COLUMN"
        )
    content = read_yaml(path, cure=f"Compare it with {TASKS}/churn.yaml.")
    return parse(
        content, kind=Task, where=str(path), cure=f"Cure: correct {path}; {TASKS}/churn.yaml shows every section."
    )

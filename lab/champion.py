"""The champion: the specification that was promoted for a task, kept in git."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from lab.documents import read_yaml
from lab.errors import ParamsError, SourceError
from lab.params import parse
from lab.schema import FeatureSchema
from lab.specification import Specification

FILE = Path("champion.yaml")
DEFAULT = "default"
CURE = "Compare it with the committed file: git diff champion.yaml"


class Champion(Specification):
    """A promoted specification: which promotion it is, and the last day on which its rows' labels became known."""

    version: int = Field(ge=1)
    trained_until: date | None = None

    @property
    def specification(self) -> Specification:
        return Specification.model_validate({name: getattr(self, name) for name in Specification.model_fields})


def read_champion(task: str, path: Path = FILE) -> tuple[str, Champion]:
    """Return a task's champion, or the default one where the task has none of its own, after its place in the file."""
    content = read_yaml(path, cure="Bring it back: git checkout champion.yaml")
    name = task if task in content else DEFAULT
    if name not in content:
        raise ParamsError(f"{path} holds {sorted(content)}, expected {task} or {DEFAULT}. {CURE}")
    where = f"{path}: {name}"
    return where, parse(content[name], kind=Champion, where=where, cure=CURE)


def rows_known_by(table: pa.Table, schema: FeatureSchema, until: date | None, *, where: str) -> pa.Table:
    """Return the rows whose label was known by the end of a day: their moment lies a horizon before it, or longer."""
    if until is None:
        return table
    if schema.moment is None:
        raise ParamsError(
            f"{where}.trained_until is {until}, expected null, for the task's rows have no moment. Correct it there."
        )
    known_before = datetime.combine(until, time.min) + timedelta(days=1 - schema.folds.horizon_days)
    known = table.filter(pc.less(table[schema.moment], pa.scalar(known_before, table[schema.moment].type)))
    if not known.num_rows:
        oldest = pc.min(table[schema.moment]).as_py()
        raise SourceError(
            f"{where}.trained_until is {until}, but the oldest training row is of {oldest:%Y-%m-%d} and its label "
            f"became known {schema.folds.horizon_days} days later. Cure: a later day, or null for all rows."
        )
    return known

"""The champion: the specification that was promoted for a task, kept in git."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from lab.core.errors import ParamsError, SourceError
from lab.core.params import Params, parse
from lab.core.schema import FeatureSchema
from lab.core.yaml_files import read_yaml
from lab.model_files.specification import Specification

FILE = Path("champion.yaml")
DEFAULT = "default"
CURE = "Compare it with the committed file: git diff champion.yaml"


class Gain(Params):
    """By how much a metric of the test window was better than the replaced champion's, with its interval of 95 %."""

    metric: str
    value: float
    low: float
    high: float


class Champion(Specification):
    """A promoted specification: which promotion it is, and the last day on which its rows' labels became known.

    The rest is for people and for the registry: the version whose place it took, why, and by what gain.
    """

    version: int = Field(ge=1)
    trained_until: date | None = None
    replaces: int | None = Field(default=None, ge=1)
    because: str | None = None
    gain: Gain | None = None

    @property
    def specification(self) -> Specification:
        return Specification.model_validate({name: getattr(self, name) for name in Specification.model_fields})


def read_champion(task: str, path: Path = FILE) -> tuple[str, Champion]:
    """Return a task's champion, or the default one where the task has none of its own, after its place in the file."""
    return champion_in(read_yaml(path, cure="Bring it back: git checkout champion.yaml"), task, file=str(path))


def champion_in(content: Mapping[str, Any], task: str, *, file: str) -> tuple[str, Champion]:
    """Return a task's champion of the content of champion.yaml, as read_champion does; `file` names it in a message."""
    name = task if task in content else DEFAULT
    if name not in content:
        raise ParamsError(f"{file} holds {sorted(content)}, expected {task} or {DEFAULT}. {CURE}")
    where = f"{file}: {name}"
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

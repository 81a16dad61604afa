"""The champion: the promoted specification of a task, in champion.yaml."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

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


Reason = Annotated[str, Field(min_length=1)]


class Gain(Params):
    """The gain of a metric on the test window over the replaced champion, with its 95 % interval."""

    metric: str
    value: float
    low: float
    high: float


class Champion(Specification):
    """A promoted specification with its version; `trained_until` is the last day on which labels were known.

    The other fields are for people and for the registry: the replaced version, the reason, the gain, and a person's
    reason for each gate that did not pass.
    """

    version: int = Field(ge=1)
    trained_until: date | None = None
    replaces: int | None = Field(default=None, ge=1)
    because: str | None = None
    gain: Gain | None = None
    overruled: dict[str, Reason] | None = None

    @property
    def specification(self) -> Specification:
        return Specification.model_validate({name: getattr(self, name) for name in Specification.model_fields})


def read_champion(task: str, path: Path = FILE) -> tuple[str, Champion]:
    """Return the place in the file and the champion of a task, or the default champion."""
    return champion_in(read_yaml(path, cure="Restore it: git checkout champion.yaml"), task, file=str(path))


def champion_in(content: Mapping[str, Any], task: str, *, file: str) -> tuple[str, Champion]:
    """Return the same from the content of champion.yaml; `file` is for error messages."""
    name = task if task in content else DEFAULT
    if name not in content:
        raise ParamsError(f"{file} has {sorted(content)}, expected {task} or {DEFAULT}. {CURE}")
    where = f"{file}: {name}"
    return where, parse(content[name], kind=Champion, where=where, cure=CURE)


def rows_known_by(table: pa.Table, schema: FeatureSchema, until: date | None, *, where: str) -> pa.Table:
    """Return the rows whose label was known at the end of a day: their moment is at least a horizon earlier."""
    if until is None:
        return table
    if schema.moment is None:
        raise ParamsError(
            f"{where}.trained_until is {until}, expected null: the task's rows have no moment. Correct it there."
        )
    known_before = datetime.combine(until, time.min) + timedelta(days=1 - schema.folds.horizon_days)
    known = table.filter(pc.less(table[schema.moment], pa.scalar(known_before, table[schema.moment].type)))
    if not known.num_rows:
        oldest = pc.min(table[schema.moment]).as_py()
        raise SourceError(
            f"{where}.trained_until is {until}, but the oldest training row is of {oldest:%Y-%m-%d} and its label "
            f"became known {schema.folds.horizon_days} days later. Cure: set a later day, or null for all rows."
        )
    return known

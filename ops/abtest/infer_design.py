"""Describe a log from its columns and a few words, where no design file does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.params import parse
from lab.experiment.design import Design, Kind
from lab.experiment.log import open_log, schema_of

UNITS = ("unit", "user", "customer", "visitor", "id")
ARMS = ("arm", "variant", "group", "treatment", "bucket")
CONTROLS = ("control", "champion", "a", "off", "0")
CURE = "Cure: say it by an option (see --help), or in a file: --design FILE"


def guess_design(path: Path, said: Mapping[str, Any]) -> Design:
    """Return the design that the options say, filled in from what the log's columns are called and hold."""
    names = schema_of(path).names
    unit = said["unit"] or _found(UNITS, names, "the unit that was assigned", "--unit", path)
    arm = said["arm"] or _found(ARMS, names, "the arm", "--arm", path)
    weights = said["weights"] or dict.fromkeys(_arms_in(path, arm), 1.0)
    control = said["control"] or _control_of(sorted(weights), path)
    named = dict.fromkeys([said["primary"], *said["outcomes"], *said["guardrails"]])
    content = {
        "unit": unit,
        "arm": arm,
        "control": control,
        "weights": weights,
        "primary": said["primary"],
        "outcomes": {name: _outcome(name, said, path) for name in named},
        **{key: said[key] for key in ("time", "stratum", "segments", "looks", "level")},
    }
    return parse(content, kind=Design, where="the options", cure=CURE)


def _outcome(name: str, said: Mapping[str, Any], path: Path) -> dict[str, Any]:
    per, covariate = said["per"].get(name), said["covariates"].get(name)
    return {
        "kind": "ratio" if per else _kind_of(name, path),
        "higher_is_better": name not in said["lower"],
        **({"per": per} if per else {}),
        **({"covariate": covariate} if covariate else {}),
        **({"margin": said["guardrails"][name]} if name in said["guardrails"] else {}),
    }


def _found(words: Sequence[str], names: Sequence[str], what: str, option: str, path: Path) -> str:
    ranked = [name for word in words for name in names if name.lower() in {word, f"{word}_id"}]
    if not ranked:
        raise SourceError(
            f"{path} has the columns {list(names)}, expected one that names {what}. Cure: {option} COLUMN"
        )
    return ranked[0]


def _arms_in(path: Path, arm: str) -> list[str]:
    found: set[str] = set()
    for batch in open_log(path, columns=[arm], words=[arm]):
        column = batch.column(0)
        names = column.dictionary if pa.types.is_dictionary(column.type) else column
        found |= {str(name) for name in names.to_pylist() if name is not None}
        if len(found) > 20:
            raise SourceError(f"{path}: {arm} holds more than 20 arms. Cure: --arm COLUMN, the one that names the arm")
    if len(found) < 2:
        raise SourceError(
            f"{path}: {arm} holds {sorted(found)}, expected two arms or more. Cure: give the planned arms, so that one "
            "without units is found: --weight control=1 --weight treatment=1"
        )
    return sorted(found)


def _control_of(arms: Sequence[str], path: Path) -> str:
    ranked = [arm for word in CONTROLS for arm in arms if arm.lower() == word]
    if not ranked:
        raise SourceError(f"{path} has the arms {list(arms)}, expected to know the control. Cure: --control ARM")
    return ranked[0]


def _kind_of(name: str, path: Path) -> Kind:
    """Return "share" where the first rows hold 0 and 1 only, else "mean"."""
    batch = next(iter(open_log(path, columns=[name])), None)
    column = None if batch is None else batch.column(0)
    if column is None or pa.types.is_boolean(column.type):
        return "share"
    words = {str(word).lower() for word in column.to_pylist()}
    return "share" if words <= {"0", "1", "0.0", "1.0", "true", "false", "none"} else "mean"

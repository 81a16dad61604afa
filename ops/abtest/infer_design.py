"""Infer the design of an experiment from options and the columns of its log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.params import parse
from lab.experiment.design import Design, Kind
from lab.experiment.log import columns_of, open_log

UNITS = ("unit", "user", "customer", "visitor", "id")
ARMS = ("arm", "variant", "group", "treatment", "bucket")
CONTROLS = ("control", "champion", "a", "off", "0")
ZERO_OR_ONE = {"0", "1", "0.0", "1.0", "true", "false", "none"}
FEW_OTHERS = 0.1  # a share with mistakes, not a count
CURE = "Cure: give it by an option (see --help), or in a file: --design FILE"


def infer_design(path: Path, options: Mapping[str, Any]) -> Design:
    """Return the design of the options, completed from the names and values of the log's columns."""
    names = columns_of(path)
    unit = options["unit"] or _found(UNITS, names, "the assigned unit", "--unit", path)
    arm = options["arm"] or _found(ARMS, names, "the arm", "--arm", path)
    weights = options["weights"] or dict.fromkeys(_arms_in(path, arm), 1.0)
    control = options["control"] or _control_of(sorted(weights), path)
    named = dict.fromkeys([options["primary"], *options["outcomes"], *options["guardrails"]])
    content = {
        "unit": unit,
        "arm": arm,
        "control": control,
        "weights": weights,
        "primary": options["primary"],
        "outcomes": {name: _outcome(name, options, path) for name in named},
        **{key: options[key] for key in ("repeated_units", "time", "stratum", "segments", "looks", "level")},
    }
    return parse(content, kind=Design, where="the options", cure=CURE)


def _outcome(name: str, options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    per, covariate = options["per"].get(name), options["covariates"].get(name, [])
    return {
        "kind": "ratio" if per else _kind_of(name, path),
        "higher_is_better": name not in options["lower"],
        "measured_in": options["measured_in"].get(name),
        **({"per": per} if per else {}),
        **({"covariate": covariate} if covariate else {}),
        **({"margin": options["guardrails"][name]} if name in options["guardrails"] else {}),
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
            raise SourceError(f"{path}: {arm} has more than 20 values, expected arms. Cure: --arm COLUMN")
    if len(found) < 2:
        raise SourceError(
            f"{path}: {arm} contains {sorted(found)}, expected two arms or more. Cure: give all planned arms, also "
            "those without units: --weight control=1 --weight treatment=1"
        )
    return sorted(found)


def _control_of(arms: Sequence[str], path: Path) -> str:
    ranked = [arm for word in CONTROLS for arm in arms if arm.lower() == word]
    if not ranked:
        raise SourceError(f"{path} has the arms {list(arms)}, expected one named {CONTROLS}. Cure: --control ARM")
    return ranked[0]


def _kind_of(name: str, path: Path) -> Kind:
    """Return "share" when the first rows contain only 0 and 1, else "mean"; a few other values are said."""
    batch = next(iter(open_log(path, columns=[name])), None)
    column = None if batch is None else batch.column(0)
    if column is None or pa.types.is_boolean(column.type):
        return "share"
    words = [str(word).lower() for word in column.to_pylist()]
    others = [word for word in words if word not in ZERO_OR_ONE]
    if others and len(others) <= FEW_OTHERS * len(words):
        click.echo(
            f"{path}: {name} is analysed as a mean, because {len(others):,} of the first {len(words):,} rows have "
            f"values other than 0 and 1, such as {others[0]}. If it is a share, correct these rows.",
            err=True,
        )
    return "mean" if others else "share"

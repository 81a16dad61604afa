"""List the runs of a sweep from settings as in `dvc exp run -S`."""

import difflib
import hashlib
import itertools
import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from ruamel.yaml.error import YAMLError

from lab.core.errors import ParamsError
from lab.core.yaml_files import load_yaml, read_yaml
from ops.dvc.errors import DvcError
from ops.dvc.overrides import parse_override, write_overrides

FILE = "params.yaml"
HELP = "Cure: see python -m ops sweep --help"
MOST = 1000  # runs; more is surely a mistake

Settings = Mapping[str, str]
Parsed = list[tuple[str, Override]]


@dataclass(frozen=True)
class Run:
    """One run: its experiment's name, its settings (`+key` adds a key), and the resulting params."""

    name: str
    settings: Settings
    params: Mapping[str, Any]

    @property
    def overrides(self) -> list[str]:
        return overrides_of(self.settings)


def overrides_of(settings: Settings) -> list[str]:
    """Return the arguments of `-S`; a removed key (`~key`) has no value."""
    return [key if key.startswith("~") and not value else f"{key}={value}" for key, value in settings.items()]


def grid(words: Sequence[str]) -> list[Settings]:
    """Return every combination of the listed values, the last one changing fastest."""
    parsed = _parsed(words)
    lists = [[(key, value) for value in _values(override)] for key, override in parsed]
    if (count := _combinations(parsed)) > MOST:
        raise ParamsError(f"found {count:,} combinations, expected {MOST:,} at most. Cure: fewer values, or --random N")
    return [dict(combination) for combination in itertools.product(*lists)]


def drawn(words: Sequence[str], *, count: int, seed: int) -> list[Settings]:
    """Return random combinations; `interval(low,high)` is uniform. None is repeated, if there are few enough to list.

    `tag(log,interval(low,high))` is uniform on a log scale.
    """
    parsed, rng = _parsed(words), np.random.default_rng(seed)
    if _combinations(parsed) <= MOST:
        every = grid(words)
        chosen = sorted(rng.permutation(len(every))[:count].tolist())
        return [every[place] for place in chosen]
    return [{key: _drawn(override, rng) for key, override in parsed} for _ in range(count)]


def _combinations(parsed: Parsed) -> float:
    """Return the number of combinations; infinity with an interval."""
    continuous = any(isinstance(override.value(), IntervalSweep) for _, override in parsed)
    return math.inf if continuous else math.prod(len(_values(override)) for _, override in parsed)


def listed_in(path: Path) -> list[Settings]:
    """Return the runs of a YAML file, each a mapping from settings to values."""
    try:
        found = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError) as error:
        raise ParamsError(f"{path} cannot be read: {error}; expected a list of runs. {HELP}") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) and each for each in found):
        raise ParamsError(f"{path} holds {type(found).__name__}, expected a list of mappings: - {{seed: 1}}. {HELP}")
    return [{str(key): spelled(value) for key, value in each.items()} for each in found]


def runs_of(every: Sequence[Settings], *, base: str, root: Path) -> list[Run]:
    """Return the distinct runs; refuse settings that params.yaml does not have."""
    runs: dict[str, Run] = {}
    for settings in every:
        params = _applied(settings, root)
        run = Run(name_of(settings, base=base), settings, params)
        runs.setdefault(json.dumps(params, sort_keys=True, default=str), run)
    return list(runs.values())


def name_of(settings: Settings, *, base: str) -> str:
    """Return the experiment's name: the same for the same settings and commit, and valid in git.

    >>> name_of({"train.candidates.boosting.settings.learning_rate": "0.03"}, base="ab12")
    'learning_rate-0.03-baf2e3b2'
    """
    content = json.dumps([base, sorted(settings.items())])
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    words = "-".join(f"{key.rpartition('.')[2].lstrip('+~')}-{value}" for key, value in settings.items())
    readable = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9_.]+", "-", words))[:40].strip("-.")
    return f"{readable}-{digest}"


def spelled(value: object) -> str:
    """Return a value in the syntax after the equals sign.

    >>> spelled({"estimator": "dummy", "features": ["a b", None, 1.5, True]})
    "{estimator:dummy,features:['a b',null,1.5,true]}"
    """
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{spelled(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(spelled, value))}]"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", value) and value.lower() not in {"null", "true", "false"}
        return (
            value if plain and value.lower() not in {"nan", "inf"} else "'" + re.sub(r"(\\*)'", r"\1\1\\'", value) + "'"
        )
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(words: Sequence[str]) -> Parsed:
    try:
        overrides = [parse_override(word) for word in words]
    except (HydraException, DvcError) as error:
        message = str(error).splitlines()[0]
        raise ParamsError(f"-S {list(words)}: {message}; expected NAME=VALUE or NAME=VALUE,VALUE. {HELP}") from error
    keys = [override.get_key_element() for override in overrides]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ParamsError(f"-S {sorted(twice)[0]} is given twice, expected once. Cure: list its values: a,b")
    return list(zip(keys, overrides, strict=True))


def _values(override: Override) -> list[str]:
    if isinstance(override.value(), IntervalSweep):
        raise ParamsError(f"-S {override.input_line}: an interval has no list of values. Cure: add --random N")
    if not override.is_sweep_override():
        return ["" if override.is_delete() else override.get_value_element_as_str()]
    return list(override.sweep_string_iterator())


def _drawn(override: Override, rng: np.random.Generator) -> str:
    value = override.value()
    if not isinstance(value, IntervalSweep):
        values = _values(override)
        return values[int(rng.integers(len(values)))]
    low, high = float(value.start or 0), float(value.end or 0)
    share = rng.random()
    found = low * (high / low) ** share if "log" in value.tags else low + (high - low) * share
    return f"{found:.4g}"


def _applied(settings: Settings, root: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / FILE
        copy.write_bytes((root / FILE).read_bytes())
        try:
            write_overrides(copy, overrides_of(settings))
        except (HydraException, DvcError, AssertionError) as error:
            raise _refusal(settings, error, root) from error
        found: dict[str, Any] = read_yaml(copy, cure=HELP)
    return found


def _refusal(settings: Settings, error: Exception, root: Path) -> ParamsError:
    known = _names(read_yaml(root / FILE, cure=HELP))
    for key in settings:
        if not key.startswith(("+", "~")) and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            cure = f"-S {near[0]}=…" if near else f"correct the name, or add it: -S +{key}=…"
            return ParamsError(f"-S {key}: {FILE} has no such key. Nothing has run. Cure: {cure}")
    said = str(error.__cause__ or error).splitlines()[0]
    return ParamsError(f"-S {' -S '.join(overrides_of(settings))}: {said}. {HELP}")


def _names(content: object, before: str = "") -> list[str]:
    if not isinstance(content, Mapping):
        return []
    names = [(f"{before}{key}", value) for key, value in content.items()]
    return [found for name, value in names for found in (name, *_names(value, f"{name}."))]

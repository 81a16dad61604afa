"""Load the models, test them, and take a new one when its folder changes."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic_core import to_json

from lab.compiled.files import MANIFEST, damage_as_model_error
from lab.core.errors import ModelError
from lab.model_files.compiled_names import ARRAYS, PROGRAM, REASONS, REASONS_ARRAYS
from serving.answers import scores_of
from serving.arms import CHALLENGER, CHAMPION, Arms
from serving.examples import examples_of
from serving.explaining import explained
from serving.models import ABOUT, LoadedModel, describe, load_model
from serving.settings import Settings

LOG = logging.getLogger("serving")
FILES = (MANIFEST, ABOUT, PROGRAM, ARRAYS, REASONS, REASONS_ARRAYS)
MEGABYTE = 1_000_000
LONGEST_REASON = 300
State = tuple[object, ...]


@dataclass(frozen=True)
class Served:
    """The models in use, the states of their folders, and by arm why the model of a folder was refused."""

    arms: Arms
    states: Mapping[str, State]
    refused: Mapping[str, str]


def load_arms(settings: Settings) -> Served:
    """Load the models from their folders; raise if one cannot be served."""
    states = _states(settings)
    models = {arm: _load(folder, settings) for arm, folder in _folders(settings).items()}
    return Served(_tested(models, settings), states, {})


def reload_arms(served: Served) -> Served:
    """Return the same instance while no folder has changed; a model that cannot be served leaves the current ones.

    A refused folder is read again when one of its files changes.
    """
    settings, states = served.arms.settings, _states(served.arms.settings)
    if states == served.states:
        return served
    current = {CHAMPION: served.arms.champion, CHALLENGER: served.arms.challenger}
    models = {arm: model for arm, model in current.items() if model is not None}
    refused = {arm: reason for arm, reason in served.refused.items() if states[arm] == served.states[arm]}
    arms = served.arms
    for arm, folder in _folders(settings).items():
        if states[arm] == served.states[arm]:
            continue
        try:
            arms = _tested({**models, arm: _load(folder, settings)}, settings)
            models[arm] = arms.model_of(arm)
        except ModelError as error:
            LOG.warning("cannot load the new model, keeping the current one: %s", error)
            refused[arm] = _without_path(str(error), folder)[:LONGEST_REASON]
    return Served(arms, states, refused)


def _without_path(reason: str, folder: Path) -> str:
    """Return a reason that names no path: /ready needs no key."""
    return reason.replace(f"{folder.resolve()}", folder.name).replace(f"{folder}", folder.name)


def _load(folder: Path, settings: Settings) -> LoadedModel:
    return load_model(folder, most_bytes=int(settings.most_model_megabytes * MEGABYTE))


def _tested(models: Mapping[str, LoadedModel], settings: Settings) -> Arms:
    """Return the arms, after a typical row was requested from each model."""
    arms = Arms(models[CHAMPION], models.get(CHALLENGER), settings)
    with damage_as_model_error(" and ".join(map(str, _folders(settings).values()))), np.errstate(all="ignore"):
        _check_kinds(arms)
        example = to_json(examples_of(arms)["/predict"])
        row = arms.request_types.read_row(example).columns
        for arm, model in models.items():
            json.dumps([scores_of(model, row), describe(model)], allow_nan=False)
            if model.reasoner is not None:
                json.dumps(explained(arms, arm, row, most=3), allow_nan=False)
    return arms


def _check_kinds(arms: Arms) -> None:
    others = arms.challenger.features if arms.challenger is not None else {}
    if differing := sorted(name for name, kind in arms.champion.features.items() if others.get(name, kind) != kind):
        raise ModelError(f"champion and challenger differ in the kind of {differing}")


def _folders(settings: Settings) -> dict[str, Path]:
    folders = {CHAMPION: settings.champion, CHALLENGER: settings.challenger}
    return {arm: folder for arm, folder in folders.items() if folder is not None}


def _states(settings: Settings) -> dict[str, State]:
    """Return what changes when a folder does: a link, or the time, size or number of a file."""
    return {arm: tuple(_state(folder / name) for name in FILES) for arm, folder in _folders(settings).items()}


def _state(path: Path) -> State:
    try:
        state = path.stat()
    except OSError as error:
        return (error.errno,)
    return (state.st_mtime_ns, state.st_size, state.st_ino, state.st_dev)

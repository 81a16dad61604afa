"""Champion and challenger as they are loaded now, and the arm of each unit."""

import logging
from dataclasses import dataclass
from functools import cached_property

from lab.core.errors import ModelError
from lab.stats.core.assignment import assign
from serving.models import Kind, LoadedModel, load_model, state_in
from serving.requests import RequestTypes, request_types
from serving.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"
LOG = logging.getLogger("serving")


@dataclass(frozen=True)
class Arms:
    """The loaded models; a request uses the same instance from start to end."""

    champion: LoadedModel
    challenger: LoadedModel | None
    settings: Settings

    @cached_property
    def request_types(self) -> RequestTypes:
        """The request types, with the features of both models."""
        return request_types(self.features, most_rows=self.settings.most_rows)

    @cached_property
    def features(self) -> dict[str, Kind]:
        """The features of both models, sorted by name."""
        both = {**(self.challenger.features if self.challenger else {}), **self.champion.features}
        return dict(sorted(both.items()))

    def arm_of(self, unit: str | None) -> str:
        """Return the arm of a unit, always the same one; without a unit it is the champion."""
        share = self.settings.challenger_share
        if self.challenger is None or unit is None or share == 0:
            return CHAMPION
        return (CHAMPION, CHALLENGER)[assign(unit, salt=self.settings.salt, weights=[1 - share, share])]

    def model_of(self, arm: str) -> LoadedModel:
        return self.challenger if arm == CHALLENGER and self.challenger is not None else self.champion


def load_arms(settings: Settings) -> Arms:
    """Load the models from their folders."""
    challenger = load_model(settings.challenger) if settings.challenger is not None else None
    return Arms(load_model(settings.champion), challenger, settings)


def reload_arms(arms: Arms) -> Arms:
    """Load the models again when a folder has changed; keep the current ones when loading fails."""
    settings = arms.settings
    try:
        found = [state_in(folder) for folder in (settings.champion, settings.challenger) if folder is not None]
        known = [model.state for model in (arms.champion, arms.challenger) if model is not None]
        return arms if found == known else load_arms(settings)
    except ModelError as error:
        LOG.warning("cannot load the new model, keeping the current one: %s", error)
        return arms

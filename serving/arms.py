"""Champion and challenger as they are loaded now, and the arm of each unit."""

from dataclasses import dataclass
from functools import cached_property

from lab.stats.core.assignment import assign
from serving.models import Kind, LoadedModel
from serving.requests import RequestTypes
from serving.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Arms:
    """The loaded models; a request uses the same instance from start to end."""

    champion: LoadedModel
    challenger: LoadedModel | None
    settings: Settings

    @cached_property
    def request_types(self) -> RequestTypes:
        """The request types, with the features of both models."""
        return RequestTypes(self.features, whole=self.whole_numbers, most_rows=self.settings.most_rows)

    @cached_property
    def features(self) -> dict[str, Kind]:
        """The features of both models, sorted by name."""
        both = {**(self.challenger.features if self.challenger else {}), **self.champion.features}
        return dict(sorted(both.items()))

    @cached_property
    def whole_numbers(self) -> frozenset[str]:
        """The features that one of the models knows as integers."""
        return frozenset(
            self.champion.about.whole_numbers + (self.challenger.about.whole_numbers if self.challenger else [])
        )

    def arm_of(self, unit: str | None) -> str:
        """Return the arm of a unit, always the same one; without a unit it is the champion."""
        share = self.settings.challenger_share
        if self.challenger is None or unit is None or share == 0:
            return CHAMPION
        return (CHAMPION, CHALLENGER)[assign(unit, salt=self.settings.salt, weights=[1 - share, share])]

    def model_of(self, arm: str) -> LoadedModel:
        return self.challenger if arm == CHALLENGER and self.challenger is not None else self.champion

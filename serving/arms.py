"""Who answers: champion and challenger as they are now, and what may be asked of the two."""

import logging
from dataclasses import dataclass
from functools import cached_property

from lab.core.errors import ModelError
from lab.stats.core.assignment import assign
from serving.models import Kind, Served, read_served, state_in
from serving.requests import Asked, asked_of
from serving.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"
LOG = logging.getLogger("serving")


@dataclass(frozen=True)
class Lineup:
    """One state of the server's models; a request keeps to the one that it began with."""

    champion: Served
    challenger: Served | None
    settings: Settings

    @cached_property
    def asked(self) -> Asked:
        """The types of requests: the features of both, for either may have to answer."""
        return asked_of(self.features, most_rows=self.settings.most_rows)

    @cached_property
    def features(self) -> dict[str, Kind]:
        """Every feature that one of the two takes, in the order of their names."""
        both = {**(self.challenger.features if self.challenger else {}), **self.champion.features}
        return dict(sorted(both.items()))

    def arm_of(self, unit: str | None) -> str:
        """Return which model answers for a unit: always the same one; who is not named gets the champion."""
        share = self.settings.challenger_share
        if self.challenger is None or unit is None or share == 0:
            return CHAMPION
        return (CHAMPION, CHALLENGER)[assign(unit, salt=self.settings.salt, weights=[1 - share, share])]

    def of(self, arm: str) -> Served:
        """Return the model of an arm."""
        return self.challenger if arm == CHALLENGER and self.challenger is not None else self.champion


def read_lineup(settings: Settings) -> Lineup:
    """Return the models that lie in the folders now."""
    challenger = read_served(settings.challenger) if settings.challenger is not None else None
    return Lineup(read_served(settings.champion), challenger, settings)


def renewed(lineup: Lineup) -> Lineup:
    """Return the same line-up, or a new one where a folder holds another model; what cannot be read changes nothing."""
    settings = lineup.settings
    try:
        found = [state_in(folder) for folder in (settings.champion, settings.challenger) if folder is not None]
        known = [served.state for served in (lineup.champion, lineup.challenger) if served is not None]
        return lineup if found == known else read_lineup(settings)
    except ModelError as error:
        LOG.warning("the models stay as they are: %s", error)
        return lineup

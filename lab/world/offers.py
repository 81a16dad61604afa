"""PotentialOutcomes outcomes of the customers with and without an offer."""

from dataclasses import dataclass

import numpy as np

from lab.world.choices import Floats, Integers
from lab.world.columns import Flags


@dataclass(frozen=True)
class PotentialOutcomes:
    """One entry per customer: purchase within the horizon or not, and cents spent, with and without an offer."""

    stays_without: Flags
    stays_with: Flags
    spent_without: Integers
    spent_with: Integers


def potential_outcomes(
    *, spent: Integers, one_purchase: Integers, won_by_offer: Floats, lost_by_offer: Floats, uniform: Floats
) -> PotentialOutcomes:
    """Return the outcomes of each customer with and without an offer.

    `spent` is the outcome without an offer. An offer turns 0 into `one_purchase` with the probability `won_by_offer`,
    and purchases into 0 with `lost_by_offer`. `uniform` is one uniform draw per customer, the same in every arm.
    """
    stays = spent > 0
    won, lost = ~stays & (uniform < won_by_offer), stays & (uniform < lost_by_offer)
    return PotentialOutcomes(
        stays_without=stays,
        stays_with=(stays | won) & ~lost,
        spent_without=spent,
        spent_with=np.where(won, one_purchase, np.where(lost, 0, spent)),
    )


def observed_outcomes(potential: PotentialOutcomes, offered: Flags) -> tuple[Flags, Integers]:
    """Return the outcomes that are observed, given which customers got an offer."""
    stays = np.where(offered, potential.stays_with, potential.stays_without)
    return stays, np.where(offered, potential.spent_with, potential.spent_without)

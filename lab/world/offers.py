"""What an offer does to the customers of the synthetic world: their potential outcomes, the same whoever decides."""

from dataclasses import dataclass

import numpy as np

from lab.world.choices import Floats, Integers
from lab.world.columns import Flags


@dataclass(frozen=True)
class Potential:
    """One entry per customer, with and without an offer: whether the customer buys again, and spends how many cents."""

    stays_without: Flags
    stays_with: Flags
    spent_without: Integers
    spent_with: Integers


def potential_outcomes(
    *, spent: Integers, one_purchase: Integers, won_by_offer: Floats, lost_by_offer: Floats, luck: Floats
) -> Potential:
    """Return what each customer does with and without an offer.

    `spent` is what happens without one, and silence is spending nothing. An offer turns silence into one purchase with
    the probability `won_by_offer`, and purchases into silence with `lost_by_offer`; `luck`, evenly between 0 and 1, is
    the customer's own, so that every arm meets the same customer.
    """
    stays = spent > 0
    won, lost = ~stays & (luck < won_by_offer), stays & (luck < lost_by_offer)
    return Potential(
        stays_without=stays,
        stays_with=(stays | won) & ~lost,
        spent_without=spent,
        spent_with=np.where(won, one_purchase, np.where(lost, 0, spent)),
    )


def chosen(potential: Potential, offered: Flags) -> tuple[Flags, Integers]:
    """Return whether each customer stays and what is spent, where some got an offer and the others did not."""
    stays = np.where(offered, potential.stays_with, potential.stays_without)
    return stays, np.where(offered, potential.spent_with, potential.spent_without)

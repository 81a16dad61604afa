"""Wrong values of the reference file, and the tools that produced them.

Where the file and exact arithmetic disagree, the adapter gives the file what its own tool says, so that comparing shows
where the difference comes from; the library's own values are compared with exact arithmetic in the tests named here.

- statsmodels' search for the smallest effect stops at a power of 0.80000044: test_power.
"""

from typing import Any

from statsmodels.stats.power import TTestIndPower


def smallest_effect(*, units: float, level: float, power: float, ratio: float) -> float:
    found: Any = TTestIndPower().solve_power(None, nobs1=units, alpha=level, power=power, ratio=ratio)
    return float(found)

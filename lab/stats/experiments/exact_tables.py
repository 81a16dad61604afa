"""Fisher's exact test of two shares."""

import numpy as np

from lab.stats.core.probabilities import log_choose
from lab.stats.core.proportions import Trials
from lab.stats.experiments.two_proportions import share_of

TIES = 1e-7  # tables whose probabilities differ by less are equally likely


def fisher_p_value(control: Trials, treatment: Trials) -> float:
    """Return Fisher's exact two-sided p-value (1935) of two arms given as (successes, trials).

    It sums the probabilities of all tables with the same margins that are at most as likely as the observed one.

    >>> round(fisher_p_value((1, 5), (4, 6)), 6)
    0.242424
    """
    share_of(control, "control"), share_of(treatment, "treatment")
    hits = control[0] + treatment[0]
    cells = np.arange(max(0, hits - treatment[1]), min(hits, control[1]) + 1, dtype=np.float64)
    logs = log_choose(control[1], cells) + log_choose(treatment[1], hits - cells)
    observed = logs[cells == control[0]][0]
    probabilities = np.exp(logs - logs.max())
    return float(min(1.0, probabilities[logs <= observed + TIES].sum() / probabilities.sum()))

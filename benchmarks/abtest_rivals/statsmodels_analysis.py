"""Analyse a log with pandas and statsmodels, in their own environment; print the effects."""

import json
import sys

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportions_ztest


def main() -> None:
    log = pd.read_parquet(sys.argv[1], columns=["arm", "stayed", "spent", "before"])
    treated = (log["arm"] == "new").to_numpy()
    stayed = log["stayed"].to_numpy()
    counts = np.array([stayed[treated].sum(), stayed[~treated].sum()])
    rows = np.array([treated.sum(), (~treated).sum()])
    proportions_ztest(counts, rows)
    before = log["before"].to_numpy()
    columns = np.column_stack([np.ones(len(log)), treated, before - before.mean()])
    fitted = OLS(log["spent"].to_numpy(), columns).fit(cov_type="HC1")
    shares = counts / rows
    print(json.dumps({"stayed": float(shares[0] - shares[1]), "spent": float(fitted.params[1])}))


if __name__ == "__main__":
    main()

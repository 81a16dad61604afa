"""Run NannyML's estimator on two Parquet files; print its uncalibrated estimates."""

import json
import sys
import warnings

import pandas as pd

warnings.filterwarnings("ignore")

import nannyml as nml  # type: ignore[import-not-found]  # noqa: E402 - in an environment of its own; it warns
from nannyml.performance_estimation.confidence_based import (  # type: ignore[import-not-found]  # noqa: E402
    metrics as estimates,
)


def main() -> None:
    _, current = (pd.read_parquet(path) for path in sys.argv[1:3])
    chances, scores, decided = current["chance"], current["score"], current["decided"].astype(int)
    found = {
        "version": nml.__version__,
        "roc_auc": float(estimates.estimate_roc_auc(chances, scores)),
        "f1": float(estimates.estimate_f1(decided, chances)),
        "precision": float(estimates.estimate_precision(decided, chances)),
        "recall": float(estimates.estimate_recall(decided, chances)),
        "accuracy": float(estimates.estimate_accuracy(decided, chances)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()

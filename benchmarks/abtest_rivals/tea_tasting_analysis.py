"""Analyse a log with tea-tasting through polars, in its own environment; print its effects."""

import json
import sys

import polars as pl  # type: ignore[import-not-found]  # in an environment of its own
import tea_tasting as tea  # type: ignore[import-not-found]


def main() -> None:
    log = pl.scan_parquet(sys.argv[1]).with_columns(pl.col("arm").cast(pl.String), pl.col("stayed").cast(pl.Int64))
    experiment = tea.Experiment(
        stayed=tea.Mean("stayed", use_t=False, equal_var=True),
        spent=tea.Mean("spent", covariate="before"),
        clicks=tea.RatioOfMeans("clicks", "views"),
        variant="arm",
    )
    result = experiment.analyze(log.collect(), control="old")
    print(json.dumps({name: result[name].effect_size for name in ("stayed", "spent", "clicks")}))


if __name__ == "__main__":
    main()

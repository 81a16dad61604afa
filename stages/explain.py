"""Explain both models: SHAP values, permutation importance, partial dependence, and reasons for each row."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_csv, write_result
from lab.core.schema import FEATURES, load_schema
from lab.core.seeds import generator_of
from lab.core.stage_files import load_section
from lab.core.tables import read_table, write_table
from lab.explain.explain import explain
from lab.explain.settings import ExplainParams
from lab.models.models import CHALLENGER, CHAMPION, load_model
from lab.task.words import WordsSection

WINDOWS = ("train", "test", "current")
EXPLANATIONS = Path("data/explanations")
METRICS = Path("metrics/explain.json")
PLOTS = Path("plots/explain")


def main() -> None:
    params, seed, schema = load_params("explain", ExplainParams), load_seed(), load_schema()
    found = explain(
        {"challenger": load_model(CHALLENGER), "champion": load_model(CHAMPION)},
        {name: read_table(FEATURES / f"{name}.parquet") for name in WINDOWS},
        schema,
        load_section("words", WordsSection).words,
        params=params,
        stream_of=lambda name: generator_of(seed, f"explain/{name}"),
    )
    with replaced_folder(EXPLANATIONS) as folder, replaced_folder(PLOTS) as plots:
        for name, table in found.tables.items():
            write_table(table, folder / f"{name}.parquet")
        for name, points in found.plots.items():
            write_csv(points, plots / f"{name}.csv")
    write_result(found.metrics, METRICS, compared=())


if __name__ == "__main__":
    run(main)

"""Say why the models score as they do: what each feature adds, what is lost without it, and why for each row."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.command import run
from lab.explanation.explain import explain
from lab.explanation.settings import ExplainParams
from lab.models import CHALLENGER, CHAMPION, load_model
from lab.outputs import replaced_folder
from lab.params import load_params, load_seed
from lab.records import write_csv, write_json
from lab.schema import FEATURES, load_schema
from lab.seeds import generator_of
from lab.tables import read_table, write_table
from lab.task.sections import load_section
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
    write_json(found.metrics, METRICS)


if __name__ == "__main__":
    run(main)

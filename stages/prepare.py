"""Validate the raw tables against their contract, clean them, report their quality, plan the split."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from dataclasses import asdict
from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params
from lab.core.result_files import write_csv, write_json, write_result, write_text
from lab.core.stage_files import load_section
from lab.dataset.features import FeaturesSection
from lab.dataset.split import SplitSection
from lab.dataset.tables import TablesSection
from lab.dataset.windows import WINDOWS, plan_split
from lab.prepare.preparation import PrepareParams, prepare_tables
from lab.prepare.quality import quality_page

RAW = Path("data/raw")
PREPARED = Path("data/prepared")
METRICS = Path("metrics/prepare.json")
PLOTS = Path("plots/prepare")
PAGE = Path("data/pages/quality")


def main() -> None:
    params = load_params("prepare", PrepareParams)
    tables = load_section("tables", TablesSection).tables
    split = load_section("split", SplitSection).split
    features = load_section("features", FeaturesSection).features
    with replaced_folder(PREPARED) as folder, replaced_folder(PLOTS) as plots, replaced_folder(PAGE) as page:
        done = prepare_tables(RAW, tables, features, into=folder, as_of=params.as_of)
        plan = plan_split(split, first=done.first, last=done.last)
        write_json(plan.model_dump(mode="json"), folder / WINDOWS.name)
        write_csv([asdict(column) for column in done.columns], plots / "columns.csv")
        write_text(quality_page(done.columns, done.findings, summary=done.summary), page / "README.md")
        write_result(
            {
                "rows": {"found": done.rows_found, "kept": done.rows_kept},
                "quality": done.summary,
                "warnings": len(done.findings),
                "split": plan.model_dump(mode="json", exclude_none=True),
            },
            METRICS,
            compared=("quality.completeness",),
        )


if __name__ == "__main__":
    run(main)

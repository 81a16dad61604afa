"""Write the model card, and collect the pages of earlier stages for git."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import shutil
from pathlib import Path

from lab.card.croissant import croissant_of
from lab.card.cyclonedx import cyclonedx_of
from lab.card.data_files import read_data_files
from lab.card.page import card_of
from lab.card.results import Results, read_found, read_groups, read_manifests
from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.result_files import write_records, write_text
from lab.core.schema import load_schema
from lab.core.stage_files import load_section
from lab.task.money import MoneySection

FOUND = {
    "ingest": Path("metrics/ingest.json"),
    "prepare": Path("metrics/prepare.json"),
    "featurize": Path("metrics/featurize.json"),
    "select": Path("metrics/select.json"),
    "evaluate": Path("metrics/evaluate.json"),
    "explain": Path("metrics/explain.json"),
    "validate": Path("metrics/validate.json"),
    "drift": Path("metrics/drift.json"),
    "abtest": Path("metrics/abtest.json"),
}
MANIFESTS = {
    "challenger": Path("models/challenger/manifest.json"),
    "champion": Path("models/champion/manifest.json"),
}
GROUPS = Path("plots/evaluate/groups.json")
DATA = (Path("data/prepared"), Path("data/features"))
PINS = Path("requirements.txt")
PAGES = Path("data/pages")
REPORTS = Path("reports")


def main() -> None:
    results = Results(
        found=read_found(FOUND),
        groups=read_groups(GROUPS),
        manifests=read_manifests(MANIFESTS),
        money=load_section("money", MoneySection).money,
        schema=load_schema(),
    )
    data = read_data_files(DATA)
    with replaced_folder(REPORTS) as folder:
        shutil.copytree(PAGES, folder, dirs_exist_ok=True)
        write_text(card_of(results), folder / "model_card.md")
        write_records(croissant_of(results, data), folder / "croissant.json")
        write_records(cyclonedx_of(results, data, pins=PINS.read_text(encoding="utf-8")), folder / "cyclonedx.json")


if __name__ == "__main__":
    run(main)

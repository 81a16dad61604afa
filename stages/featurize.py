"""Build feature rows with labels, split into train, test and current."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path

from lab.core.atomic_outputs import replaced_folder
from lab.core.command import run
from lab.core.params import load_params, load_seed
from lab.core.result_files import write_json, write_result
from lab.core.schema import FEATURES, SCHEMA
from lab.core.stage_files import load_section
from lab.dataset.features import FeaturesSection
from lab.dataset.tables import TablesSection
from lab.dataset.windows import load_plan
from lab.featurize.features import FeaturizeParams, make_features

PREPARED = Path("data/prepared")
METRICS = Path("metrics/featurize.json")


def main() -> None:
    params = load_params("featurize", FeaturizeParams)
    features = load_section("features", FeaturesSection).features
    tables = load_section("tables", TablesSection).tables
    with replaced_folder(FEATURES) as folder:
        made = make_features(
            PREPARED,
            features,
            tables,
            load_plan(),
            into=folder,
            high_missing_share=params.high_missing_share,
            seed=load_seed(),
        )
        write_json(made.schema.model_dump(mode="json"), folder / SCHEMA.name)
    write_result(
        {
            "rows": made.rows,
            "positive_share": made.positive_share,
            "without_label": made.without_label,
            "features": len(made.schema.features),
            "left_out": made.left_out,
        },
        METRICS,
        compared=("features",),
    )


if __name__ == "__main__":
    run(main)

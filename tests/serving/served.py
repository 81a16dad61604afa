"""Small models in folders that can be served, and rows to ask them about."""

from pathlib import Path
from typing import Any

from lab.compiling.write import write_compiled
from lab.frames import frame_of
from lab.models import save_model
from tests.fitted import OTHER_ROWS, SCHEMA, model_of

ROWS: list[dict[str, Any]] = OTHER_ROWS.select(sorted(SCHEMA.features)).to_pylist()
COLUMNS: dict[str, list[Any]] = OTHER_ROWS.select(sorted(SCHEMA.features)).to_pydict()


def model_folder(folder: Path, variant: str = "logistic_regression") -> Path:
    """Return a folder with a model that can be served; what lies there is exchanged at once."""
    made = folder.with_name(f".{folder.name}.new")
    made.mkdir(parents=True)
    model = model_of(variant)
    write_compiled(model.pipeline, frame_of(OTHER_ROWS, SCHEMA.features), made)
    save_model(model, made)
    link, target = folder.with_name(f"{folder.name}.link"), folder.with_name(f"{folder.name}-{variant}")
    made.rename(target)
    link.symlink_to(target)
    link.replace(folder)
    return folder

"""Write the compiled form of a fitted model, or the reason why it has none."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.compile.compile import InexactError, compile_pipeline
from lab.compiled.files import Compiled, arrays_bytes, program_bytes
from lab.core.atomic_outputs import replaced_file
from lab.model_files.compiled_names import ARRAYS, PROGRAM
from lab.models.frames import frame_of
from lab.models.models import Model, save_model

ROWS_CHECKED = 1000
ONE_BY_ONE = 5


def save_both_forms(model: Model, table: pa.Table, folder: Path) -> None:
    """Write a model as pipeline and compiled; rows of the table verify that both give equal bits."""
    with joblib.parallel_config(backend="sequential"):  # with threads the order of a forest's sum varies
        write_compiled(model.pipeline, frame_of(table.slice(0, ROWS_CHECKED), model.features), folder)
    save_model(model, folder)


def write_compiled(pipeline: Any, rows: pd.DataFrame, folder: Path) -> None:
    """Write compiled.json and compiled.npz; a family without a compiled form gets the reason and no arrays.

    Both forms score some rows, together and one by one: a form that differs in any bit is not written.
    """
    try:
        program, arrays = compile_pipeline(pipeline, rows.head(3))
        _check(pipeline, Compiled(program, arrays), rows.head(ROWS_CHECKED))
        files = {PROGRAM: program_bytes({"model": program, "reason": ""}), ARRAYS: arrays_bytes(arrays)}
    except InexactError as error:
        reason = f"no bit-identical compiled form of {error}"
        files = {PROGRAM: program_bytes({"model": None, "reason": reason})}
    for name, content in files.items():
        with replaced_file(folder / name) as partial:
            partial.write_bytes(content)


def _check(pipeline: Any, compiled: Compiled, rows: pd.DataFrame) -> None:
    for frame in (rows, *(rows.iloc[[place]] for place in range(min(ONE_BY_ONE, len(rows))))):
        columns = {str(name): frame[name].to_numpy() for name in frame}
        expected = pipeline.predict_proba(frame)[:, 1]
        differing = int(np.sum(_bits(compiled.probabilities(columns)) != _bits(expected)))
        if differing:
            raise InexactError(f"{type(pipeline[-1]).__name__}: {differing} of {len(frame)} rows differed")


def _bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.ascontiguousarray(values, dtype=np.float64).view(np.int64)

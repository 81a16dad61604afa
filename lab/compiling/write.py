"""Put the compiled form of a fitted model into its folder, or the reason why it has none."""

from pathlib import Path
from typing import Any

import pandas as pd

from lab.compiled.files import ARRAYS, PROGRAM, arrays_bytes, program_bytes
from lab.compiling.compile import InexactError, compile_pipeline
from lab.outputs import replaced_file


def write_compiled(pipeline: Any, sample: pd.DataFrame, folder: Path) -> None:
    """Write compiled.json and compiled.npz; a family that is not compiled leaves the reason, and no arrays."""
    try:
        program, arrays = compile_pipeline(pipeline, sample)
        files = {PROGRAM: program_bytes({"model": program, "reason": ""}), ARRAYS: arrays_bytes(arrays)}
    except InexactError as error:
        reason = f"no program gives the very bits of {error}"
        files = {PROGRAM: program_bytes({"model": None, "reason": reason})}
    for name, content in files.items():
        with replaced_file(folder / name) as partial:
            partial.write_bytes(content)

"""The reasons that the pipeline itself gives for scores, to compare with."""

import pyarrow as pa

from lab.compiled.wording import Reason
from lab.explain.contributions import contributions_of
from lab.explain.reasons import reasons_of, rows_of
from lab.models.frames import frame_of
from ops.pack.reasoning import Reasoning


def reasons_for(reasoning: Reasoning, rows: pa.Table, *, most: int) -> list[list[Reason]]:
    """Return each row's reasons, largest first; rows need the model's features, other columns only for wording."""
    own = reasoning.model.features
    known = {name: kind for name, kind in reasoning.features.items() if name in own or name in rows.column_names}
    frame = frame_of(rows, known)
    contributions = contributions_of(reasoning.explainer, frame[sorted(own)])
    return reasons_of(contributions, rows_of(frame), reasoning.words, reasoning.usual, most=most)

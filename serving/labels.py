"""Take the true labels of predictions: known identifiers only, by sender, with contradictions."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel, Field

from serving.errors import refused
from serving.identifiers import Identifiers
from serving.label_index import LabelIndex
from serving.log import Log, LogError
from serving.log_records import feedback_lines
from serving.metrics import LabelCounts, Metrics


class FeedbackAccepted(BaseModel):
    """Confirms that the label is in the log."""

    id: str
    contradicting: bool = Field(description="Whether another label was known; the newest one counts.")


class FeedbackBatchAccepted(BaseModel):
    """Confirms that the labels of known ids are in the log."""

    accepted: int
    unknown: list[str] = Field(description="Ids that no prediction of this server has; their labels are left out.")
    contradicting: list[str] = Field(description="Ids with another label before; the newest one counts.")


@dataclass(frozen=True)
class Labels:
    """What labels are checked against and written to."""

    identifiers: Identifiers
    index: LabelIndex
    log: Log
    metrics: Metrics


async def take_labels(
    into: Labels, ids: Sequence[str], labels: Sequence[bool], *, sender: str
) -> FeedbackBatchAccepted:
    """Write the labels of known predictions to the log, and count what the sender sent."""
    decisions = {each: into.identifiers.decision_of(each) for each in ids}
    known = [(each, label, sender) for each, label in zip(ids, labels, strict=True) if decisions[each] is not None]
    try:
        earlier = await asyncio.to_thread(into.index.record, known)
        await into.log.append(feedback_lines(known))
    except (LogError, OSError, sqlite3.Error) as error:
        raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "log", "The label could not be logged.") from error
    into.metrics.count_labels(
        sender,
        LabelCounts(
            labels=[label for _, label, _ in known],
            agreeing=sum(label == decisions[each] for each, label, _ in known),
            earlier=[each for each in earlier if each is not None],
            unknown=len(ids) - len(known),
        ),
    )
    return FeedbackBatchAccepted(
        accepted=len(known),
        unknown=[each for each in ids if decisions[each] is None],
        contradicting=[each for (each, _, _), other in zip(known, earlier, strict=True) if other is not None],
    )

"""Take the true labels of predictions: known identifiers only, by sender, with contradictions."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import BaseModel, Field, StrictBool, TypeAdapter, model_validator

from serving.errors import refused
from serving.identifiers import Identifiers
from serving.label_index import LabelIndex
from serving.log import Log, LogError
from serving.log_records import feedback_lines
from serving.metrics import LabelCounts, Metrics
from serving.requests import STRICT

MOST_LABELS = 10_000
Identifier = Annotated[str, Field(min_length=1, max_length=80, description="The id in the answer of the prediction.")]


class Feedback(BaseModel):
    """The true label of a row."""

    model_config = STRICT

    id: Identifier
    label: bool


class FeedbackBatch(BaseModel):
    """The true labels of many rows."""

    model_config = STRICT

    ids: list[Identifier] = Field(min_length=1, max_length=MOST_LABELS)
    labels: list[StrictBool] = Field(min_length=1, max_length=MOST_LABELS)

    @model_validator(mode="after")
    def as_many_labels_as_ids(self) -> Self:
        if len(self.ids) != len(self.labels):
            raise ValueError(f"found {len(self.ids)} ids and {len(self.labels)} labels, expected equal lengths")
        return self


class FeedbackAccepted(BaseModel):
    """Confirms that the label is in the log."""

    id: str
    contradicting: bool = Field(description="Whether another label was known; the newest one counts.")


class FeedbackBatchAccepted(BaseModel):
    """Confirms that the labels of known ids are in the log."""

    accepted: int
    unknown: list[str] = Field(description="Ids that no prediction of this server has; their labels are left out.")
    contradicting: list[str] = Field(description="Ids with another label before; the newest one counts.")


FEEDBACK: TypeAdapter[Feedback] = TypeAdapter(Feedback)
FEEDBACK_BATCH: TypeAdapter[FeedbackBatch] = TypeAdapter(FeedbackBatch)


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

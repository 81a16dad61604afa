"""Compile a model's explainer to plain numbers and texts for the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lab.compile.compile import Writer
from lab.compiled.files import Compiled
from lab.compiled.parts import Columns
from lab.compiled.preparation import prepare
from lab.compiled.wording import ReferenceValues, Words
from lab.core.errors import ModelError
from lab.core.seeds import generator_of
from lab.explain.contributions import contributions_of
from lab.explain.origins import origins_of
from lab.explain.reasons import reasons_of, rows_of, words_of
from lab.explain.walks import columns_of, paths_of
from lab.models.calibrated import CalibratedScores
from lab.models.frames import frame_of
from lab.reasons.reasons import reasoner_of
from ops.pack.covers import covers_of
from ops.pack.reasoning import WALKS, Reasoning

Part = dict[str, Any]
Arrays = dict[str, Any]
TOLERANCE = 2e-6  # both sides are rounded to 6 decimals


class UnlikeError(ModelError):
    """The server's reasons would differ from the pipeline's."""


@dataclass(frozen=True)
class Drawn:
    """The settings of the stage's random walks: explain.walks and seed."""

    walks: int
    seed: int


def compile_reasons(
    reasoning: Reasoning, reference: pa.Table, model: Compiled, *, drawn: Drawn, fingerprint: str
) -> tuple[Part, Arrays]:
    """Return the content of reasons.json and reasons.npz; the fingerprint is their model's."""
    frame = frame_of(reference, reasoning.features)[sorted(reasoning.model.features)]
    writer = Writer(frame)
    program = {
        "model": fingerprint,
        "additions": _additions(reasoning, model, writer, drawn),
        "words": {name: _words(own) for name, own in sorted(words_of(reasoning.words).items())},
        "usual": {name: _usual(own, writer) for name, own in sorted(reasoning.usual.items())},
    }
    return program, writer.arrays


def check_reasons(reasoning: Reasoning, compiled: tuple[Part, Arrays], model: Compiled, rows: pa.Table) -> None:
    """Refuse an explainer whose contributions or texts differ from the pipeline's on any of these rows."""
    frame = frame_of(rows, reasoning.features)
    expected = contributions_of(reasoning.explainer, frame[sorted(reasoning.model.features)])
    found = reasoner_of(*compiled, model).explain(columns_of(frame), most=len(frame.columns))
    values = np.array([[one.base, *one.contributions.values()] for one in found])
    gap = np.abs(values - np.column_stack([np.full(len(values), expected.base), expected.values])).max()
    if not gap <= TOLERANCE:
        raise UnlikeError(
            f"contributions differ from the pipeline's by up to {gap:.3g}, expected {TOLERANCE:g} at most"
        )
    own = reasons_of(expected, rows_of(frame), reasoning.words, reasoning.usual, most=len(frame.columns))
    for one, reasons in zip(found, own, strict=True):
        said = {reason.feature: reason.text for reason in one.reasons}
        for reason in reasons:
            if abs(reason.contribution) > TOLERANCE and said[reason.feature] != reason.text:
                raise UnlikeError(f"found {said[reason.feature]!r}, expected the pipeline's {reason.text!r}")


def _additions(reasoning: Reasoning, model: Compiled, writer: Writer, drawn: Drawn) -> Part:
    if reasoning.explainer.method == "permutation":
        return _walks(writer, drawn)
    pipeline, last = reasoning.model.pipeline, reasoning.model.pipeline[-1]
    origins = origins_of(pipeline[:-1], list(writer.sample.columns))
    if origins is None:
        raise UnlikeError("the origins of its columns are not known")
    calibrated = isinstance(last, CalibratedScores)
    estimator, program = (last.estimator, model.program["inner"]) if calibrated else (last, model.program)
    places = np.array([list(writer.sample.columns).index(name) for name in origins])
    part = (
        _linear(program, model, places, writer)
        if reasoning.explainer.method == "linear"
        else {"kind": "trees", "cover": writer.keep(covers_of(estimator)), "origins": writer.keep(places)}
    )
    named = {**part, "features": list(writer.sample.columns)}
    return {"kind": "calibrated", "inner": named} if calibrated else named


def _linear(program: Mapping[str, Any], model: Compiled, origins: Any, writer: Writer) -> Part:
    rows = prepare(program["preparation"], model.arrays, columns_of(writer.sample))
    return {"kind": "linear", "means": writer.keep(rows.mean(axis=0)), "origins": writer.keep(origins)}


def _walks(writer: Writer, drawn: Drawn) -> Part:
    paths = paths_of(writer.sample, walks=drawn.walks, rng=generator_of(drawn.seed, WALKS))
    numbers, texts = _by_kind(paths.starts)
    return {
        "kind": "walks",
        "features": list(writer.sample.columns),
        "orders": writer.keep(paths.orders),
        "numbers": {name: writer.keep(values) for name, values in numbers.items()},
        "texts": {name: list(values) for name, values in texts.items()},
    }


def _by_kind(columns: Columns) -> tuple[Columns, Columns]:
    texts = {name: values for name, values in columns.items() if values.dtype == object}
    return {name: values for name, values in columns.items() if name not in texts}, texts


def _words(own: Words) -> Part:
    return {"called": own.called, "says": own.says, "raises": own.raises, "lowers": own.lowers, "missing": own.missing}


def _usual(own: ReferenceValues, writer: Writer) -> Part:
    levels = [[level, count] for level, count in own.levels.items()]
    return {"kind": own.kind, "rows": own.rows, "numbers": writer.keep(own.numbers), "levels": levels}

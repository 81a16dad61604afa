"""Permutation importance: the loss of shuffled features, and correlated groups."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from lab.core.schema import Feature
from lab.explain.shuffles import correlated_groups, losses_of
from tests.lab.explain.rows import drawn, fitted, imputing, scaling

FRAME, LABELS = drawn(600)
TRUTHS = LABELS == 1


def stream(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def lose(pipeline: Any, *parts: tuple[str, ...], frame: pd.DataFrame = FRAME, **more: Any) -> Any:
    fixed = {"labels": TRUTHS, "units": None, "repeats": 3, **more}
    return losses_of(pipeline, frame, parts=parts, stream_of=stream, **fixed)


def test_the_loss_is_measured_on_scores_of_shuffled_rows() -> None:
    pipeline = fitted(scaling(), LogisticRegression())
    rng = stream("shuffle/age")
    areas = []
    for _ in range(3):
        shaken = FRAME.copy()
        shaken["age"] = FRAME["age"].to_numpy()[rng.permutation(len(FRAME))]
        areas.append(roc_auc_score(LABELS, pipeline.predict_proba(shaken)[:, 1].round(6)))
    clean = roc_auc_score(LABELS, pipeline.predict_proba(FRAME)[:, 1].round(6))
    assert lose(pipeline, ("age",))[0].loss.value == pytest.approx(clean - np.mean(areas), abs=1e-12)


def test_the_largest_loss_comes_first_and_a_useless_feature_is_noise() -> None:
    found = lose(fitted(scaling(), LogisticRegression()), ("city",), ("age",))
    assert [one.features for one in found] == [("age",), ("city",)]
    assert not found[0].loss.noise


def test_a_constant_feature_has_no_loss() -> None:
    loss = lose(fitted(imputing(), RandomForestClassifier(5, random_state=0)), ("age",), frame=FRAME.assign(age=1.0))
    assert (loss[0].loss.value, loss[0].loss.low, loss[0].loss.high, loss[0].loss.noise) == (0, 0, 0, True)


def test_the_shuffles_of_a_feature_do_not_depend_on_other_features() -> None:
    pipeline = fitted(scaling(), LogisticRegression())
    alone, together = lose(pipeline, ("age",)), lose(pipeline, ("city",), ("age",), ("spend",))
    assert alone[0] in together


def test_shuffling_keeps_missing_levels() -> None:
    seen: list[pd.Series] = []

    class Watched:
        classes_ = np.array([0, 1])

        def predict_proba(self, frame: pd.DataFrame) -> Any:
            seen.append(frame["city"])
            return np.tile([0.5, 0.5], (len(frame), 1))

    lose(Watched(), ("city",), repeats=1)
    assert seen[1].dtype == object
    assert sum(value is None for value in seen[1]) == sum(value is None for value in FRAME["city"])
    assert list(seen[1]) != list(FRAME["city"])


@pytest.mark.parametrize("labels", [np.zeros(600, dtype=bool), np.ones(600, dtype=bool)])
def test_one_class_has_no_loss(labels: Any) -> None:
    assert lose(fitted(scaling(), LogisticRegression()), ("age",), labels=labels)[0].loss is None


KINDS = {"a": "number", "b": "number", "c": "boolean", "d": "category", "e": "number", "empty": "number"}
FEATURES = {name: Feature.model_validate({"kind": kind}) for name, kind in KINDS.items()}


def test_groups_depend_on_rank_correlation_alone() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=500)
    frame = pd.DataFrame(
        {
            "a": base,
            "b": -np.exp(3 * base),
            "c": (base > 0).astype(float),
            "d": pd.Series(["x"] * 500, dtype=object),
            "e": rng.normal(size=500),
            "empty": np.full(500, np.nan),
        }
    )
    assert correlated_groups(frame, FEATURES, above=0.8) == [("a", "b", "c")]
    assert correlated_groups(frame, FEATURES, above=0.95) == [("a", "b")]


def test_rank_correlation_agrees_with_scipy() -> None:
    from scipy.stats import spearmanr  # noqa: PLC0415 - slow to import, for this test alone

    frame, _ = drawn(200, seed=4)
    frame = frame.assign(a=frame["age"], b=frame["age"] + np.random.default_rng(1).normal(0, 8, 200).round())
    features = {name: FEATURES[name] for name in ("a", "b")}
    value = abs(spearmanr(frame["a"], frame["b"]).statistic)
    assert correlated_groups(frame, features, above=value - 1e-9) == [("a", "b")]
    assert correlated_groups(frame, features, above=value + 1e-9) == []

"""Gates of a task override single gates of params.yaml."""

from typing import Any, get_args

import pytest

from lab.task.gates import GateOverrides, Measure
from lab.validate.validation import ValidateParams, with_task_gates

PARAMS = ValidateParams.model_validate(
    {
        "floors": {"accuracy": 0.75, "precision": 0.7, "recall": 0.65, "f1": 0.7, "roc_auc": 0.8},
        "calibration_error": 0.1,
        "accuracy_gap": 0.1,
        "smallest_group": 50,
        "robustness": {"noise": [0.01, 0.1], "accuracy_loss": 0.1, "repeats": 5},
        "champion": {"margin": 0.01, "resamples": 2000},
    }
)


def changed(own: dict[str, Any]) -> dict[str, Any]:
    """Return the changed settings by dotted name."""
    before, after = (
        flat(PARAMS.model_dump()),
        flat(with_task_gates(PARAMS, GateOverrides.model_validate(own)).model_dump()),
    )
    return {name: value for name, value in after.items() if value != before[name]}


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    return {
        key: value
        for name, item in content.items()
        for key, value in (
            flat(item, f"{prefix}{name}.") if isinstance(item, dict) else {f"{prefix}{name}": item}
        ).items()
    }


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {}),
        ({"precision": 0.55, "f1": 0.5}, {"floors.precision": 0.55, "floors.f1": 0.5}),
        ({"precision": "none"}, {"floors.precision": "none"}),
        ({"accuracy_gap": 0.2, "smallest_group": 10}, {"accuracy_gap": 0.2, "smallest_group": 10}),
        ({"robustness": {"noise": [0.3]}}, {"robustness.noise": (0.3,)}),
        (
            {"robustness": {"accuracy_loss": 0.2, "missing": [0.5]}},
            {"robustness.accuracy_loss": 0.2, "robustness.missing": (0.5,)},
        ),
        ({"champion": {"margin": 0.05}}, {"champion.margin": 0.05}),
        ({"reported": []}, {"reported": ()}),
    ],
)
def test_a_task_overrides_only_its_own_gates(own: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changed(own) == expected


def test_every_setting_can_be_overridden() -> None:
    own = {
        name: set(field) if isinstance(field, dict) else None for name, field in GateOverrides().model_dump().items()
    }
    settings = PARAMS.model_dump()
    floors = settings.pop("floors")
    assert set(own) == {*floors, *settings}
    assert own["robustness"] == set(settings["robustness"])
    assert own["champion"] == set(settings["champion"])


def test_missing_settings_have_defaults() -> None:
    assert PARAMS.selection_ratio == 0.8
    assert PARAMS.robustness.missing == (0.1,)
    assert set(PARAMS.reported) < set(get_args(Measure))

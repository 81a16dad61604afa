"""The pages of docs/reference and the editors' schemas cover every key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from ruamel.yaml import YAML

from lab.core.result_files import read_json, read_result
from ops.readme.reference import keys_of, result_meanings
from ops.readme.schemas import BASES, Schema, meanings, params_schema, task_schema
from tests.project import OWN, ROOT

TASKS = [*sorted((ROOT / "tasks").glob("*/task.yaml")), *sorted((OWN / "tasks").glob("*/task.yaml"))]
PARAMS = YAML(typ="safe").load((ROOT / "params.yaml").read_text())


@pytest.fixture(scope="module")
def of_params() -> Schema:
    return params_schema()


def accepts(schema: Schema, content: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(content))


def test_every_key_has_a_meaning_and_every_meaning_a_key(of_params: Schema) -> None:
    schemas = [("Task", task_schema()), ("Sections", of_params)]
    models = dict(schemas) | {name: model for _, schema in schemas for name, model in schema["$defs"].items()}
    keys = {(name, key) for name, model in models.items() for key in model.get("properties", {})}
    described = {(name, key) for name, fields in meanings().items() for key in fields}
    with_meaning = {
        (name, key)
        for name, model in models.items()
        for key, content in model.get("properties", {}).items()
        if content.get("description")
    }
    assert keys - with_meaning == set()
    assert {(name, key) for name, key in described - keys if name not in BASES.values()} == set()


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.parent.name)
def test_editors_accept_each_task_and_see_a_slip(path: Path) -> None:
    task, schema = YAML(typ="safe").load(path.read_text()), task_schema()
    assert accepts(schema, _with_text_dates(task))
    assert not accepts(schema, task | {"tabels": {}})


def test_editors_accept_params_and_see_a_setting_of_another_estimator(of_params: Schema) -> None:
    assert accepts(of_params, PARAMS)
    slip = deepcopy(PARAMS)
    slip["train"]["candidates"] = {"forest": {"estimator": "random_forest", "settings": {"learning_rate": 0.1}}}
    assert not accepts(of_params, slip)
    assert not accepts(of_params, PARAMS | {"seed": -1})


@pytest.mark.parametrize("path", sorted((ROOT / "metrics").rglob("*.json")), ids=lambda path: path.name)
def test_every_key_of_a_result_is_described(path: Path) -> None:
    name = "metrics/train/NAME.json" if path.parent.name == "train" else f"metrics/{path.name}"
    described = result_meanings()
    assert set(read_result(path)) <= set(described[name])
    assert set(read_json(path)) - {"document"} == set(described["compared"].get(name, ()))


def test_a_table_of_keys_has_type_default_meaning_and_example() -> None:
    page = keys_of(task_schema(), {"money.currency": "CHF", "tables.NAME.minimum_rows": "7"})
    assert "| `currency` | text | `EUR` | The currency of all amounts. | `CHF` |" in page
    assert "| `minimum_rows` | whole number ≥ 1 | `1` | The least number of rows. | `7` |" in page
    assert "| `split` | [split (group)](#split-group) or " in page


def _with_text_dates(value: Any) -> Any:
    """Return content whose dates are text, as JSON and editors have them."""
    if isinstance(value, dict):
        return {key: _with_text_dates(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_text_dates(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value

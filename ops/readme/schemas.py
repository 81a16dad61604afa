"""JSON Schemas of params.yaml and the task file, with the meaning of every key."""

import lab.core.determinism  # noqa: F401 - before numpy: an estimator is not imported without it

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

from lab.abtest.comparison_settings import ComparisonParams
from lab.core.params import LARGEST_SEED, SECTIONS
from lab.core.yaml_files import read_yaml
from lab.evaluate.evaluation import EvaluateParams
from lab.explain.settings import ExplainParams
from lab.featurize.features import FeaturizeParams
from lab.prepare.preparation import PrepareParams
from lab.reference.settings import DriftParams
from lab.select.pairs import SelectParams
from lab.task.schema import Task
from lab.train.candidates import Candidate, TrainParams
from lab.train.estimators import ESTIMATORS
from lab.validate.validation import ValidateParams
from ops.compare.tables.row_gate import CompareParams
from ops.latency import ServingParams
from ops.registry.promotion import PromoteParams

MEANINGS = Path(__file__).with_name("meanings.yaml")
REFERENCE = "#/$defs/{model}"
Schema = dict[str, Any]
# A repository without synthetic data has deleted lab/world, which has the class.
WORLD: Schema = {
    "type": "object",
    "properties": {"customers": {"type": "integer", "minimum": 100, "maximum": 1_000_000}},
    "required": ["customers"],
    "additionalProperties": False,
}
# Classes that have fields of another one.
BASES = {
    "Candidate": "Specification",
    "Column": "Limits",
    "ExtraTreesSettings": "ForestSettings",
    "Limited": "Policy",
    "StackingSettings": "VotingSettings",
}


def meanings() -> dict[str, dict[str, str]]:
    """Return the meaning of each field by its class."""
    return read_yaml(MEANINGS, cure=f"git checkout {MEANINGS}")


def task_schema() -> Schema:
    """Return the JSON Schema of tasks/NAME/task.yaml."""
    schema = _described(Task.model_json_schema(ref_template=REFERENCE), "Task")
    del schema["$defs"]["Features"]["properties"]["query"]  # the text of features.sql
    for content in schema["$defs"]["FeatureWords"]["properties"].values():
        if content.get("type") == "array":  # one sentence is as good as a list of one
            content["anyOf"] = [{"type": "string"}, {"type": content.pop("type"), "items": content.pop("items")}]
    schema["properties"] = dict(reversed(schema["properties"].items()))  # pydantic begins with the last section
    return _titled(schema, "A task: the table, its columns, the question and the split")


def params_schema() -> Schema:
    """Return the JSON Schema of params.yaml; the settings of a candidate depend on its estimator."""
    sections: dict[str, Any] = {
        "prepare": PrepareParams,
        "featurize": FeaturizeParams,
        "train": TrainParams,
        "select": SelectParams,
        "evaluate": EvaluateParams,
        "explain": ExplainParams,
        "validate": ValidateParams,
        "serving": ServingParams,
        "drift": DriftParams,
        "abtest": ComparisonParams,
        "compare": CompareParams,
        "promote": PromoteParams,
    }
    fields: dict[str, Any] = {"task": (str, ...), "seed": (int, ...)}
    fields |= {f"{name}_": (sections[name], Field(alias=name)) for name in SECTIONS if name in sections}
    root: type[BaseModel] = create_model("Sections", **fields)
    schema = root.model_json_schema(ref_template=REFERENCE) | {"additionalProperties": False}
    schema["properties"]["world"] = {"$ref": REFERENCE.format(model="WorldParams")}
    schema["$defs"]["WorldParams"] = deepcopy(WORLD)
    schema["properties"]["seed"] |= {"minimum": 0, "maximum": LARGEST_SEED}
    kinds: list[type[BaseModel]] = [Candidate, *(recipe.settings for recipe in ESTIMATORS.values())]
    for kind in kinds:
        found = kind.model_json_schema(ref_template=REFERENCE)
        schema["$defs"] |= found.pop("$defs", {}) | {kind.__name__: found}
    schema["$defs"]["TrainParams"]["properties"]["candidates"]["additionalProperties"] = _reference(Candidate)
    candidate = schema["$defs"]["Candidate"]
    candidate["properties"]["estimator"]["enum"] = sorted(ESTIMATORS)
    candidate["allOf"] = [
        {
            "if": {"properties": {"estimator": {"const": name}}},
            "then": {"properties": {"settings": _reference(recipe.settings)}},
        }
        for name, recipe in ESTIMATORS.items()
    ]
    return _titled(_described(schema, "Sections"), "The settings of every stage")


def schema_bytes(schema: Schema) -> bytes:
    return (json.dumps(schema, indent=1, ensure_ascii=False) + "\n").encode()


def _reference(kind: type[BaseModel]) -> Schema:
    return {"$ref": REFERENCE.format(model=kind.__name__)}


def _described(schema: Schema, root: str) -> Schema:
    """Return a schema with the meaning of every field, and without the names that pydantic adds."""
    known = meanings()
    for name, model in [(root, schema), *schema["$defs"].items()]:
        model.pop("title", None)
        for field, content in model.get("properties", {}).items():
            content.pop("title", None)
            content.pop("description", None)
            own = known.get(name, {})
            if meaning := own.get(field) or known.get(BASES.get(name, ""), {}).get(field):
                content["description"] = meaning
    return schema


def _titled(schema: Schema, title: str) -> Schema:
    schema.pop("description", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}

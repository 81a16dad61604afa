"""Croissant and CycloneDX: valid by their schemas, complete, and equal for equal results."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pyarrow.parquet as pq
import pytest

from lab.card.croissant import croissant_of
from lab.card.cyclonedx import cyclonedx_of, packages_of
from lab.card.data_files import DataFile, read_data_files
from lab.core.result_files import record_bytes
from lab.core.tables import write_table
from tests.lab.card.test_card import results
from tests.project import ROOT
from tests.tables import feature_rows

SCHEMA = json.loads((Path(__file__).parent / "cyclonedx-1.6.schema.json").read_text())
PINS = (ROOT / "requirements.txt").read_text()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[DataFile]:
    monkeypatch.chdir(tmp_path)
    for name in ("data/prepared/sales", "data/features/train"):
        rows = feature_rows(np.random.default_rng(7), 9)
        write_table(rows.append_column("a/b c", rows["customer_id"]), Path(f"{name}.parquet"))
    return read_data_files([Path("data/prepared"), Path("data/features")])


def values_of(found: Any, key: str) -> Iterator[Any]:
    """Yield each value of a key, at any depth."""
    if isinstance(found, dict):
        yield from (value for name, value in found.items() if name == key)
        found = list(found.values())
    for each in found if isinstance(found, list) else ():
        yield from values_of(each, key)


def test_croissant_names_each_file_with_its_hash_and_columns(data: list[DataFile]) -> None:
    found = croissant_of(results(), data)
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert found["description"].endswith("No license is stated: the task names none.")
    assert "license" not in found
    for file, described in zip(found["distribution"], found["recordSet"], strict=True):
        path = Path("reports", file["contentUrl"].removeprefix("../")).relative_to("reports")
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        fields = {field["source"]["extract"]["column"]: field["dataType"] for field in described["field"]}
        assert list(fields) == pq.read_schema(path).names
        assert {field["source"]["fileObject"]["@id"] for field in described["field"]} == {file["@id"]}
        expected = {"customer_id": "sc:Integer", "moment": "sc:DateTime", "region": "sc:Text", "amount": "sc:Float"}
        assert {name: fields[name] for name in expected} == expected


def test_each_identifier_of_croissant_is_unique_and_each_reference_has_one(data: list[DataFile]) -> None:
    found = croissant_of(results(), data)
    parts = [*found["distribution"], *found["recordSet"], *(f for each in found["recordSet"] for f in each["field"])]
    names = [part["@id"] for part in parts]
    assert len(set(names)) == len(names)
    assert not [name for name in names if re.search(r"\s", name)]
    assert found["recordSet"][1]["key"] == [{"@id": f"features/train/{name}"} for name in ("customer_id", "moment")]
    assert {key["@id"] for key in found["recordSet"][1]["key"]} <= set(names)
    used = {key for part in (found, *parts) for key in part if not key.startswith("@")}
    assert used - set(found["@context"]) == {
        "name",
        "description",
        "distribution",
        "contentUrl",
        "contentSize",
        *("encodingFormat", "sha256"),
    }, "a term of neither Croissant nor schema.org"


def test_the_bill_is_valid_by_the_schema_and_its_references_exist(data: list[DataFile]) -> None:
    found = json.loads(record_bytes(cyclonedx_of(results(), data, pins=PINS)))
    jsonschema_rs.Draft7Validator(SCHEMA).validate(found)
    names = list(values_of(found, "bom-ref"))
    assert len(set(names)) == len(names)
    used = {*values_of(found, "ref"), *(name for each in values_of(found, "dependsOn") for name in each)}
    assert used <= set(names)
    assert "timestamp" not in found["metadata"]
    assert "serialNumber" not in found


def test_the_schema_refuses_what_is_wrong(data: list[DataFile]) -> None:
    found = cyclonedx_of(results(), data, pins=PINS)
    found["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]["value"] = 0.85
    with pytest.raises(jsonschema_rs.ValidationError, match=r"0\.85 is not of type"):
        jsonschema_rs.Draft7Validator(SCHEMA).validate(found)


def test_both_models_have_a_card_with_metrics_data_and_files(data: list[DataFile]) -> None:
    found = cyclonedx_of(results(), data, pins=PINS)
    models = {each["name"]: each for each in found["components"] if each["type"] == "machine-learning-model"}
    assert list(models) == ["challenger", "champion"]
    for name, value in (("challenger", "0.85"), ("champion", "0.8")):
        card = models[name]["modelCard"]
        measured = card["quantitativeAnalysis"]["performanceMetrics"]
        interval = {"lowerBound": "0.02", "upperBound": "0.9"}
        assert {"type": "roc_auc", "value": value, "slice": "test", "confidenceInterval": interval} in measured
        assert {each["slice"] for each in measured} == {"test", "current"}
        assert [each["ref"] for each in card["modelParameters"]["datasets"]] == [file.path for file in data]
        assert models[name]["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    limits = [model["modelCard"]["considerations"].get("technicalLimitations", []) for model in models.values()]
    assert "The rows are synthetic: the results say nothing about real people." in limits[0]
    assert limits[1] == [], "the limitations name gates and comparisons of the challenger"


def test_an_undefined_metric_is_left_out(data: list[DataFile]) -> None:
    def change(documents: dict[str, Any]) -> None:
        documents["evaluate"]["challenger"]["test"] |= {"roc_auc": None, "f1_95": None}

    found = cyclonedx_of(results(change), data, pins=PINS)["components"][0]["modelCard"]["quantitativeAnalysis"]
    measured = {each["type"]: each for each in found["performanceMetrics"] if each["slice"] == "test"}
    assert "roc_auc" not in measured
    assert measured["f1"].keys() == {"type", "value", "slice"}


def test_each_pin_is_a_component_and_their_file_has_its_hash() -> None:
    file, *found = packages_of(PINS)
    pins = re.findall(r"^([\w.-]+)(?:\[.*\])?==([\w.!+-]+)", PINS, flags=re.MULTILINE)
    assert [(each["name"], each["version"]) for each in found] == pins
    assert file["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(PINS.encode()).hexdigest()}]
    numpy = [each for each in found if each["name"] == "numpy"]
    assert [each["properties"][0]["value"] for each in numpy] == [
        "python_full_version < '3.12'",
        "python_full_version >= '3.12'",
    ]

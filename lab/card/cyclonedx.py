"""Describe both models, their data and their packages as a CycloneDX bill of materials (1.6)."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from lab.card.data_files import DataFile
from lab.card.limits import limits_in_words
from lab.card.numbers import SHOWN
from lab.card.origins import USE
from lab.card.results import MODELS, Results
from lab.model_files.manifest import PIPELINE

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
PINS = "requirements.txt"
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\\n]*?))?\s*(\\|$)")
Component = dict[str, Any]


def cyclonedx_of(results: Results, data: Iterable[DataFile], *, pins: str) -> dict[str, Any]:
    """Return the bill; it has no serial number and no time, so equal results give equal bytes."""
    files, packages = list(data), packages_of(pins)
    tables = [_table(file) for file in files]
    models = [_model(name, results, tables) for name in MODELS]
    needs = sorted(each["bom-ref"] for each in (*tables, *packages))
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "pipeline", "name": "pipeline"}},
        "components": [*models, *tables, *packages],
        "dependencies": [
            {"ref": "pipeline", "dependsOn": [model["bom-ref"] for model in models]},
            *({"ref": model["bom-ref"], "dependsOn": needs} for model in models),
        ],
    }


def packages_of(pins: str) -> list[Component]:
    """Return a component for each pin of a requirements file, and the file, which has the hashes of every wheel."""
    digest = hashlib.sha256(pins.encode()).hexdigest()
    file = {"type": "file", "bom-ref": PINS, "name": PINS, "hashes": _sha256(digest)}
    return [file, *(_package(*pin.group(1, 2, 3)) for line in pins.splitlines() if (pin := PIN.match(line)))]


def _package(name: str, version: str, marker: str | None) -> Component:
    address = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
        **({"properties": [{"name": "marker", "value": marker}]} if marker else {}),
    }


def _table(file: DataFile) -> Component:
    return {
        "type": "data",
        "bom-ref": file.path,
        "name": file.path,
        "hashes": _sha256(file.sha256),
        "data": [{"type": "dataset", "name": file.path, "contents": {"url": f"../{file.path}"}}],
    }


def _model(name: str, results: Results, tables: Sequence[Component]) -> Component:
    manifest, folder = results.manifests[name], f"models/{name}"
    settings = {**manifest.specification.model_dump(mode="json"), "threshold": manifest.threshold}
    # The gates and the comparisons that the limitations name are about the challenger.
    limits = {"technicalLimitations": limits_in_words(results)} if name == "challenger" else {}
    files = [
        {"type": "file", "name": f"{folder}/{file}", "hashes": _sha256(digest)}
        for file, digest in sorted(manifest.files.items())
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": folder,
        "name": name,
        "hashes": _sha256(manifest.files[PIPELINE]),
        "components": files,
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "binary classification",
                "modelArchitecture": manifest.specification.estimator.replace("_", " "),
                "datasets": [{"ref": table["bom-ref"]} for table in tables],
                "inputs": [
                    {"format": f"{feature}: {kind.kind}"} for feature, kind in sorted(manifest.inputs.features.items())
                ],
                "outputs": [{"format": "score: probability of a positive row, with six decimals"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": _metrics(name, results)},
            "considerations": {"useCases": [USE], **limits},
        },
        "properties": [
            {"name": setting, "value": json.dumps(value, sort_keys=True)} for setting, value in sorted(settings.items())
        ],
    }


def _metrics(model: str, results: Results) -> list[dict[str, Any]]:
    """Return the metrics of the windows after training; an undefined one is left out."""
    found = []
    for window in dict.fromkeys((results.judged, "current")):
        measured = results.measured(model, window)
        for metric in SHOWN:
            if measured.get(metric) is None:
                continue
            entry: dict[str, Any] = {"type": metric, "value": f"{measured[metric]:.6g}", "slice": window}
            if ends := measured.get(f"{metric}_95"):
                entry |= {"confidenceInterval": {"lowerBound": f"{ends[0]:.6g}", "upperBound": f"{ends[1]:.6g}"}}
            found.append(entry)
    return found


def _sha256(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]

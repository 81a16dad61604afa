"""Describe the data as a Croissant document (MLCommons, version 1.0)."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from lab.card.data_files import DataFile
from lab.card.results import Results

VERSION = "http://mlcommons.org/croissant/1.0"
PARQUET = "application/x-parquet"  # the word that mlcroissant reads
ROOT = ".."  # the repository, from the folder of the document
JSON_VALUED = ("data", "examples")
TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in TERMS},
    **{name: {"@id": f"cr:{name}", "@type": "@json"} for name in JSON_VALUED},
}
SYNTHETIC = "The rows are synthetic: none is about a real person."
NO_LICENSE = "No license is stated: the task names none."
TYPES = (
    (pa.types.is_boolean, "sc:Boolean"),
    (pa.types.is_integer, "sc:Integer"),
    (pa.types.is_floating, "sc:Float"),
    (pa.types.is_date, "sc:Date"),
    (pa.types.is_timestamp, "sc:DateTime"),
)


def croissant_of(results: Results, data: Iterable[DataFile]) -> dict[str, Any]:
    """Return the tables after validation and the feature tables, with each file's SHA-256 and columns."""
    files = list(data)
    said = [f"The data of the question: {results.schema.question}"]
    said += [SYNTHETIC] if results.of("ingest")["source"] == "synthetic" else []
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": "data",
        "description": " ".join([*said, NO_LICENSE]),
        "distribution": [_distribution(file) for file in files],
        "recordSet": [_record_set(file, results.schema.keys) for file in files],
    }


def _distribution(file: DataFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": f"{ROOT}/{file.path}",
        "contentSize": f"{file.size} B",
        "encodingFormat": PARQUET,
        "sha256": file.sha256,
    }


def _record_set(file: DataFile, keys: Sequence[str]) -> dict[str, Any]:
    path = PurePosixPath(file.path)
    identity = f"{path.parent.name}/{path.stem}"
    named = {name: f"{identity}/{quote(name, safe='')}" for name in file.columns}
    key = {"key": [{"@id": named[name]} for name in keys]} if path.parent.name == "features" else {}
    return {
        "@type": "cr:RecordSet",
        "@id": identity,
        "name": identity,
        "description": f"{file.rows} rows",
        **key,
        "field": [
            {
                "@type": "cr:Field",
                "@id": named[name],
                "name": name,
                "dataType": next((word for fits, word in TYPES if fits(kind)), "sc:Text"),
                "source": {"fileObject": {"@id": file.path}, "extract": {"column": name}},
            }
            for name, kind in file.columns.items()
        ],
    }

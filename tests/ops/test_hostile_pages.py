"""Names and labels with markup, pipes and newlines change neither README nor a proposal."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.core.result_files import document_of
from ops.readme.command import blocks, with_block
from ops.retrain.page import page_of
from tests.lab.pages.markup import ALL, HOSTILE, broken_tables, effects_of, with_hostile
from tests.project import ROOT

TEXTS = pytest.mark.parametrize("text", [*HOSTILE, ALL])
RESULTS = {path.stem: json.loads(path.read_bytes()) for path in sorted((ROOT / "metrics").glob("*.json"))}
README = ROOT / "README.md"


def hostile(text: str) -> dict[str, Any]:
    """Return the documents of metrics/ with a text in place of a table, column, level, gate, rule and estimator."""
    documents = {name: document_of(content) for name, content in RESULTS.items()}
    moved, rule = documents["drift"]["verdicts"][0]["column"], documents["drift"]["policies"][0]["policy"]
    names = ["sales", moved, rule, documents["select"]["estimator"]]
    for name in names:
        documents = {key: with_hostile(document, name, text) for key, document in documents.items()}
    drift = documents["drift"]
    drift["faults"] = [{"column": text, "kind": text}]
    for each in drift["retrain"]["rules"].values():
        each["fired"] = True
    documents["validate"]["gates"][0]["gate"] = text
    documents["validate"]["failed"] = documents["validate"]["within_noise"] = [text]
    return documents


@TEXTS
def test_readme_escapes_question_columns_gates_rules_and_estimators(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    for name, document in hostile(text).items():
        (tmp_path / f"metrics/{name}.json").write_text(json.dumps(document))
    task = YAML(typ="safe").load(ROOT / "tests/own/tasks/table/task.yaml")
    task["features"]["question"] = text
    for path, content in {
        "tasks/table/task.yaml": task,
        "params.yaml": {"task": "table"},
        "champion.yaml": {"default": {"estimator": text}},
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        YAML().dump(content, tmp_path / path)
    page = plain = README.read_text()
    for name, block in blocks("graph").items():
        page = with_block(page, name, block, page=README)
    assert effects_of(page) == effects_of(plain)
    assert broken_tables(page) == broken_tables(plain)
    assert with_block(page, "question", "?", page=README).count("<!-- question:end -->") == 1


@TEXTS
def test_a_proposal_escapes_settings_files_tables_columns_gates_rules_and_reasons(text: str) -> None:
    documents = hostile(text)
    seen = SimpleNamespace(result=lambda path: documents.get(Path(path).stem))
    drift = {**documents["drift"], "rows": {"current": 9}}
    drift["columns"] = {"columns": drift["columns"]}
    findings: Any = SimpleNamespace(
        base=seen,
        made=seen,
        need=SimpleNamespace(drift=drift, reasons=(text,)),
        promotion=SimpleNamespace(metric="roc_auc", gain=0.1, low=0.0, high=0.2, allowed=True, reasons=(text,)),
        request=SimpleNamespace(
            task="churn",
            settings=(f"seed={text}",),
            arrivals={text: Path("rows.csv")},
            asks_source=False,
            base="a" * 40,
        ),
    )
    page = page_of(findings).partition("\n")[2]
    assert (effects_of(page), broken_tables(page)) == ([], [])

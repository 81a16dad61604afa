"""The sections of the model card on purpose, data, model selection and reproduction."""

from collections.abc import Mapping
from typing import Any

from lab.card.numbers import in_words
from lab.card.results import MODELS, Document, Results
from lab.core.result_files import rounded
from lab.model_files.manifest import PIPELINE, Manifest
from lab.pages.escape import code, plain_or_code
from lab.pages.markdown import NOTHING, count, counted, listed, percent, readable_name, sentence, table

WINDOWS = ("train", "test", "current")
MARKS = ("pipeline", "training rows", "rows", "positive rows", "first moment", "last moment")
USE = (
    "Use it to rank rows and to choose the rows to act on. It predicts what happens without any action. Whether an "
    "action helps is another question, which only an experiment answers."
)
ORIGIN = (
    "`python -m ops why metrics/evaluate.json:challenger.test.roc_auc` says where a number of a result comes from: "
    "stage, code, settings, data, and the commit that last moved it."
)
MACHINES = (
    "For machines: [the data as Croissant](croissant.json), and "
    "[models, data and packages as CycloneDX](cyclonedx.json), each file with its SHA-256."
)


def purpose(results: Results) -> list[str]:
    """Return the question of the task, its unit, and the meaning of a score."""
    schema, manifest = results.schema, results.challenger
    unit = listed(map(plain_or_code, schema.unit)) if schema.unit else "row number"
    row = ("Each row of the file counts" if schema.unit == ("row",) else f"One row is one {unit}") + (
        f" at one {plain_or_code(schema.moment)}" if schema.moment else ""
    )
    meaning = (
        f"The model answers: **{plain_or_code(schema.question)}** {row}. "
        f"A row is positive when its label is {code(schema.positive)}. The score is the predicted probability of a "
        "positive row, with six decimals, from "
        f"{counted(len(manifest.inputs.features), 'feature')}."
    )
    return ["## Purpose", "", meaning, "", USE, ""]


def data(results: Results) -> list[str]:
    """Return the source of the rows, their split, and what was removed or repaired."""
    ingest, prepare, featurize = (results.of(stage) for stage in ("ingest", "prepare", "featurize"))
    split = prepare["split"]
    found, kept = prepare["rows"]["found"], prepare["rows"]["kept"]
    tables = [
        [name, count(found[name]), count(found[name] - kept[name]), _period(ingest["tables"].get(name, {}))]
        for name in sorted(found)
    ]
    windows = [
        [
            name,
            _window(split.get("windows", {}).get(name), name, split),
            count(featurize["rows"].get(name)),
            percent(featurize["positive_share"].get(name)),
        ]
        for name in WINDOWS
    ]
    return [
        "## Data",
        "",
        f"The source is {_source(ingest['source'])}.",
        "",
        *table(("table", "rows found:", "removed:", "period"), tables),
        "",
        *(f"- {sentence(text)}" for text in _repairs(prepare, featurize)),
        "",
        *table(("window", "moments" if split["kind"] == "time" else "share", "rows:", "positive:"), windows),
        "",
        sentence(f"Split by {split['kind']}: {split['reason']}"),
        "",
    ]


def selection(results: Results) -> list[str]:
    """Return how the challenger was selected, and the settings of both models."""
    select, manifest = results.of("select"), results.challenger
    rule, folds = manifest.inputs.folds, manifest.folds
    by = f"by {readable_name(select['by'])} on validation folds"
    sentences = [
        f"{counted(len(select['scores']), 'candidate')}, compared {by}. The challenger is {select['challenger']}.",
        *select["in_words"],
        sentence(f"{counted(len(folds), 'fold')} by {rule.kind}: {rule.reason}"),
        *(sentence(f"hyperparameter search: {text}") for text in select["search"]),
    ]
    recipes = {model: _recipe(results.manifests[model]) for model in MODELS}
    names = list(dict.fromkeys(name for model in MODELS for name in recipes[model]))
    body = [[name, *(recipes[model].get(name, NOTHING) for model in MODELS)] for name in names]
    return [
        "## Model selection",
        "",
        *(f"- {text}" for text in sentences),
        "",
        *table(("setting", *MODELS), body),
        "",
        "[All candidates](candidates/README.md), with differences, searches and learning curves.",
        "",
    ]


def reproduction(results: Results) -> list[str]:
    """Return the commands that reproduce the model, and its fingerprints."""
    marks = [[name, *(_marks(results.manifests[model])[name] for model in MODELS)] for name in MARKS]
    libraries = listed(f"{name} {version}" for name, version in sorted(results.challenger.libraries.items()))
    note = (
        "dvc.lock of that revision has the hash of every input, setting and output; requirements.txt pins every "
        f"library ({libraries}). On Linux x86-64-v3 the same packages give the same bytes: `dvc repro --force` changes "
        "no file in git. The fingerprints below are SHA-256."
    )
    return [
        "## Reproduction",
        "",
        "```",
        "git checkout REVISION    # the revision of this reports/model_card.md",
        "dvc repro                # or `make repro`, which also creates the environment",
        "```",
        "",
        note,
        "",
        *table(("", *MODELS), marks),
        "",
        ORIGIN,
        "",
        MACHINES,
        "",
    ]


def _marks(manifest: Manifest) -> Mapping[str, str]:
    training = manifest.training
    return {
        "pipeline": f"`{manifest.files.get(PIPELINE, NOTHING)}`",
        "training rows": f"`{training.fingerprint}`",
        "rows": count(training.rows),
        "positive rows": count(training.positives),
        "first moment": training.first_moment or NOTHING,
        "last moment": training.last_moment or NOTHING,
    }


def _recipe(manifest: Manifest) -> dict[str, str]:
    specification = manifest.specification
    return {
        "estimator": in_words(specification.estimator),
        **{f"setting: {in_words(name)}": _setting(value) for name, value in sorted(specification.settings.items())},
        "features": "all" if specification.features is None else ", ".join(map(plain_or_code, specification.features)),
        "class weights": specification.class_weights,
        "calibration": specification.calibration,
        "threshold": f"{manifest.threshold:g} ({in_words(manifest.threshold_rule)})",
    }


def _setting(value: Any) -> str:
    """Return a setting as text; members of an ensemble by their estimators only."""
    if isinstance(value, dict):
        return ", ".join(f"{name} ({in_words(_estimator(part))})" for name, part in sorted(value.items()))
    return plain_or_code(rounded(value))


def _estimator(part: Any) -> Any:
    return part.get("estimator", "?") if isinstance(part, dict) else part


def _source(kind: str) -> str:
    return {
        "synthetic": "synthetic data, drawn from a seed: no row is about a real person",
        "files": "files in data/source",
        "sql": "queries to a database",
    }.get(kind, kind)


def _period(found: Document) -> str:
    spans = [
        f"{name}: {span['first'][:10]} to {span['last'][:10]}"
        for name, span in sorted(found.get("period", {}).items())
        if span["first"] and span["last"]
    ]
    return "; ".join(spans) or NOTHING


def _window(span: Document | None, name: str, split: Document) -> str:
    if span:
        return f"{span['starts'][:10]} to {span['ends'][:10]}"
    if (share := split.get(f"{name}_share")) is not None:
        return percent(share, digits=0)
    return "the rest" if name == "train" else NOTHING


def _repairs(prepare: Document, featurize: Document) -> list[str]:
    quality, left_out = prepare["quality"], featurize["left_out"]
    features = "; ".join(f"{name} ({reason})" for name, reason in sorted(left_out.items()))
    shares = {name: percent(share, digits=3) for name, share in quality.items()}
    cells = (
        f"{shares['completeness']} of the cells have a value; of these {shares['accuracy']} are valid, "
        f"{shares['consistency']} needed no repair, {shares['outlier_share']} are outliers; "
        f"{shares['duplicate_share']} of the rows repeat a key"
    )
    return [
        cells,
        f"{counted(prepare['warnings'], 'warning')} of the contract; reports/quality lists them",
        f"features left out: {features}" if features else "no feature is left out",
        f"{counted(featurize['without_label'], 'row')} without a label left out"
        if featurize["without_label"]
        else "every row has a label",
    ]

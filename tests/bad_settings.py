"""Bad settings, each with the first stage that reads it."""

import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ruamel.yaml import YAML

from tests.project import OWN, ROOT
from tests.tables import make_features


def bomb() -> str:
    """Return 400 characters whose nested aliases stand for 9 to the power of 9 values."""
    parts = [f"a: &a [{', '.join('x' * 9)}]"]
    for before, name in pairwise("abcdefghi"):
        repeated = ", ".join([f"*{before} "] * 9)
        parts.append(f"{name}: &{name} [{repeated}]")
    return f"{{{', '.join(parts)}}}"


TASK = "tasks/churn/task.yaml"
FOREST = "train.candidates.forest.settings"
BOMB = bomb()
DEEP = "[" * 200_000 + "]" * 200_000

# stage: setting of params.yaml: values as YAML
PARAMS: dict[str, dict[str, list[str]]] = {
    "world": {
        "seed": ["-1", "1.5", ".inf", ".nan", "18446744073709551616", "x", "null", "[1]", "9" * 5000],
        "world.customers": ["99", "-1", "1e12", "1000000000000", ".inf", ".nan", "many", "null", "{a: 1}"],
        "world": ["null", "[1]", "5", BOMB, DEEP],
        "wrold": ["{}"],
    },
    "task": {"task": ["5", "null", "../churn", '"a\\0b"', "x; touch pwned", '""', "[churn]", "a" * 1000, BOMB]},
    "prepare": {"prepare.as_of": ["soon", "'2026-13-45'", "5", ".inf", "[1]", BOMB]},
    "featurize": {"featurize.high_missing_share": ["0", "2", "-1", ".nan", ".inf", "half"]},
    "train forest": {
        "train.folds": ["1", "1000000000", "2.5", ".inf", "yes"],
        "train.threshold.rule": ["best"],
        "train.threshold.value": ["2", ".nan"],
        "train.search.method": ["genetic"],
        "train.search.budget": ["0", "1000000000", ".inf"],
        "train.search.most_rows": ["1"],
        "train.learning_curve": ["[2]", "[.inf]", "0.5", "[" + "0.1, " * 99 + "0.1]"],
        "train.workers": ["somewhere", "dask://"],
        "train.candidates": ["null", "[forest]"],
        "train.candidates.forest": ["null", "5", "{estimator: forrest}", "{estimator: random_forest, sede: 1}"],
        "train.candidates.forest.search": ["{budget: 1000000000}", "{space: {}}"],
        "train.candidates.forest.features": ["[]", "[nothing]"],
        "train.candidates.forest.calibration": ["platt"],
        "train.candidates.forest.preparation": [
            "{polynomial_degree: 9}",
            "{keep: {by: anova, count: 0}}",
            "{one_hot_up_to: 1000000000}",
        ],
        FOREST: ["{trees: 1000000000}", "{trees: 0}", "{trees: .inf}", "{deepest: 0}", "{smallest_leaf: 4294967296}"],
    },
    "train other": {
        "train.candidates.other": [
            "{estimator: logistic_regression, settings: {inverse_penalty: .inf}}",
            "{estimator: logistic_regression, settings: {inverse_penalty: 1e300}}",
            "{estimator: logistic_regression, settings: {most_steps: 1000000000}}",
            "{estimator: nearest_neighbours, settings: {neighbours: 1000000000}}",
            "{estimator: histogram_gradient_boosting, settings: {smallest_leaf: 4294967296}}",
            "{estimator: histogram_gradient_boosting, settings: {learning_rate: .nan}}",
            "{estimator: histogram_gradient_boosting, settings: {most_leaves: 1}}",
            "{estimator: multilayer_perceptron, settings: {neurons: [1000000000]}}",
            "{estimator: multilayer_perceptron, settings: {neurons: []}}",
            "{estimator: multilayer_perceptron, settings: {epochs: 1000000000}}",
            "{estimator: voting, settings: {members: {a: {estimator: dummy}}}}",
            "{estimator: stacking, settings: {inner_folds: 1000000000}}",
        ],
    },
    "select": {
        "select.by": ["accuracy"],
        "select.significance": ["0", ".inf"],
        "select.margin": ["-1", ".nan"],
    },
    "evaluate": {"evaluate.resamples": ["10", "1000000000"], "evaluate.smallest_group": ["0", "1.5"]},
    "explain": {
        "explain.walks": ["1", "1000000000"],
        "explain.dependence.points": ["1000"],
        "explain.shuffles.repeats": ["1000000000"],
        "explain.shuffles.correlated_above": ["1", ".nan"],
    },
    "validate": {
        "validate.floors.accuracy": ["2", ".nan"],
        "validate.robustness.noise": ["[.inf]", "[0]", "0.1"],
        "validate.robustness.missing": ["[2]"],
        "validate.robustness.repeats": ["1000000000"],
        "validate.champion.margin": ["0", ".inf"],
        "validate.champion.resamples": ["1"],
        "validate.reported": ["[speed]"],
    },
    "reference": {
        "drift.reference.points": ["1", "1000000000"],
        "drift.reference.trees": ["1000000000"],
        "drift.reference.false_alarm_rate": ["0.5", ".nan"],
    },
    "drift": {
        "drift.current": ["5", '"a\\0b"'],
        "drift.significance": ["0", ".nan"],
        "drift.material.missing": [".inf", "0"],
        "drift.performance_margin": ["1"],
        "drift.chunks": ["0", "1000000000"],
        "drift.streams.confidence": ["1"],
        "drift.policies.age": ["{counts: true}", "{limit: .inf, counts: true}"],
        "drift.policies.luck": ["{limit: 1, counts: true}"],
    },
    "abtest": {
        "abtest.significance": ["1"],
        "abtest.resamples": ["1000000000"],
        "abtest.primary": ["luck"],
        "abtest.margins": ["{}", "{accuracy: .inf}"],
    },
}
# setting of the task file: values as YAML; all are refused by the stage task
IN_TASK: dict[str, list[str]] = {
    "split.horizon_days": ["1000000000", "-1", ".inf", "1e9"],
    "split.current_days": ["0", "1000000000"],
    "split.kind": ["tide"],
    "features.history_days": ["1000000000", "-1"],
    "features.snapshot_every_days": ["1000000000", "0"],
    "features.positive": ["[1]"],
    "features.minutes": ["0", ".inf", "1000000000"],
    "money.benefit_of_true_positive": ["100000000000000000000", "-5", "1.5", ".inf"],
    "money.currency": ['""'],
    "tables.sales.fresh_within_days": ["1000000000"],
    "tables.sales.key": ["[nothing]"],
    "tables.sales.columns.amount.type": ["bool"],
    "tables.sales.columns.amount.minimum": [".nan", ".inf"],
    "tables.sales.columns.amount.missing_share": ["2"],
    "tables.customers.columns.gender.allowed": ["5", BOMB],
    "tables.customers.columns": [BOMB, DEEP],
    "words.gender": ["{says: '{gender:999999999}'}", "{says: '{gender.__class__}'}", "{called: ''}"],
    "gates.accuracy": ["7", ".nan"],
    "gates.robustness": ["{noise: [.inf]}"],
    "experiment.design.weights": ["{champion: -1, challenger: 1}", "{champion: .inf, challenger: 1}"],
    "experiment.design.level": ["0", ".nan"],
    "experiment.design.looks": ["{count: 1000000}", "{dates: [2025-02-30]}"],
    "source": ["{kind: sql, url_variable: 'a b', tables: {}}", "{kind: magic}", "5", BOMB],
    "monney": ["{}"],
}


@dataclass(frozen=True)
class BadSetting:
    """One bad value, the file that holds it, and the stage that reads it first."""

    stage: str
    file: str
    name: str
    value: str

    @property
    def title(self) -> str:
        return f"{self.stage}: {self.name}={self.value[:40]}"

    def write(self, folder: Path) -> None:
        """Write the value into the folder's file, as text, because a bomb must not be built here."""
        path, marks = folder / self.file, "BAD SETTING"
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        section = content
        *parents, last = self.name.split(".")
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = marks
        with path.open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(content, stream)
        path.write_text(path.read_text(encoding="utf-8").replace(marks, self.value), encoding="utf-8")


def lay_out(folder: Path) -> Path:
    """Return a folder with settings, tasks and training rows: what the first checks of each stage read."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(OWN / "tasks", folder / "tasks")
    shutil.copy(OWN / "params.yaml", folder / "params.yaml")
    make_features(folder / "data/features", rows=60)
    (folder / "data/task").mkdir()
    (folder / "data/task/money.json").write_text('{"money": {}}')
    return folder


def bad_settings() -> list[BadSetting]:
    """Return every bad setting."""
    params = [
        BadSetting(stage, "params.yaml", name, value)
        for stage, settings in PARAMS.items()
        if (ROOT / f"stages/{stage.split()[0]}.py").exists()  # the stage world may be removed
        for name, values in settings.items()
        for value in values
    ]
    tasks = [BadSetting("task", TASK, name, value) for name, values in IN_TASK.items() for value in values]
    return [*params, *tasks]

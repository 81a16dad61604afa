"""Estimators by name: how to build them, their requirements, and their default search spaces."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from lab.core.errors import ParamsError
from lab.core.params import Params
from lab.model_files.specification import Preparation, Specification
from lab.models.neighbours import NearestNeighbours
from lab.search.space import CLASS_WEIGHTS, Dimension, Range
from lab.train import estimator_settings as settings
from lab.train.estimator_settings import EnsembleSettings, Member, StackingSettings, VotingSettings, sklearn_parameters

MARGIN_FOLDS = 3
BALANCE: list[Any] = ["none", "balanced"]


@dataclass(frozen=True)
class Recipe:
    """How to build an estimator from a seed, its requirements, and its default search space."""

    build: Callable[[int], Any]
    settings: type[Params]
    # The preprocessing of numbers; members of an ensemble have their own.
    numbers: Literal["scaled", "imputed", "as_they_are", "by_members"]
    space: Mapping[str, Dimension] = field(default_factory=dict)
    # Whether the estimator supports row weights, which balance the classes.
    weighs_rows: bool = True
    # The minimum number of rows of each class.
    fewest: int = 2
    # Whether it averages independent trees, of which more only reduce noise.
    averages_trees: bool = False


def _logistic_regression() -> Any:
    # Newton's method ends so near the optimum that rounding removes differences between processors.
    return LogisticRegression(solver="newton-cholesky", tol=1e-10)


def _support_vector_machine(seed: int) -> Any:
    folds = StratifiedKFold(MARGIN_FOLDS, shuffle=True, random_state=seed)
    return CalibratedClassifierCV(SVC(), method="sigmoid", cv=folds, ensemble=False)


ESTIMATORS: Mapping[str, Recipe] = {
    "ada_boost": Recipe(
        lambda seed: AdaBoostClassifier(DecisionTreeClassifier(), random_state=seed),
        settings.AdaBoostSettings,
        "imputed",
        {"learning_rate": Range(low=0.03, high=0.3, scale="log"), "deepest": [1, 2, 3]},
    ),
    "decision_tree": Recipe(
        lambda seed: DecisionTreeClassifier(random_state=seed),
        settings.TreeSettings,
        "imputed",
        {"deepest": [4, 6, 8, None], "smallest_leaf": Range(low=8, high=200, scale="log")},
    ),
    "dummy": Recipe(lambda _: DummyClassifier(strategy="prior"), settings.DummySettings, "imputed"),
    "extra_trees": Recipe(
        lambda seed: ExtraTreesClassifier(random_state=seed),
        settings.ExtraTreesSettings,
        "imputed",
        {
            "deepest": [8, 16, None],
            "smallest_leaf": Range(low=1, high=25, scale="log"),
            "feature_share": ["sqrt", 0.6, 0.9],
        },
        averages_trees=True,
    ),
    "gradient_boosting": Recipe(
        lambda seed: GradientBoostingClassifier(random_state=seed),
        settings.GradientBoostingSettings,
        "imputed",
        {"learning_rate": Range(low=0.02, high=0.18, scale="log"), "deepest": [2, 3, 4]},
    ),
    "histogram_gradient_boosting": Recipe(
        # Early stopping would split rows by itself and ignore the rule of the folds.
        lambda seed: HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        settings.HistogramGradientBoostingSettings,
        "as_they_are",
        {
            "learning_rate": Range(low=0.02, high=0.18, scale="log"),
            "most_leaves": Range(low=4, high=32, scale="log", points=4),
        },
    ),
    "logistic_regression": Recipe(
        lambda _: _logistic_regression(),
        settings.LogisticRegressionSettings,
        "scaled",
        {"inverse_penalty": Range(low=0.001, high=100.0, scale="log", points=6), CLASS_WEIGHTS: BALANCE},
    ),
    "multilayer_perceptron": Recipe(
        # The tolerance never stops it, so it learns for exactly `epochs`.
        lambda seed: MLPClassifier(n_iter_no_change=10_000, random_state=seed),
        settings.MultilayerPerceptronSettings,
        "scaled",
        {
            "neurons": Range(low=16, high=64, scale="log"),
            "penalty": Range(low=0.01, high=10.0, scale="log", points=4),
        },
    ),
    "naive_bayes": Recipe(
        lambda _: GaussianNB(),
        settings.NaiveBayesSettings,
        "scaled",
        {"smoothing": Range(low=0.001, high=10.0, scale="log", points=5)},
    ),
    "nearest_neighbours": Recipe(
        # Brute force stores rows only; a search tree in a model file would be a risk.
        lambda _: NearestNeighbours(algorithm="brute"),
        settings.NearestNeighboursSettings,
        "scaled",
        {"neighbours": Range(low=10, high=250, scale="log", points=5), "weights": ["uniform", "distance"]},
        weighs_rows=False,
    ),
    "random_forest": Recipe(
        lambda seed: RandomForestClassifier(random_state=seed),
        settings.ForestSettings,
        "imputed",
        {
            "deepest": [8, 16, None],
            "smallest_leaf": Range(low=1, high=25, scale="log"),
            "feature_share": ["sqrt", 0.3, 0.6],
        },
        averages_trees=True,
    ),
    "stacking": Recipe(
        lambda _: StackingClassifier([], _logistic_regression(), stack_method="predict_proba"),
        settings.StackingSettings,
        "by_members",
        {"inverse_penalty": Range(low=0.1, high=10.0, scale="log")},
        weighs_rows=False,
    ),
    "support_vector_machine": Recipe(
        _support_vector_machine,
        settings.SupportVectorMachineSettings,
        "scaled",
        {
            "inverse_penalty": Range(low=0.1, high=100.0, scale="log", points=4),
            "kernel_coefficient": Range(low=0.001, high=0.1, scale="log"),
        },
        fewest=MARGIN_FOLDS,
    ),
    "voting": Recipe(
        lambda _: VotingClassifier([], voting="soft"),
        settings.VotingSettings,
        "by_members",
        weighs_rows=False,
    ),
}


def recipe_of(specification: Specification, *, where: str) -> Recipe:
    """Return the recipe of a specification's estimator; `where` is for error messages."""
    recipe = ESTIMATORS.get(specification.estimator)
    if recipe is None:
        raise ParamsError(
            f"{where}.estimator is {specification.estimator!r}, expected one of {sorted(ESTIMATORS)}. Correct it there."
        )
    return recipe


def with_defaults(specification: Specification, *, where: str) -> Specification:
    """Return a specification with every setting written out, also those of an ensemble's members.

    An unknown estimator, setting or value, and an unsupported combination is refused.
    """
    checked = checked_settings(specification, where=where)
    written = checked.model_dump(mode="json")
    if members := members_of(checked, where=where):
        _check_ensemble(specification, where=where)
        written["members"] = {
            name: _as_member(with_defaults(member, where=place)).model_dump(mode="json")
            for name, (member, place) in members.items()
        }
    if specification.class_weights != "none" and not recipe_of(specification, where=where).weighs_rows:
        raise ParamsError(
            f"{where}.class_weights is {specification.class_weights!r}, expected none: {specification.estimator} "
            f"cannot weigh rows. These can: {[name for name, recipe in ESTIMATORS.items() if recipe.weighs_rows]}."
        )
    return specification.model_copy(update={"settings": written})


def build_estimator(
    specification: Specification, *, seed: int, where: str, members: Mapping[str, Any] | None = None
) -> Any:
    """Return the unfitted estimator of a specification; equal specifications with equal seeds give equal estimators.

    An ensemble takes its members as unfitted pipelines.
    """
    checked = checked_settings(specification, where=where)
    estimator = recipe_of(specification, where=where).build(seed).set_params(**sklearn_parameters(checked))
    if members:
        estimator.set_params(estimators=list(members.items()))
    if isinstance(checked, VotingSettings) and checked.weights is not None:
        estimator.set_params(weights=[checked.weights[name] for name in sorted(checked.weights)])
    if isinstance(checked, StackingSettings):
        estimator.set_params(cv=StratifiedKFold(checked.inner_folds, shuffle=True, random_state=seed))
    return estimator


def fewest_rows(specification: Specification, *, where: str) -> int:
    """Return the minimum number of rows of each class that a specification needs."""
    checked = checked_settings(specification, where=where)
    inside = [fewest_rows(member, where=place) for member, place in members_of(checked, where=where).values()]
    fewest = max([recipe_of(specification, where=where).fewest, *inside])
    if isinstance(checked, StackingSettings):
        folds = checked.inner_folds
        return max(folds, -(-fewest * folds // (folds - 1)))
    return fewest


def members_of(checked: Params, *, where: str) -> dict[str, tuple[Specification, str]]:
    """Return an ensemble's members by name, sorted, each with its place for error messages."""
    if not isinstance(checked, EnsembleSettings):
        return {}
    return {
        name: (Specification.model_validate(dict(checked.members[name])), f"{where}.settings.members.{name}")
        for name in sorted(checked.members)
    }


def checked_settings(specification: Specification, *, where: str) -> Params:
    """Return a specification's settings with their defaults; an error lists every mistake and the known settings."""
    kind = recipe_of(specification, where=where).settings
    try:
        return kind.model_validate(specification.settings)
    except ValidationError as error:
        raise ParamsError(_explain(error, kind, specification.settings, where=f"{where}.settings")) from error


def _as_member(specification: Specification) -> Member:
    return Member.model_validate({name: getattr(specification, name) for name in Member.model_fields})


def _check_ensemble(specification: Specification, *, where: str) -> None:
    if specification.preparation != Preparation():
        raise ParamsError(
            f"{where}.preparation is given, expected none: each member of an ensemble prepares its own columns. "
            f"Cure: move it to the members, {where}.settings.members.NAME.preparation."
        )
    for name, (member, place) in members_of(checked_settings(specification, where=where), where=where).items():
        if recipe_of(member, where=place).numbers == "by_members":
            raise ParamsError(
                f"{place}.estimator is {member.estimator!r}, expected no ensemble inside an ensemble. "
                f"Cure: make the members of {name} members of this one."
            )


def _explain(error: ValidationError, kind: type[Params], content: Mapping[str, Any], *, where: str) -> str:
    known = ", ".join(f"{name} ({_default(field)})" for name, field in sorted(kind.model_fields.items())) or "none"
    lines = []
    for mistake in error.errors(include_url=False):
        reason = "unknown setting" if mistake["type"] == "extra_forbidden" else mistake["msg"]
        place = ".".join([where, *_path(mistake["loc"], content)])
        lines.append(f"{place}: {reason} (found {repr(mistake['input'])[:80]})")
    return "\n".join([*lines, f"Known settings, with their defaults: {known}. Correct it there."])


def _path(location: Sequence[int | str], content: Any) -> list[str]:
    """Return the place of a mistake, without the types that pydantic appends."""
    path = []
    for part in location:
        if not isinstance(content, Mapping):
            break
        path.append(str(part))
        content = content.get(part)
    return path


def _default(of: FieldInfo) -> object:
    default = of.get_default(call_default_factory=True, validated_data={})
    return sorted(default) if isinstance(default, dict) else default

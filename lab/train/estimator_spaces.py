"""Search spaces of estimators: defaults, and validation of others."""

from pydantic import ValidationError

from lab.core.errors import ParamsError
from lab.model_files.specification import Setting, Specification
from lab.search.space import CLASS_WEIGHTS, Dimension, Point, Range, Space
from lab.train.estimators import recipe_of

WEIGHTS = ("none", "balanced")
TREES = "trees"
FEWEST_TREES = 20  # of a forest in a search
TREES_SHARE = 4  # one of four trees


def space_of(specification: Specification, *, where: str) -> Space:
    """Return the default search space of a specification's estimator; it can be empty."""
    return recipe_of(specification, where=where).space


def with_point(specification: Specification, point: Point) -> Specification:
    """Return a specification with the settings of a point; other settings are unchanged."""
    chosen = {name: value for name, value in point.items() if name != CLASS_WEIGHTS}
    weights = {CLASS_WEIGHTS: point[CLASS_WEIGHTS]} if CLASS_WEIGHTS in point else {}
    return specification.model_copy(update={"settings": {**specification.settings, **chosen}, **weights})


def with_fewer_trees(specification: Specification, space: Space, *, where: str) -> Specification:
    """Return what a search fits: a forest with a quarter of its trees, unless the search varies their number."""
    if not recipe_of(specification, where=where).averages_trees or TREES in space:
        return specification
    trees = int(str(specification.settings[TREES]))
    return with_point(specification, {TREES: min(trees, max(FEWEST_TREES, trees // TREES_SHARE))})


def check_space(specification: Specification, space: Space, *, where: str) -> None:
    """Refuse a space with an unknown parameter or an invalid value; `where` is the place of the space."""
    mistakes = [
        f"{where}.{name}: {reason}"
        for name, dimension in space.items()
        for reason in _mistakes(specification, name, dimension, where=where)
    ]
    if mistakes:
        known = sorted(_known(specification, where=where))
        raise ParamsError(
            "\n".join([*mistakes, f"{specification.estimator} can be searched by {known}. Correct it there."])
        )


def _known(specification: Specification, *, where: str) -> list[str]:
    recipe = recipe_of(specification, where=where)
    return [*recipe.settings.model_fields, *([CLASS_WEIGHTS] if recipe.weighs_rows else [])]


def _mistakes(specification: Specification, name: str, dimension: Dimension, *, where: str) -> list[str]:
    if name not in _known(specification, where=where):
        return [f"unknown parameter (found {str(dimension)[:80]})"]
    values = [dimension.low, dimension.high] if isinstance(dimension, Range) else dimension
    if not values:
        return ["no value, expected at least one"]
    return [reason for value in values for reason in _refusals(specification, name, value, where=where)]


def _refusals(specification: Specification, name: str, value: Setting, *, where: str) -> list[str]:
    if name == CLASS_WEIGHTS:
        return [] if value in WEIGHTS else [f"expected {' or '.join(WEIGHTS)} (found {value!r})"]
    kind = recipe_of(specification, where=where).settings
    try:
        kind.model_validate({**specification.settings, name: value})
    except ValidationError as error:
        found = [mistake["msg"] for mistake in error.errors(include_url=False) if mistake["loc"][:1] == (name,)]
        return [f"{'; '.join(dict.fromkeys(found))} (found {value!r})"] if found else []
    return []

"""The `words` section of a task file: names and sentences for features."""

import re
from collections.abc import Sequence
from string import Formatter
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from lab.core.params import Params

LONGEST = 300
# No width: {age:999999999} would fill the memory.
FORMAT = re.compile(r"\+?,?(\.\d)?[f%]?")


def placeholders_of(template: str) -> list[tuple[str, str | None, str]]:
    """Return a template as (text, name of the feature after it or None, its number format).

    A name is only a feature of the row: attributes and indices are refused.

    >>> placeholders_of("not for {recency_days:.0f} days")
    [('not for ', 'recency_days', '.0f'), (' days', None, '')]
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r} has an unbalanced brace: {error}") from error
    for _, name, form, conversion in parts:
        if name is not None and (not name.strip() or set(name) & set(".[]") or conversion):
            raise ValueError(f"{template!r} holds {{{name}}}, expected the plain name of a feature, such as {{age}}")
        if form and not FORMAT.fullmatch(form):
            raise ValueError(
                f"{template!r} formats {name} as {form!r}, expected a format such as .0f, .1f, +.1f, ,.0f or .0%"
            )
    return [(text, name, form or "") for text, name, form, _ in parts]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _checked(templates: tuple[str, ...]) -> tuple[str, ...]:
    for template in templates:
        if not template.strip() or not template.isprintable() or len(template) > LONGEST:
            raise ValueError(f"{template[:80]!r} is no sentence: expected 1 to {LONGEST} printable characters")
        placeholders_of(template)
    return templates


# One sentence or several; the first one whose features are all known is used.
Templates = Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_as_list), AfterValidator(_checked)]


class FeatureWords(Params):
    """The name of a feature and its sentences: for a raised score, for a lowered one, for both, for a missing value.

    A sentence must be true of every value: few purchases may raise the score of one row, many that of another.
    """

    called: str | None = Field(default=None, min_length=1, max_length=LONGEST)
    says: Templates = ()
    raises: Templates = ()
    lowers: Templates = ()
    missing: Templates = ()

    @property
    def templates(self) -> tuple[str, ...]:
        """All sentences."""
        return (*self.says, *self.raises, *self.lowers, *self.missing)


class WordsSection(Params):
    """The `words` section of a task file; other features get a generic sentence."""

    words: dict[str, FeatureWords] = Field(default_factory=dict)


def features_in(words: dict[str, FeatureWords]) -> Sequence[str]:
    """Return every feature that has words or occurs in a sentence, sorted."""
    mentioned = {
        name
        for own in words.values()
        for template in own.templates
        for _, name, _ in placeholders_of(template)
        if name is not None
    }
    return sorted(mentioned | set(words))

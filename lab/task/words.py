"""What a task says of its features to people: a name, and why a value raises or lowers the score."""

import re
from collections.abc import Sequence
from string import Formatter
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from lab.core.params import Params

LONGEST = 300
# A width is refused: {age:999999999} would fill the memory.
FORM = re.compile(r"\+?,?(\.\d)?[f%]?")


def placeholders_of(template: str) -> list[tuple[str, str | None, str]]:
    """Return a template as (text, name of the feature that follows it or None, the form of its number).

    Names are only ever looked up among the features of a row: nothing is reached through them.

    >>> placeholders_of("not for {recency_days:.0f} days")
    [('not for ', 'recency_days', '.0f'), (' days', None, '')]
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r} has a brace without its other one: {error}") from error
    for _, name, form, conversion in parts:
        if name is not None and (not name.strip() or set(name) & set(".[]") or conversion):
            raise ValueError(f"{template!r} holds {{{name}}}, expected the plain name of a feature, such as {{age}}")
        if form and not FORM.fullmatch(form):
            raise ValueError(f"{template!r} forms {name} as {form!r}, expected one like .0f, .1f, +.1f, ,.0f or .0%")
    return [(text, name, form or "") for text, name, form, _ in parts]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _checked(templates: tuple[str, ...]) -> tuple[str, ...]:
    for template in templates:
        if not template.strip() or not template.isprintable() or len(template) > LONGEST:
            raise ValueError(f"{template[:80]!r} is no sentence: expected 1 to {LONGEST} letters on one line")
        placeholders_of(template)
    return templates


# One sentence, or several, of which the first serves whose features are all there in the row.
Templates = Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_as_list), AfterValidator(_checked)]


class FeatureWords(Params):
    """How a feature is called, and what to say of its value: where it raises the score, where it lowers it, or always.

    A sentence must be true of every value: a score may be raised by few purchases in one row and by many in another.
    """

    called: str | None = Field(default=None, min_length=1, max_length=LONGEST)
    says: Templates = ()
    raises: Templates = ()
    lowers: Templates = ()
    missing: Templates = ()

    @property
    def templates(self) -> tuple[str, ...]:
        """Every sentence."""
        return (*self.says, *self.raises, *self.lowers, *self.missing)


class WordsSection(Params):
    """The `words` section of a task file; a feature without words is readable_name of in general ones."""

    words: dict[str, FeatureWords] = Field(default_factory=dict)


def named_in(words: dict[str, FeatureWords]) -> Sequence[str]:
    """Return every feature that words are for or that a sentence mentions, sorted."""
    mentioned = {
        name
        for own in words.values()
        for template in own.templates
        for _, name, _ in placeholders_of(template)
        if name is not None
    }
    return sorted(mentioned | set(words))

"""Words of a task are sentence templates with plain names of features."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lab.core.errors import ParamsError
from lab.dataset.windows import plan_split
from lab.explain.reasons import check_words
from lab.featurize.features import make_features
from lab.task.schema import Task, read_task
from lab.task.words import FeatureWords, WordsSection, features_in, placeholders_of
from tests.own_tasks import own_task
from tests.project import OWN
from tests.retail import FIRST, LAST, shop_tables, write_shop


def words(**own: Any) -> FeatureWords:
    return FeatureWords.model_validate(own)


@pytest.mark.parametrize(
    "template",
    [
        "{age.__class__}",
        "{age[0]}",
        "{age!r}",
        "{}",
        "{ }",
        "{age:{width}}",
        "{age:999999999}",
        "{age:>99999999.2f}",
        "{age:.99f}",
        "{age",
        "age}",
        "two\nlines",
        "",
        "x" * 301,
    ],
)
def test_an_unsafe_or_empty_template_is_refused(template: str) -> None:
    with pytest.raises(ValidationError, match=r"plain name|formats age as|brace|no sentence"):
        words(raises=template)


@pytest.mark.parametrize("form", ["", ":.0f", ":.1f", ":,.2f", ":.0%", ":+.1f", ":+,.0f"])
def test_forms_of_numbers_are_few_and_known(form: str) -> None:
    assert words(says=f"is {{age{form}}}").says == (f"is {{age{form}}}",)


def test_a_name_can_be_any_column_name() -> None:
    assert placeholders_of("{Größe in cm} {2019}") == [("", "Größe in cm", ""), (" ", "2019", "")]


def test_double_braces_are_braces() -> None:
    assert "".join(text for text, _, _ in placeholders_of("{{age}}")) == "{age}"


def test_one_sentence_is_a_list_of_one() -> None:
    assert words(raises="old").raises == words(raises=["old"]).raises == ("old",)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="rises"):
        words(rises="old")


def test_every_name_in_words_is_found() -> None:
    own = {"age": words(raises=["{age:.0f}", "{city}"], missing="{spend}"), "member": words()}
    assert features_in(own) == ["age", "city", "member", "spend"]


def test_a_task_needs_no_words() -> None:
    assert WordsSection().words == {}


def task_with(own: dict[str, Any]) -> Task:
    content = own_task("table").model_dump(mode="python")
    return Task.model_validate({**content, "words": own})


@pytest.mark.parametrize(
    "own",
    [
        {"usage": {"says": "uses it"}},
        {"usage_gb": {"says": "{useage_gb:.0f}"}},
        {"usage_gb": {"says": "{churned}"}},
        {"customer_id": {"says": "is {customer_id}"}},
        {"country": {"says": "lives in {country}"}},
    ],
    ids=["unknown", "mistyped", "the label", "the unit", "ignored"],
)
def test_words_of_unknown_columns_of_a_flat_table_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"words name \[.*\], the features are \['contract', 'gender'"):
        task_with(own)


@pytest.mark.parametrize("name", ["churn", "high_value_sale"])
def test_the_words_of_a_task_are_of_its_features(name: str, tmp_path: Path) -> None:
    task = own_task(name)
    tables = write_shop(shop_tables(customers=150, sales=6_000, seed=3), tmp_path / "prepared")
    plan = plan_split(task.split, first=FIRST, last=LAST)
    (tmp_path / "features").mkdir()
    made = make_features(
        tables, task.features, task.tables, plan, into=tmp_path / "features", high_missing_share=0.99, seed=1
    )
    assert check_words(task.words, made.schema.features) == []
    assert set(task.words) == set(made.schema.features)


def test_a_mistake_in_words_names_the_file_and_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks/table").mkdir(parents=True)
    text = (OWN / "tasks/table/task.yaml").read_text().replace("{usage_gb:,.0f}", "{usage_gb.real}")
    (tmp_path / "tasks/table/task.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError, match=r"(?s)task\.yaml\.words\.usage_gb\.says.*expected the plain name"):
        read_task("table")

"""Text of a person makes no markup on any page."""

import numpy as np
import pyarrow as pa
import pytest

from lab.card.page import card_of
from lab.drift.assess import Assessment
from lab.drift.page import page_of
from lab.pages.escape import code, inert, plain_or_code
from lab.pages.markdown import table
from lab.prepare.contract import Finding
from lab.prepare.quality import ColumnQuality, quality_page, summarise_quality
from lab.select.candidate_report import report_of
from lab.select.leaderboard import rank
from lab.select.pairs import Question, compare_all, compare_pairs
from lab.task.money import Money
from tests.lab.card.test_card import found, group_rows, manifest, results
from tests.lab.drift.test_page import REFERENCE
from tests.lab.drift.world import changed, judged, rows_of, stamped
from tests.lab.pages.markup import ALL, HOSTILE, broken_tables, effects_of, tags_in, with_hostile
from tests.lab.select.candidates import candidate
from tests.tables import schema_of

# Emphasis and entities change how a text looks; a definition and a quote need other text around them.
MILD = (
    "`x` ``y",
    "&lt;b&gt;",
    "[x]: https://example.invalid",
    "www.example.invalid",
    '" onmouseover="alert(1)',
    "a\\|b",
)
TEXTS = pytest.mark.parametrize("text", [*HOSTILE, ALL])


@pytest.mark.parametrize("text", [text for text in HOSTILE if text not in MILD])
def test_the_texts_do_have_effects_without_the_escape(text: str) -> None:
    page = f"# Page\n\n{text}\n\n| a |\n|---|\n| {text} |\n"
    assert effects_of(page) or broken_tables(page)


@TEXTS
def test_escaped_text_has_no_effect(text: str) -> None:
    for escaped in (code(text), plain_or_code(text), inert(text)):
        page = "\n".join(
            [f"# {escaped}", "", f"- {escaped}.", "", f"**{escaped}**", "", *table(["a", "b"], [[escaped, "c"]])]
        )
        assert (effects_of(page), broken_tables(page)) == ([], [])


@TEXTS
def test_the_model_card_escapes_names_levels_notes_and_reasons(text: str) -> None:
    documents = found()
    documents["featurize"]["left_out"] = {text: text}
    documents["evaluate"] |= {"groups_not_in_training": [text], "undefined": [text]}
    documents["explain"] |= {"correlated": [[text, "amount"]], "notes": [text]}
    documents["validate"]["gates"][0]["reason"] = text
    documents["abtest"]["online"]["reason"] = text
    for name in ("visits", "sales", "feature_01", "moment"):
        documents = with_hostile(documents, name, text)
    schema = schema_of("time").model_copy(
        update={"question": text, "unit": (text,), "moment": text, "positive": text, "groups": (text,)}
    )
    page = card_of(
        results(
            found=documents,
            groups=with_hostile(group_rows(note=text), "female", text),
            schema=schema,
            manifests={model: manifest(schema, features=(text,)) for model in ("challenger", "champion")},
            money=Money(currency=text, benefit_of_true_positive=2500),
        )
    )
    assert (effects_of(page), broken_tables(page)) == (["candidates/README.md", "croissant.json", "cyclonedx.json"], [])


@TEXTS
def test_the_quality_page_escapes_columns_and_examples(text: str) -> None:
    columns = [ColumnQuality(text, text, "category", 10, 1, 0, 0, 0)]
    findings = [Finding(text, text, text, "error", 1, 10, (text, text))]
    page = quality_page(columns, findings, summary=summarise_quality(columns, repeated=0))
    assert (effects_of(page), broken_tables(page)) == ([], [])


@TEXTS
def test_the_page_on_candidates_escapes_the_question(text: str) -> None:
    made = [candidate("plain", skill=1.0, noise=0.5, seed=1), candidate("strong", skill=3.0, noise=0.5, seed=2)]
    for each in made:
        object.__setattr__(each.manifest.inputs, "question", text)
    standings, question = rank(made, by="roc_auc"), Question(by="roc_auc", significance=0.05, margin=0.01)
    page = report_of(standings, compare_pairs(standings, question), compare_all(standings), question, pictures=[])
    assert (effects_of(page), broken_tables(page)) == ([], [])


@pytest.fixture(scope="module")
def assessed() -> Assessment:
    batch = stamped(rows_of(np.random.default_rng(2), 1000), start="2025-03-01", days=5)
    moved: pa.Table = changed(batch, "visits", batch["visits"].to_numpy() + 2)
    return judged(REFERENCE, moved)


@TEXTS
def test_the_drift_page_escapes_names_and_levels(text: str, assessed: Assessment) -> None:
    plain = page_of(assessed)
    hostile = page_of(
        Assessment(**{name: with_hostile(value, "visits", text) for name, value in vars(assessed).items()})
    )
    assert tags_in(hostile) == tags_in(plain)

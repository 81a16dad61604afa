"""The drift page is self-contained, and its size is bounded."""

import re
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa

from lab.drift.page import page_of
from tests.lab.drift.world import changed, fitted, judged, rows_of, stamped

REFERENCE = fitted(stamped(rows_of(np.random.default_rng(1), 1000), start="2025-01-01", days=10), moment=True)


def page(rows: int = 1000, *, moved: bool = True) -> str:
    table = stamped(rows_of(np.random.default_rng(2), rows), start="2025-03-01", days=5)
    if moved:
        table = changed(table, "visits", table["visits"].to_numpy() + 2)
    return page_of(judged(REFERENCE, table))


class Balance(HTMLParser):
    """Count how deep the tags are nested, and what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "line", "rect", "circle", "polyline"} or tag == "rect":
            self.open.append(tag)
        self.loaded += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "xlink:href"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = page()
    parser = Balance()
    parser.feed(text)
    assert parser.loaded == []
    assert "<script" not in text
    assert re.findall(r"https?://|@import|url\(", text) == []


def test_its_size_does_not_depend_on_the_rows() -> None:
    assert abs(len(page(4000)) - len(page(1000))) < 2000


def test_it_fits_a_phone_and_the_night() -> None:
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page()
    assert "prefers-color-scheme:dark" in page()


def test_it_says_what_moved_and_shows_no_identifier() -> None:
    text = page()
    assert "visits" in text
    assert "customer_id" not in text


def test_the_page_exists_when_nothing_can_be_tested() -> None:
    bare = rows_of(np.random.default_rng(3), 5).select(["age", "amount", "region", "senior", "visits"])
    text = page_of(judged(REFERENCE, bare))
    assert "The rows have no scores." in text
    assert "The rows have no moment." in text


def test_names_of_columns_cannot_break_it() -> None:
    strange = pa.array(["<b>bold & broken</b>"] * 1000)
    table = stamped(rows_of(np.random.default_rng(2), 1000), start="2025-03-01", days=5)
    text = page_of(judged(REFERENCE, changed(table, "region", strange)))
    assert "<b>bold" not in text
    assert "&lt;b&gt;bold" in text

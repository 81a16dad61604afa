"""The settings of stage prepare, as read from params.yaml."""

from datetime import date

import pytest

from lab.core.errors import ParamsError
from lab.core.params import parse
from lab.prepare.preparation import PrepareParams

PLACE = {"where": "params.yaml: prepare", "cure": "Correct it."}


@pytest.mark.parametrize(("written", "read"), [("2026-02-01", date(2026, 2, 1)), (None, None)])
def test_a_date_is_read_from_text(written: str | None, read: date | None) -> None:
    assert parse({"as_of": written}, kind=PrepareParams, **PLACE).as_of == read


@pytest.mark.parametrize("written", ["yesterday", "2026-02-30", 20260201.5])
def test_an_invalid_date_is_refused(written: object) -> None:
    with pytest.raises(ParamsError, match="as_of"):
        parse({"as_of": written}, kind=PrepareParams, **PLACE)

"""The settings of the stage prepare, as DVC hands them over."""

from datetime import date

import pytest

from lab.core.errors import ParamsError
from lab.core.params import parse
from stages.prepare import PrepareParams

PLACE = {"where": "params.yaml: prepare", "cure": "Correct it."}


@pytest.mark.parametrize(("written", "read"), [("2026-02-01", date(2026, 2, 1)), (None, None)])
def test_a_day_is_written_as_text_for_dvc_takes_no_date(written: str | None, read: date | None) -> None:
    assert parse({"as_of": written}, kind=PrepareParams, **PLACE).as_of == read


@pytest.mark.parametrize("written", ["yesterday", "2026-02-30", 20260201.5])
def test_what_is_no_day_is_refused(written: object) -> None:
    with pytest.raises(ParamsError, match="as_of"):
        parse({"as_of": written}, kind=PrepareParams, **PLACE)

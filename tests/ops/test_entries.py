"""champion.yaml is read within the limits of every YAML file before an entry is written."""

import pytest

from lab.core.errors import ParamsError
from ops.registry.entries import _parsed

BOMB = "a0: &a0 [aaaaaaaaaa]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)


def test_a_champion_file_whose_aliases_expand_without_end_is_refused() -> None:
    with pytest.raises(ParamsError, match="more than 1,000,000 characters with all aliases"):
        _parsed(BOMB)

"""Settings of the site that `make docs` builds; it needs no network."""

import re
from pathlib import Path
from typing import Any

README = Path(__file__).parent.parent / "README.md"

project = html_title = README.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["requirements.*"]
html_theme = "furo"
html_show_copyright = html_show_sphinx = html_show_sourcelink = html_copy_source = False


def setup(app: Any) -> None:
    """Let Sphinx name the files outside docs/, such as README.md, which are no pages of the site."""
    app.connect("source-read", _without_links_outside)


def _without_links_outside(_app: Any, name: str, source: list[str]) -> None:
    outside = re.escape("../" * (name.count("/") + 1))
    source[0] = re.sub(rf"\[([^\]]+)\]\({outside}([^)#]+)[^)]*\)", r"\1 (`\2`)", source[0])

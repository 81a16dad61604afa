"""Render plots as one HTML page that needs no network."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence

from ops.dvc.plots import Plot

# Vega-Lite 5, which DVC's templates name. Drawn without `eval`, so that the page can forbid all code but its own.
VEGA_LITE = "5.20"
DRAW = """
const plots = JSON.parse(document.getElementById("plots").textContent);
const options = {actions: false, ast: true, renderer: "svg"};
for (const [id, plot] of Object.entries(plots)) {
  const place = document.getElementById(id);
  vegaEmbed(place, plot, options).catch(error => {
    place.textContent = `This plot cannot be drawn: ${error.message}`;
  });
}
"""
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; color: #212529; }
body { overflow-wrap: anywhere; }
section { border-top: 1px solid #dee2e6; } h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; }
nav { columns: 16rem; } .plot { overflow-x: auto; } .note { color: #a61e4d; } img { max-width: 100%; }
"""


def page_of(plots: Sequence[Plot], *, title: str, script: str) -> str:
    """Return the page; text of the plots is never HTML, and its policy forbids the browser to load anything."""
    script = re.sub("(?i)</(?=script)", r"<\\/", script)
    named = [(f"plot-{at}", plot) for at, plot in enumerate(plots)]
    drawn = {name: plot.specification for name, plot in named if plot.specification is not None}
    data = json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    links = "".join(f'<a href="#s-{name}">{html.escape(plot.name)}</a><br>' for name, plot in named)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{html.escape(title)}</h1><nav>{links}</nav>\n{''.join(_section(*each) for each in named)}"
        f'<script type="application/json" id="plots">{data}</script>\n<script>{script}</script></body></html>\n'
    )


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _section(name: str, plot: Plot) -> str:
    notes = "".join(f'<p class="note">{html.escape(note)}</p>' for note in plot.notes)
    images = "".join(
        f'<figure><figcaption>{html.escape(revision)}</figcaption><img alt="" src="{html.escape(source)}"></figure>'
        for revision, source in plot.images
    )
    return (
        f'<section id="s-{name}"><h2>{html.escape(plot.name)}</h2>{notes}{images}'
        f'<div class="plot" id="{name}"></div></section>\n'
    )

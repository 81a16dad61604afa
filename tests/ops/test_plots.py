"""`ops plots` writes the plots of two revisions as one page that needs no network."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.core.errors import LabError
from ops.__main__ import application
from ops.dvc.plots import Plot, plots_of
from ops.plots.command import vega
from ops.plots.page import page_of
from tests.cures import cure_in
from tests.ops.trivial import commit, trivial
from tests.project import ROOT, run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>"
SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": "<DVC_METRIC_DATA>"},
    "title": "<DVC_METRIC_TITLE>",
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "label"}, "color": {"field": "rev"}},
}
PLOT = "plots:\n  - {name}:\n      template: {template}\n      x: {{points.json: x}}\n      y: {{points.json: label}}\n"


class Tags(HTMLParser):
    """The opened tags of a page, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose head removes a plot of the base with its template, and adds one with hostile text."""
    folder = tmp_path_factory.mktemp("plots") / "here"
    files = {".dvc/plots/old.json": json.dumps(SPEC), "points.json": json.dumps([{"x": 1, "label": "a"}])}
    trivial(folder, PLOT.format(name="Gone", template="old"), files=files)
    (folder / ".dvc/plots/old.json").unlink()
    (folder / ".dvc/plots/new.json").write_text(json.dumps(SPEC))
    (folder / "points.json").write_text(json.dumps([{"x": 2, "label": HOSTILE}]))
    (folder / "dvc.yaml").write_text(PLOT.format(name=json.dumps(f"New {HOSTILE}"), template="new"))
    commit(folder, "head")
    return folder


@pytest.fixture(scope="module")
def page(drawn: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(drawn)
        done = CliRunner().invoke(application, ["plots", "HEAD~1", "HEAD"], catch_exceptions=False)
    assert done.output.startswith("logs/plots.html: 2 plots, ")
    return (drawn / "logs/plots.html").read_text(encoding="utf-8")


def test_a_plot_of_either_revision_is_drawn_by_its_own_template(drawn: Path) -> None:
    gone, new = plots_of(["HEAD~1", "HEAD"], root=drawn)
    assert (gone.name, new.name) == ("Gone", f"New {HOSTILE}")
    for plot, rev, label in ((gone, "HEAD~1", "a"), (new, "HEAD", HOSTILE)):
        assert plot.specification is not None
        (point,) = plot.specification["data"]["values"]
        assert (point["rev"], point["label"]) == (rev, label)


def test_the_page_holds_its_scripts_and_points_and_loads_nothing(page: str) -> None:
    found = Tags(page)
    assert {tag for tag, _ in found.tags if tag not in {"html", "head", "body", "br"}} == {
        *("meta", "title", "style", "h1", "nav", "a", "section", "h2", "div", "script")
    }
    links = [said[name] or "" for _, said in found.tags for name in ("href", "src") if name in said]
    assert all(link.startswith("#") for link in links)
    points, script = found.scripts
    assert [each["title"] for each in json.loads(points).values()] == ["Gone", f"New {HOSTILE}"]
    policy = next(said["content"] or "" for _, said in found.tags if said.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert len(script) < 1_500_000


def test_what_is_missing_in_a_plot_is_said_above_it() -> None:
    plots = [Plot("a", notes=("HEAD: lost <b>",)), Plot("b", images=(("HEAD", "data:image;base64,AA=="),))]
    page = page_of(plots, title="t", script="let a = '</script>';")
    assert '<p class="note">HEAD: lost &lt;b&gt;</p>' in page
    assert '<figcaption>HEAD</figcaption><img alt="" src="data:image;base64,AA==">' in page
    assert "<script>let a = '<\\/script>';</script>" in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome")
def test_a_browser_draws_the_page_and_no_hostile_text_is_markup(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    command = [BROWSER or "", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, f"file://{tmp_path}/page.html"], capture_output=True, text=True, check=True)
    shown = re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    assert shown.count("<svg") == 2
    assert "cannot be drawn" not in shown
    assert "<img" not in shown


def test_without_vega_the_message_names_the_target_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(LabError, match="vl-convert-python is not installed") as refused:
        vega()
    cure = cure_in(str(refused.value), of="ops/plots/command.py: make plots")
    assert (
        "pip install --quiet --require-hashes --requirement tests/requirements.txt"
        in run(["bash", "-c", f"{cure} --always-make --dry-run"], cwd=ROOT).stdout
    )
    assert "vl-convert-python==" in (ROOT / "tests/requirements.txt").read_text()


def test_a_revision_that_dvc_cannot_read_is_refused(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(drawn)
    with pytest.raises(LabError, match="nowhere"):
        CliRunner().invoke(application, ["plots", "nowhere"], catch_exceptions=False)

"""The report of a pull request, and the escaping of text from the repository."""

import doctest
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import lab.pages.escape
import ops.report.bars
from lab.pages.escape import code, plain_or_code
from ops.compare.changes import Change
from ops.compare.compare import compare_revisions
from ops.compare.comparison import Comparison
from ops.compare.differences import Judged
from ops.report.bars import picture
from ops.report.collapsible import Section, page_of
from ops.report.page import TITLE, first_line, report_of
from ops.report.pictures import draw
from ops.revisions.files import ChangedFile
from ops.revisions.snapshot import snapshot_of
from tests.history import history_of
from tests.ops.revised import FEATURES, PREDICTIONS, output_table, parquet, revision
from tests.project import ROOT, run

GITHUB_TAKES = 60_000
HOSTILE = (
    "@everyone",
    "<img src=x onerror=alert(1)>",
    "</summary></details><script>",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "owner/repository#12",
    "GH-12",
    "0f621e6ead7c0f621e6ead7c0f621e6ead7c0f62",
    "| a | b |",
    "`` ` `` @name",
    "`",
    "a\n\n# heading\n- list",
    "<!-- hidden -->",
    "*bold* _it_ ~~no~~",
    ":tada:",
    "&lt;b&gt;",
    "\\`@name",
    "someone@example.org",
)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shared project: to look at only."""
    return history_of(tmp_path_factory)


@pytest.fixture(scope="module")
def worse(past: Path) -> Comparison:
    return compare_revisions("first", "worse", root=past)


class Tags(HTMLParser):
    """The tags of a page, and the text outside of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(markdown))

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's signature
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += "" if {"code", "pre"} & set(self.open) else data


def test_a_worse_head_is_stopped_in_the_first_line_after_the_title(worse: Comparison) -> None:
    lines = report_of(worse).splitlines()
    assert lines[0] == TITLE == "## Experiment report"
    assert re.match(r"\S+ \*\*stop\*\*: ROC AUC of the challenger is worse \(−0\.\d{4}, 95 % interval ", lines[2])


def test_every_metric_is_shown_with_its_interval_and_its_word(worse: Comparison) -> None:
    page, _, _ = report_of(worse).partition("<details>")
    for name in ("ROC AUC", "accuracy", "Brier score", "F1", "log loss", "precision", "recall"):
        (line,) = [line for line in page.splitlines() if re.match(rf"\| (\*\*)?{name}(\*\*)? \|", line)]
        assert " to " in line.replace("\N{NO-BREAK SPACE}", " ")
        assert re.search(r"better|worse|equivalent|not distinguishable", line)


def test_the_rest_is_folded_and_every_fold_closes(worse: Comparison) -> None:
    page = report_of(worse)
    titles = re.findall(r"<summary>(.*?)</summary>", page)
    assert page.count("<details>") == page.count("</details>") == len(titles)
    assert [title.partition(":")[0] for title in titles[:6]] == [
        "Settings",
        "Data",
        "Code",
        "Gates",
        "Promotion",
        "Drift",
    ]


def test_the_same_revisions_give_the_same_bytes(past: Path, worse: Comparison) -> None:
    assert report_of(compare_revisions("first", "worse", root=past)) == report_of(worse)


def test_a_change_of_nothing_says_that_the_predictions_are_the_same(past: Path) -> None:
    page = report_of(compare_revisions("first", "main", root=past))
    assert "the challenger's predictions are the same, row by row" in page.splitlines()[2]
    assert "equivalent" not in page


def test_changed_test_data_is_looked_at_and_told_with_counts(past: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(past, tmp_path / "project", symlinks=True))
    table, features = (output_table(project, path) for path in (PREDICTIONS, FEATURES))
    outputs = {PREDICTIONS: parquet(table.slice(50)), FEATURES: parquet(features.slice(50))}
    revision(project, "fewer", outputs=outputs)
    page = report_of(compare_revisions("first", "fewer", root=project))
    assert "the test data changed" in page
    assert "50 only in base, 0 only in head" in page
    assert "untested" in page
    assert "| `data/features` |" not in page  # a fingerprint is named in words, its bytes are nobody's reading


def test_a_monstrous_change_is_cut_to_what_github_takes_and_says_so(worse: Comparison) -> None:
    page = report_of(_monstrous(worse))
    assert len(page) < GITHUB_TAKES
    assert re.search(r"… and [\d,]+ more lines: see `python -m ops compare`\.", page)
    assert page.startswith(TITLE)
    assert page.count("<details>") == page.count("</details>")


def test_what_is_short_is_not_cut_for_what_is_long(worse: Comparison) -> None:
    gates = re.search(r"<summary>Gates.*?</details>", report_of(worse), re.DOTALL)
    assert gates is not None
    assert gates.group() in report_of(_monstrous(worse))


def test_a_page_whose_folds_are_all_long_is_cut_evenly() -> None:
    sections = [Section(str(number), ("opening",), tuple("x" * 50 for _ in range(1_000))) for number in range(9)]
    page = page_of("top", sections, limit=20_000)
    assert len(page) <= 20_000
    assert len(set(re.findall(r"… and ([\d,]+) more lines", page))) == 1


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write", [code, plain_or_code])
def test_what_comes_from_a_repository_is_text_and_no_more(write: object, text: str) -> None:
    cell = write(text).replace("|", "\\|")  # type: ignore[operator]
    for markdown in (cell, f"| a |\n| --- |\n| {cell} |"):
        page = Tags(markdown)
        assert page.tags <= {"p", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert not re.search(r"@\w|://|www\.|#\d|GH-|[0-9a-f]{7}", page.text)


def test_a_hostile_repository_makes_no_markup_on_the_page(worse: Comparison) -> None:
    page = report_of(_hostile(worse))
    seen = Tags(page)
    plain = Tags(report_of(worse))
    assert seen.tags <= plain.tags | {"strong"}
    assert not re.search(r"@\w|evil|://|#\d", seen.text)
    assert page.splitlines().count("<details>") == page.splitlines().count("</details>")


def test_plain_words_stay_plain() -> None:
    reason = "north against south: beyond the limit with its whole interval; too small to judge: centre (45 rows)"
    assert plain_or_code(reason) == reason


@pytest.mark.parametrize("module", [ops.report.bars, lab.pages.escape])
def test_the_examples_in_docstrings_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_less_is_better_is_drawn_the_other_way_round() -> None:
    lower = Judged("brier", "better", 0.2, 0.18, -0.02, low=-0.03, high=-0.01, margin=0.005)
    higher = Judged("roc_auc", "better", 0.8, 0.82, 0.02, low=0.01, high=0.03, margin=0.005)
    brier, area = (line[2:] for line in picture([("a", lower), ("b", higher)]).splitlines()[1:])
    assert brier == area
    assert brier.index("│") < brier.index("●")


def test_an_interval_beyond_the_picture_is_an_arrow() -> None:
    far = Judged("roc_auc", "worse", 0.9, 0.5, -0.4, low=-0.5, high=-0.02, margin=0.01)
    assert picture([("a", far)]).splitlines()[1].strip("a ").startswith("◂─")


def test_pictures_are_drawn_the_same_twice_and_shown_only_with_an_address(past: Path, worse: Comparison) -> None:
    snapshots = [snapshot_of(name, root=past) for name in ("first", "worse")]
    drawn = [draw(worse, *snapshots) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert sorted(drawn[0]) == ["curves.png", "differences.png"]
    assert "![" not in report_of(worse)


def test_the_report_is_written_added_to_the_summary_and_shows_pictures(past: Path, tmp_path: Path) -> None:
    page, summary = tmp_path / "logs/report.md", tmp_path / "summary.md"
    summary.write_text("before\n")
    printed = _report(
        *("first", "worse", "--output", str(page), "--images", str(tmp_path / "images")),
        *("--image-base", "https://example.org/12/"),
        cwd=past,
        GITHUB_STEP_SUMMARY=str(summary),
        GITHUB_SERVER_URL="https://github.example",
        GITHUB_REPOSITORY="somebody/churn",
        GITHUB_RUN_ID="42",
    )
    assert printed.startswith("🛑 **stop**")
    assert summary.read_text() == f"before\n{page.read_text()}"
    assert "(https://example.org/12/curves.png)" in page.read_text()
    assert "(https://github.example/somebody/churn/actions/runs/42)" in page.read_text()


def test_pictures_that_cannot_be_drawn_stop_nobody(past: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    page = _report("first", "worse", "--images", str(tmp_path / "taken/below"), cwd=past)
    assert page.startswith(TITLE)


def test_an_address_that_is_none_is_the_users_mistake(past: Path) -> None:
    command = ["python", "-P", "-m", "ops", "report", "first", "worse", "--image-base", "javascript:alert(1)"]
    done = run(command, cwd=past, check=False, environment={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "expected an address such as" in done.stderr


def _report(*arguments: str, cwd: Path, **environment: str) -> str:
    command = ["python", "-P", "-m", "ops", "report", *arguments]
    return run(command, cwd=cwd, environment={"PYTHONPATH": str(ROOT), **environment}).stdout


def _monstrous(comparison: Comparison) -> Comparison:
    many = tuple(Change(f"train.candidates.c{number}", "changed", "old" * 60, "new" * 60) for number in range(5_000))
    files = tuple(ChangedFile(f"folder{number}/{'long' * 40}", "added") for number in range(3_000))
    inputs = comparison.inputs
    return replace(
        comparison,
        inputs=replace(inputs, params=many, task=many, code=replace(inputs.code, other=files)),
        plots=replace(comparison.plots, files=files),
    )


def _hostile(comparison: Comparison) -> Comparison:
    """Return the comparison of repositories that write markup wherever they may write."""
    text = " ".join(HOSTILE)
    bad = tuple(Change(each, "changed", each, each) for each in HOSTILE)
    gates = tuple(
        replace(each, gate=text, head=replace(each.head, reason=text) if each.head else None)
        for each in comparison.gates
    )
    inputs, drift, answer = comparison.inputs, comparison.drift, comparison.head_answer
    assert drift.head is not None
    assert answer is not None
    return replace(
        comparison,
        base=replace(comparison.base, name=text),
        head=replace(comparison.head, name=text),
        inputs=replace(
            inputs,
            params=bad,
            champion=bad,
            data=replace(inputs.data, fingerprints=(ChangedFile(text, "changed"),), facts=bad, notes=(text,)),
            code=replace(
                inputs.code, packages=bad, other=(ChangedFile(text, "added"),), added=HOSTILE, touched=HOSTILE
            ),
        ),
        metrics=replace(comparison.metrics, currency=text, untested=text),
        gates=gates,
        drift=replace(drift, newly_drifted=HOSTILE, head=replace(drift.head, reasons=HOSTILE)),
        head_answer=replace(answer, word=text, metric=text, action=text, rule=text, looked=text),
        training=replace(
            comparison.training,
            in_words=HOSTILE,
            head_challenger=text,
            by=text,
            candidates=tuple(replace(each, name=text) for each in comparison.training.candidates),
        ),
        plots=replace(comparison.plots, changed=HOSTILE),
        no_promotion=text,
    )


def test_the_first_line_names_no_more_than_it_can(worse: Comparison) -> None:
    assert len(first_line(_hostile(worse))) < 2_000

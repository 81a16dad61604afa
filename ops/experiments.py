"""`python -m ops experiments`: list the experiments of a commit by their out-of-fold scores."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from lab.core.command import COSTS, TEMPORARY
from lab.core.errors import LabError, SourceError
from lab.core.params import parse_json
from lab.core.result_files import json_bytes
from lab.model_files.manifest import CURE, MANIFEST, OUT_OF_FOLD, SEARCH, Manifest
from lab.pages.gate_marks import MARKS
from lab.pages.markdown import counted, interval, number, readable_name, signed
from lab.select.leaderboard import rank
from lab.select.pairs import Question, compare_pairs
from lab.select.trained import Candidate, Search
from lab.stats.core.classification import LOWER_IS_BETTER
from lab.stats.core.corrections import holm
from ops.compare.changes import changes, in_one_line
from ops.compare.predicted import Store, briefly
from ops.revisions.git import commit_of, lines_of
from ops.revisions.looks import count_looks, in_words
from ops.revisions.objects import Objects
from ops.revisions.snapshot import Snapshot
from ops.text_table import aligned

NOT_COMPARED = "not compared: "
SWAPPED = {"better": "worse", "worse": "better"}
HIDDEN = "The scores of the test window are hidden: choose by the out-of-fold score, then use --reveal."


@dataclass(frozen=True)
class Line:
    """A revision: its challenger's out-of-fold score, and for an experiment what changed and the verdict.

    A positive difference is better, also of a loss; its interval is not corrected. `test_score` and `gates` (passes,
    within noise or fails) are None where they are not revealed. `cpu_seconds` is the cost of the stages that ran for it
    here, and None where none did.
    """

    name: str
    challenger: str
    score: float | None
    low: float | None
    high: float | None
    changed: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    test_score: float | None = None
    gates: str | None = None
    failed_gates: tuple[str, ...] = ()
    gates_within_noise: tuple[str, ...] = ()
    cpu_seconds: float | None = None


@click.command()
@click.argument("base", default="HEAD")
@click.option("--reveal", is_flag=True, help="Show scores and gates of the test window, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def experiments(*, base: str, reveal: bool, as_json: bool) -> None:
    r"""List the DVC experiments of a commit, best first: what changed, out-of-fold score, verdict.

    The verdict compares an experiment's challenger with that of BASE by the score that ranks candidates (params.yaml:
    select.by), on the same out-of-fold rows, with significance and margin of `select`. A positive difference is better.
    It is corrected for the number of experiments (Holm); the intervals are not.

    Each look at the test window makes its scores more optimistic. So they are shown only with --reveal, for the
    experiment that you chose, with the number of models that were evaluated on it, those of removed experiments
    included once they were counted (refs/lab/looks). CPU seconds are those of the stages that ran for an experiment in
    this repository, so a stage whose result came from the cache costs nothing.

    \b
      python -m ops experiments
      python -m ops experiments main --reveal

    Exit codes: 0 listed, 2 a usage error, such as a commit without experiments.
    """
    by, lines = listed(base, reveal=reveal)
    looks = in_words(count_looks(commit_of(base), root=Path())) if reveal else []
    if as_json:
        click.echo(json_bytes([asdict(line) for line in lines]).decode().rstrip())
    else:
        click.echo("\n".join([to_text(lines, by), *looks]))


def listed(
    base: str, *, reveal: bool, names: Collection[str] | None = None, root: Path = Path()
) -> tuple[str, list[Line]]:
    """Return the score that ranks, and the lines: the base first, then all its experiments or those named, best first.

    The verdicts are corrected by Holm over the lines.
    """
    commit = commit_of(base, root=root)
    found = [each for each in experiments_of(commit, root=root) if names is None or each[0] in names]
    if not found and names is None:
        raise SourceError(f"{base} has no experiments, expected at least one: `dvc exp run` makes them.")
    objects = Objects(root)
    stores = [Store(Snapshot(name, made, root), objects) for name, made in [(base, commit), *found]]
    question = _question(stores[0].snapshot)
    start, *lines = [_scored(store.snapshot, question.by, reveal=reveal) for store in stores]
    lines = [_judged(line, store, stores[0], question) for line, store in zip(lines, stores[1:], strict=True)]
    costs = costs_of(commit, root=root)
    lines = [replace(line, cpu_seconds=costs.get(line.name)) for line in corrected(lines, level=question.significance)]
    sign = 1 if question.by in LOWER_IS_BETTER else -1
    return question.by, [
        start,
        *sorted(lines, key=lambda line: (line.score is None, sign * (line.score or 0), line.name)),
    ]


def experiments_of(commit: str, *, root: Path) -> list[tuple[str, str]]:
    """Return the name and the commit of each experiment that starts at a commit."""
    prefix = f"refs/exps/{commit[:2]}/{commit[2:]}/"
    found = lines_of("for-each-ref", "--format=%(refname) %(objectname)", prefix, root=root)
    return [(name.removeprefix(prefix), made) for name, made in (line.split(" ") for line in found)]


def costs_of(commit: str, *, root: Path) -> dict[str, float]:
    """Return the CPU seconds of each experiment of a commit; a line that a kill cut is left out."""
    path = Path(f"{root.absolute()}{TEMPORARY}", COSTS)
    found: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []:
        with suppress(ValueError, KeyError, TypeError):
            cost = json.loads(line)
            if cost["experiment"] and cost["baseline"] == commit:
                found[cost["experiment"]] = round(found.get(cost["experiment"], 0.0) + cost["cpu_seconds"], 2)
    return found


def to_text(lines: Sequence[Line], by: str) -> str:
    """Return the table and how to read it; further settings, and what is revealed, have lines of their own."""
    short = short_names(list(dict.fromkeys(name for line in lines for name, _ in line.changed)))
    rows = [["", "changed", f"{readable_name(by)} out of fold", "against the base", "CPU s"]]
    for line in lines:
        first, *more = [f"{short[name]}={value}" for name, value in line.changed] or [""]
        ends = interval(line.difference_low, line.difference_high)
        differs = "" if line.difference is None else f" ({signed(line.difference)}, {ends})"
        score = f"{number(line.score)} ({interval(line.low, line.high)})"
        cost = "" if line.cpu_seconds is None else f"{line.cpu_seconds:.1f}"
        rows.append([line.name, first, score, line.verdict + differs, cost])
        rows += [["", text, "", "", ""] for text in more]
        if line.gates is not None:
            rows.append(["", "", f"on test {number(line.test_score)}", _gates_text(line), ""])
    if all(line.cpu_seconds is None for line in lines):
        rows = [row[:-1] for row in rows]
    return "\n".join([aligned(rows), "", *_notes(lines)])


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest unique suffix of each dotted name.

    >>> list(short_names(["train.forest.settings.trees", "train.boosting.settings.trees", "seed"]).values())
    ['forest.settings.trees', 'boosting.settings.trees', 'seed']
    """
    found = {}
    for key in keys:
        parts = key.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        others = [f".{other}" for other in keys if other != key]
        found[key] = next((end for end in ends if not any(other.endswith(f".{end}") for other in others)), key)
    return found


def corrected(lines: Sequence[Line], *, level: float) -> list[Line]:
    """Return the lines with verdicts corrected by Holm; "equivalent" stays, because it claims no difference."""
    adjusted = iter(holm([line.p_value for line in lines if line.p_value is not None]))
    lines = [line if line.p_value is None else replace(line, p_adjusted=next(adjusted)) for line in lines]
    return [
        replace(line, verdict="not distinguishable")
        if line.verdict in SWAPPED and (line.p_adjusted or 0) >= level
        else line
        for line in lines
    ]


def _notes(lines: Sequence[Line]) -> list[str]:
    compared = sum(line.p_value is not None for line in lines)
    by_chance = (
        f"The best of {compared} is partly chosen by chance. The verdicts are corrected by Holm over "
        f"{counted(compared, 'difference')}; the intervals are not."
    )
    apart = [line.name for line in lines if line.verdict.startswith(NOT_COMPARED) and "the remote" in line.verdict]
    derive = f"To compare all: python -m ops derive {' '.join([lines[0].name, *apart])}"
    return [
        *([by_chance] if compared > 1 else []),
        *([derive] if apart else []),
        *([HIDDEN] if lines[0].gates is None else []),
    ]


def _judged(line: Line, store: Store, base: Store, question: Question) -> Line:
    old, new = (each.snapshot.yaml("params.yaml") or {} for each in (base, store))
    line = replace(line, changed=tuple((each.name, in_one_line(each.new)) for each in changes(old, new)))
    try:
        return against(line, _challenger(store, "experiment"), _challenger(base, "base"), question)
    except LabError as error:
        return replace(line, verdict=f"{NOT_COMPARED}{briefly(error)}")


def against(line: Line, experiment: Candidate, base: Candidate, question: Question) -> Line:
    """Return the line with the verdict on the same out-of-fold rows."""
    rows = [each.out_of_fold.drop_columns(["score"]) for each in (base, experiment)]
    if not rows[0].equals(rows[1]):
        return replace(line, verdict="not compared: other training rows or folds")
    tests = compare_pairs(rank([base, experiment], by=question.by), question)
    (test,) = (each for each in tests if each.kind == "rows")
    verdict, difference, ends = str(test.verdict), test.lead, (test.low, test.high)
    if test.first == base.name:
        verdict, difference = SWAPPED.get(verdict, verdict), -difference
        ends = (None if test.high is None else -test.high, None if test.low is None else -test.low)
    line = replace(line, verdict=verdict, difference=difference, p_value=test.p_value)
    return replace(line, difference_low=ends[0], difference_high=ends[1])


def _challenger(store: Store, name: str) -> Candidate:
    challenger = (store.snapshot.result("metrics/select.json") or {}).get("challenger", "")
    folder, where = f"models/candidates/{challenger}", f"at {store.snapshot.name}"
    texts = {path: store.content(f"{folder}/{path}").decode() for path in (MANIFEST, SEARCH)}
    return Candidate(
        name,
        parse_json(texts[MANIFEST], kind=Manifest, where=f"{folder}/{MANIFEST} {where}", cure=CURE),
        store.table(f"{folder}/{OUT_OF_FOLD}"),
        parse_json(texts[SEARCH], kind=Search, where=f"{folder}/{SEARCH} {where}", cure=CURE),
        (),
    )


def _question(snapshot: Snapshot) -> Question:
    section = (snapshot.yaml("params.yaml") or {}).get("select", {})
    return Question(section.get("by", "roc_auc"), section.get("significance", 0.05), section.get("margin", 0.01))


def _scored(snapshot: Snapshot, by: str, *, reveal: bool) -> Line:
    selected = snapshot.result("metrics/select.json") or {}
    low, high = selected.get("score_95") or (None, None)
    line = Line(snapshot.name, str(selected.get("challenger", "")), selected.get("score"), low, high)
    if not reveal:
        return line
    evaluated = (snapshot.result("metrics/evaluate.json") or {}).get("challenger", {}).get("test", {})
    return _with_gates(replace(line, test_score=evaluated.get(by)), snapshot.result("metrics/validate.json"))


def _with_gates(line: Line, verdict: Any) -> Line:
    if verdict is None:
        return replace(line, gates="not judged")
    failed, within_noise = (tuple(verdict.get(name, ())) for name in ("failed", "within_noise"))
    state = "fails" if failed else "within noise" if within_noise else "passes"
    return replace(line, gates=state, failed_gates=failed, gates_within_noise=within_noise)


def _gates_text(line: Line) -> str:
    named = [
        *((MARKS["failed"], gate) for gate in line.failed_gates),
        *((MARKS["within noise"], gate) for gate in line.gates_within_noise),
    ]
    listed = ", ".join(f"{mark} {gate}" for mark, gate in named)
    return f"gates: {line.gates}{f' ({listed})' if listed else ''}"

"""The files that an adoption writes and removes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import ParamsError
from lab.dataset.source import SyntheticSource
from lab.task.schema import TASKS, Task, read_task, task_names
from ops.adopt.readme import readme_of

PARAMS, PIPELINE, CHAMPIONS, README = (Path(name) for name in ("params.yaml", "dvc.yaml", "champion.yaml", "README.md"))
SOURCES = Path("data/source")
CURES = Path("tests/cures_not_applied.txt")
RESULTS = ("dvc.lock", "metrics", "plots", "reports")
WORLD = ("lab/world", "stages/world.py", "stages/world_traffic.py", "tests/lab/world")
WORLD_OUTPUTS = ("data/truth", "data/world/tables", "data/traffic/simulated")
WORLD_STAGES = ("world", "world_traffic")

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Changes:
    """The new text of each written file, and the files and folders to remove."""

    written: Mapping[Path, str]
    removed: tuple[Path, ...]

    def to_lines(self) -> list[str]:
        """Return one line for each file."""
        return [*(f"change  {path}" for path in self.written), *(f"remove  {path}" for path in self.removed)]


def changes_for(name: str, *, title: str | None, keep_samples: bool) -> Changes:
    """Return the changes that make a task the one of this repository."""
    task = read_task(name)
    if isinstance(task.source, SyntheticSource) and not keep_samples:
        raise ParamsError(
            f"the task {name!r} uses the synthetic data, which an adoption removes; expected a task of your own table. "
            "Keep the data with --keep-samples, or write a task with `python -m ops init`."
        )
    gone = () if keep_samples else tuple(other for other in task_names() if other != name)
    world = () if keep_samples else tuple(map(Path, (*WORLD, *WORLD_OUTPUTS)))
    samples = [path for other in gone for path in (TASKS / other, SOURCES / other)]
    edits = edits_for(name, task, title=title or titled(name), gone=gone, keep_samples=keep_samples)
    old = {path: path.read_text(encoding="utf-8") for path in edits if path.exists()}
    return Changes(
        written={path: new for path, text in old.items() if (new := edits[path](text)) != text},
        removed=tuple(path for path in (*map(Path, RESULTS), *samples, *world) if path.exists()),
    )


def titled(name: str) -> str:
    """Return a title from the name of a task.

    >>> titled("telco_churn")
    'Telco churn'
    """
    return name.replace("_", " ").capitalize()


def edits_for(name: str, task: Task, *, title: str, gone: Sequence[str], keep_samples: bool) -> dict[Path, Edit]:
    """Return the edit of each file's text."""
    artifacts = sorted({name, *(task_names() if keep_samples else ())})
    question = task.features.question
    edits: dict[Path, Edit] = {
        PARAMS: lambda text: _params(text, name, task, keep_samples=keep_samples),
        PIPELINE: lambda text: _pipeline(text, artifacts, without=() if keep_samples else WORLD_STAGES),
        CHAMPIONS: lambda text: without_blocks(text, gone),
        README: lambda text: readme_of(text, title=title, question=question, samples=keep_samples),
    }
    return edits if keep_samples else {**edits, CURES: _without_world}


def _without_world(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("lab/world/"))


def _params(text: str, name: str, task: Task, *, keep_samples: bool) -> str:
    text = re.sub(r"^task: .*$", f"task: {name}", text, count=1, flags=re.MULTILINE)
    if keep_samples:
        return text
    columns = {column for table in task.tables.values() for column in table.columns}
    kept = [column for column in _seasonal(text) if column in columns]
    written = "".join(f"    - {column}\n" for column in kept)
    text = SEASONAL.sub(f"    seasonal:\n{written}" if kept else "    seasonal: []\n", text, count=1)
    return without_blocks(text, ["world"])


SEASONAL = re.compile(r"^    seasonal:\n((?:    - .*\n)*)", re.MULTILINE)


def _seasonal(text: str) -> list[str]:
    found = SEASONAL.search(text)
    return re.findall(r"- (.*)", found[1]) if found else []


def _pipeline(text: str, artifacts: Sequence[str], *, without: Sequence[str]) -> str:
    lines = "".join(f"  {name}: {{path: models/champion, type: model}}\n" for name in artifacts)
    text = re.sub(r"^artifacts:\n(?:  .*\n)+", lambda _: f"artifacts:\n{lines}", text, count=1, flags=re.MULTILINE)
    for stage in without:
        text = re.sub(rf"^(?:  #.*\n)*  {stage}:\n(?:    .*\n)+\n", "", text, count=1, flags=re.MULTILINE)
    return text


def without_blocks(text: str, names: Sequence[str]) -> str:
    r"""Return YAML text without some of its top-level keys.

    >>> without_blocks("a: 1\nb:\n  c: 2\n\nd: 3\n", ["b"])
    'a: 1\nd: 3\n'
    """
    for name in names:
        text = re.sub(rf"^{re.escape(name)}:(?: .*)?\n(?:[ \t].*\n)*\n?", "", text, flags=re.MULTILINE)
    return text

"""The files that an adoption writes and removes."""

import re
from collections.abc import Iterator, Mapping, Sequence
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
    texts = dict(_texts(name, task, title=title or titled(name), gone=gone, keep_samples=keep_samples))
    return Changes(
        written={path: text for path, text in texts.items() if path.read_text(encoding="utf-8") != text},
        removed=tuple(path for path in (*map(Path, RESULTS), *samples, *world) if path.exists()),
    )


def titled(name: str) -> str:
    """Return a title from the name of a task.

    >>> titled("telco_churn")
    'Telco churn'
    """
    return name.replace("_", " ").capitalize()


def _texts(name: str, task: Task, *, title: str, gone: Sequence[str], keep_samples: bool) -> Iterator[tuple[Path, str]]:
    yield PARAMS, _params(PARAMS.read_text(encoding="utf-8"), name, task, keep_samples=keep_samples)
    pipeline = PIPELINE.read_text(encoding="utf-8")
    artifacts = sorted({name, *(task_names() if keep_samples else ())})
    yield PIPELINE, _pipeline(pipeline, artifacts, without=() if keep_samples else WORLD_STAGES)
    yield CHAMPIONS, without_blocks(CHAMPIONS.read_text(encoding="utf-8"), gone)
    page = README.read_text(encoding="utf-8")
    yield README, readme_of(page, title=title, question=task.features.question, samples=keep_samples)
    if not keep_samples and CURES.exists():
        lines = CURES.read_text(encoding="utf-8").splitlines(keepends=True)
        yield CURES, "".join(line for line in lines if not line.startswith("lab/world/"))


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

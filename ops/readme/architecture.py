"""The generated parts of docs/architecture.md and docs/verbs.md: stages, verbs, picture."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ops.dvc.pipeline import Stage, read_stages
from ops.readme.rooms import Arrows
from ops.verbs import GROUPS, Verb

ARCHITECTURE = Path("docs/architecture.md")
HOUSE = Path("docs/architecture.svg")
VERBS_PAGE = Path("docs/verbs.md")
MOST_OF_A_FOLDER = 5


def floors(page: str) -> dict[str, tuple[int, set[str]]]:
    """Return each room of the table of floors with its floor and the rooms that it may import from."""
    rows = re.findall(r"^\| (\d) \| `([\w/]+)` \| [^|]+ \| ([^|]*) \|$", page, flags=re.MULTILINE)
    return {room: (int(floor), set(re.findall(r"`([\w/]+)`", imports))) for floor, room, imports in rows}


def architecture_blocks(root: Path) -> dict[str, str]:
    """Return the text of each generated block of docs/architecture.md by its name."""
    return {"stages": f"\n{_stages(read_stages(root))}\n"}


def verb_blocks() -> dict[str, str]:
    """Return the text of the generated block of docs/verbs.md by its name."""
    return {"verbs": "\n" + "\n".join(_group(name, verbs) for name, verbs in GROUPS.items()) + "\n"}


def stage_arrows(mermaid: str) -> Arrows:
    """Return for each stage of a DAG that DVC drew the stages that read from it; `train@forest` counts as `train`."""
    names = dict(re.findall(r'(node\d+)\["([^"@]+)', mermaid))
    arrows: Arrows = {name: set() for name in names.values()}
    for start, end in re.findall(r"(node\d+)-->(node\d+)", mermaid):
        arrows[names[start]].add(names[end])
    return arrows


def flowchart(arrows: Arrows) -> str:
    """Return the stages in Mermaid's language, without an arrow where a longer way leads, so that it can be read.

    >>> print(flowchart({"make": {"read", "show"}, "read": {"show"}}))
    flowchart TD
      make --> read
      read --> show
    """
    direct = (
        (start, end)
        for start, ends in sorted(arrows.items())
        for end in sorted(ends)
        if not any(end in _reached(arrows, other) for other in ends - {end})
    )
    return "\n".join(["flowchart TD", *(f"  {start} --> {end}" for start, end in direct)])


def _reached(arrows: Arrows, start: str) -> set[str]:
    ends = arrows.get(start, set())
    return ends.union(*(_reached(arrows, end) for end in ends))


def _stages(stages: Iterable[Stage]) -> str:
    rows = [f"| {stage.name} | {_folders(stage.data)} | {_folders(stage.outputs)} |" for stage in stages]
    return "\n".join(["| stage | reads | writes |", "|---|---|---|", *rows])


def _folders(paths: Iterable[str]) -> str:
    """Return the paths cut to two parts, each once; more than five in one folder are that folder."""
    cut = list(dict.fromkeys("/".join(PurePosixPath(path).parts[:2]) for path in paths))
    many = {top for top, count in Counter(path.split("/")[0] for path in cut).items() if count > MOST_OF_A_FOLDER}
    shown = dict.fromkeys(path.split("/")[0] if path.split("/")[0] in many else path for path in cut)
    return ", ".join(f"`{path}`" for path in shown) or "–"


def _group(name: str, verbs: Mapping[str, Verb]) -> str:
    rows = [f"| `{verb}` | {found.summary} |" for verb, found in verbs.items()]
    return "\n".join([f"\n## {name}\n", "| verb | what it does |", "|---|---|", *rows])

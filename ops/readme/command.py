"""`python -m ops readme`: write the generated parts of README.md and docs/."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lab.core.atomic_outputs import replaced_file
from lab.core.params import load_value
from lab.core.result_files import read_json, read_result
from lab.core.yaml_files import read_yaml
from lab.pages.escape import inert, plain_or_code
from lab.pages.gate_marks import verdicts_in_words
from lab.pages.markdown import escaped
from lab.task.schema import read_task
from ops.readme.architecture import (
    ARCHITECTURE,
    HOUSE,
    VERBS_PAGE,
    architecture_blocks,
    floors,
    flowchart,
    stage_arrows,
    verb_blocks,
)
from ops.readme.rooms import room_imports

README = Path("README.md")
PICTURE = Path("docs/answer.svg")
REFERENCE = Path("docs/reference")
SHOWN = ("roc_auc", "accuracy", "precision", "recall", "f1", "brier")


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if a generated part is out of date.")
def readme(*, check: bool) -> None:
    """Write the generated parts of README.md and docs/, from results, dvc.yaml and the code."""
    fresh = _reference() if REFERENCE.exists() else {}
    mermaid = drawn_dag()
    fresh |= _readme(mermaid) | (_architecture(mermaid) if ARCHITECTURE.exists() else {})
    fresh |= {VERBS_PAGE: _filled(VERBS_PAGE, verb_blocks())} if VERBS_PAGE.exists() else {}
    stale = {path: content for path, content in fresh.items() if _bytes_of(path) != content}
    if check and stale:
        click.echo(f"Out of date: {', '.join(map(str, stale))}. Cure: make format")
        raise SystemExit(1)
    for path, content in stale.items():
        with replaced_file(path) as partial:
            partial.write_bytes(content)


def _readme(mermaid: str) -> dict[Path, bytes]:
    from ops.readme.picture import draw_answer  # noqa: PLC0415 - matplotlib, which --help must not load

    picture = draw_answer(read_result(Path("metrics/abtest.json")), read_json(Path("plots/evaluate/gain.json")))
    return {README: _filled(README, blocks(mermaid)), PICTURE: picture}


def _architecture(mermaid: str) -> dict[Path, bytes]:
    from ops.readme.house import draw_house  # noqa: PLC0415 - as above

    table = floors(ARCHITECTURE.read_text(encoding="utf-8"))
    rooms = {room: imports for room, imports in room_imports(Path()).items() if room in table}
    picture = draw_house(stages=stage_arrows(mermaid), rooms=rooms, floors={room: table[room][0] for room in rooms})
    return {ARCHITECTURE: _filled(ARCHITECTURE, architecture_blocks(Path())), HOUSE: picture}


def _reference() -> dict[Path, bytes]:
    from ops.readme.reference import reference_blocks, schema_files  # noqa: PLC0415 - all verbs and estimators

    return schema_files() | {page: _filled(page, content) for page, content in reference_blocks().items()}


def _filled(page: Path, content: Mapping[str, str]) -> bytes:
    text = page.read_text(encoding="utf-8")
    for name, block in content.items():
        text = with_block(text, name, block, page=page)
    return text.encode()


def blocks(mermaid: str) -> dict[str, str]:
    """Return the text of each generated block of README.md by its name."""
    results = {
        name: inert(read_result(Path(f"metrics/{name}.json"))) for name in ("abtest", "drift", "select", "validate")
    }
    task = load_value("task", str)
    champions = read_yaml(Path("champion.yaml"), cure="git checkout champion.yaml")
    champion = plain_or_code(champions.get(task, champions["default"])["estimator"])
    made = {
        "question": f" {plain_or_code(read_task(task).features.question)} ",
        "answer": f"\n{answer(results, champion=champion)}\n",
        "dag": f"\n```mermaid\n{flowchart(stage_arrows(mermaid))}\n```\n",
    }
    return {name: block.replace("<!--", "<! --") for name, block in made.items()}  # a mark of a block is a comment


def with_block(text: str, name: str, content: str, *, page: Path) -> str:
    """Return the text of a page with the content between a block's two marks replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, marked, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not marked or not closed:
        raise click.ClickException(f"{page} lacks the marks {begin} and {end}. Cure: git checkout {page}")
    return f"{before}{begin}{content}{end}{after}"


def drawn_dag() -> str:
    """Return the DAG as DVC draws it in Mermaid's language, which GitHub shows as a picture."""
    return subprocess.run(["dvc", "dag", "--mermaid"], capture_output=True, text=True, check=True).stdout.strip()


def answer(results: Mapping[str, Any], *, champion: str) -> str:
    """Return today's answer: both models on the test window, with a word on each difference, and three verdicts."""
    seen = {each["metric"]: each for each in results["abtest"]["offline"]["test"]}
    challenger = results["select"]["estimator"]
    models = f"champion: {escaped(_spoken(champion))} | challenger: {escaped(_spoken(challenger))}"
    head = [
        f"| on the test window | {models} | difference (95 % interval) | the challenger is |",
        "|---|---:|---:|---:|---|",
    ]
    return "\n".join([*head, *(_row(metric, seen[metric]) for metric in SHOWN), "", *verdicts(results)])


def verdicts(results: Mapping[str, Any]) -> list[str]:
    """Return one line for each of the stages that decide something."""
    drift = results["drift"]
    columns, retrain = drift["columns"], drift["retrain"]
    fired = sorted(name for name, rule in retrain["rules"].items() if rule["fired"])
    faults = [f"{fault['column'] or 'the batch'} ({fault['kind']})" for fault in drift.get("faults", [])]
    answer = f"retrain, for {', '.join(map(_spoken, fired))}" if fired else "no reason to retrain"
    answer = f"DATA FAULT, to be mended upstream: {', '.join(faults)}" if faults else answer
    moved = f"{columns['drifted']} of {sum(columns.values())} columns drifted between the test window and the newest"
    return [
        f"- **Gates**: {verdicts_in_words(results['validate'])}.",
        f"- **Drift**: {moved}; {answer}.",
    ]


def _row(metric: str, seen: Mapping[str, Any]) -> str:
    interval = f"{_signed(seen['low'])} to {_signed(seen['high'])}"
    values = f"{_number(seen['champion'])} | {_number(seen['challenger'])} | {_signed(seen['difference'])} ({interval})"
    return f"| {_spoken(metric)} | {values} | {seen['verdict']} |"


def _spoken(name: str) -> str:
    return "ROC AUC" if name == "roc_auc" else name.replace("_", " ")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""

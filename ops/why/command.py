"""`python -m ops why FILE:KEY`: say where a number of a result comes from."""

import json
import textwrap
from itertools import zip_longest

import click

from lab.core.result_files import json_bytes
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from ops.why.last_move import Moved
from ops.why.origin import Origin, origin_of

WIDTH, LABEL = 100, 10  # characters of a line, and of its label
TIE = "\u00a0"  # keeps a path and its fingerprint on one line


@click.command()
@click.argument("result", metavar="FILE:KEY")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def why(*, result: str, as_json: bool) -> None:
    r"""Say where a number of a result comes from: its stage, code, settings and data, and the commit that moved it.

    FILE is a file that a stage wrote. In JSON, KEY is dotted; an item of a list is named by its index, or a record by
    its first text. In another text, such as a card, KEY is the number of a line or words of it. Without a key, the keys
    are listed. Nothing is run or written.

    \b
      python -m ops why metrics/evaluate.json:challenger.test.roc_auc
      python -m ops why metrics/validate.json:gates.roc_auc.value
      python -m ops why reports/model_card.md:19

    \b
    Exit codes: 0 found; 2 no such file or key, or no stage wrote the file.
    """
    found = origin_of(result, snapshot_of(WORKSPACE))
    click.echo(json_bytes(found).decode().rstrip() if as_json else to_text(found))


def to_text(found: Origin) -> str:
    """Return the origin as lines of at most 100 characters."""
    files = {name: getattr(found, name) for name in ("scripts", "rooms", "data", "pins")}
    shown = {name: ", ".join(f"{path}{TIE}{md5}" for path, md5 in items.items()) for name, items in files.items()}
    parts = [
        ("stage", found.stage),
        ("command", found.command),
        ("scripts", shown["scripts"]),
        ("rooms", shown["rooms"]),
        *(("params", f"{name} = {json.dumps(setting)}") for name, setting in found.params.items()),
        ("data", shown["data"]),
        ("pins", shown["pins"]),
        ("before", ", ".join(found.before)),
        ("moved", "" if found.moved is None else _moved(found.moved)),
        *(("note", note) for note in found.notes),
    ]
    lines = [f"{found.result} = {json.dumps(found.value, ensure_ascii=False)}", ""]
    for at, (label, text) in enumerate(parts):
        first = "" if at and parts[at - 1][0] == label else label
        wrapped = textwrap.wrap(text, WIDTH - LABEL, break_on_hyphens=False)
        lines += [f"{head.ljust(LABEL)}{line}" for head, line in zip_longest([first], wrapped, fillvalue="") if line]
    return "\n".join(lines).replace(TIE, " ")


def _moved(moved: Moved) -> str:
    where = f"in {moved.commit[:12]} {moved.subject}"
    if moved.old is None:
        return f"first {where}"
    old, new = (json.dumps(value, ensure_ascii=False) for value in (moved.old, moved.new))
    return f"{old} → {new}{'' if moved.change is None else f' ({moved.change:+g})'} {where}"

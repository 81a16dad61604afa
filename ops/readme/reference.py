"""The pages of docs/reference: every setting, option and result."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent
from typing import Any

import click

from lab.core.yaml_files import read_yaml
from lab.pages.markdown import table
from ops.readme.schemas import Schema, params_schema, schema_bytes, task_schema
from ops.verbs import GROUPS, Verb

PAGES = Path("docs/reference")
PARAMS_PAGE, TASK_PAGE = PAGES / "params.md", PAGES / "task.md"
COMMANDS_PAGE, RESULTS_PAGE = PAGES / "commands.md", PAGES / "results.md"
PARAMS_SCHEMA, TASK_SCHEMA = PAGES / "params.schema.json", PAGES / "task.schema.json"
RESULTS, EXAMPLES = (Path(__file__).with_name(name) for name in ("results.yaml", "examples.yaml"))
NAME = "NAME"  # stands for a key that a person chooses
HEAD = ("key", "type", "default", "meaning", "example")
CHOICE = re.compile(r" \(\w+\)")  # of a heading
KINDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "null": "null"}
BOUNDS = {"minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}"}


def schema_files() -> dict[Path, bytes]:
    """Return the schemas that editors read."""
    return {PARAMS_SCHEMA: schema_bytes(params_schema()), TASK_SCHEMA: schema_bytes(task_schema())}


def reference_blocks() -> dict[Path, dict[str, str]]:
    """Return the generated blocks of every page of the reference."""
    return {
        PARAMS_PAGE: {"keys": f"\n{keys_of(params_schema(), {})}\n"},
        TASK_PAGE: {"keys": f"\n{keys_of(task_schema(), _meanings_in(EXAMPLES))}\n"},
        COMMANDS_PAGE: {"commands": "\n" + "\n".join(_group(name, verbs) for name, verbs in GROUPS.items()) + "\n"},
        RESULTS_PAGE: {"results": f"\n{_results()}\n"},
    }


def keys_of(schema: Schema, examples: Mapping[str, str]) -> str:
    """Return one table of keys for the root and for each mapping below it; one that occurs again is a link."""
    seen: dict[str, str] = {}
    return "\n\n".join(_tables("", schema, schema["$defs"], seen, examples))


def _tables(
    path: str, model: Schema, models: Mapping[str, Schema], seen: dict[str, str], examples: Mapping[str, str]
) -> Iterator[str]:
    required, below, rows = model.get("required", ()), [], []
    for key, content in model["properties"].items():
        where = f"{path}.{key}".lstrip(".")
        children = list(_children(where, content))
        new = [(each, name) for each, name in children if name not in seen]
        seen |= {name: each for each, name in new}
        below += new
        kind = " or ".join(dict.fromkeys(f"[{seen[name]}](#{_anchor(seen[name])})" for _, name in children))
        default = "required" if key in required else _default(content)
        cells = [f"`{key}`", kind or _kind(content), default, content.get("description", "")]
        example = examples.get(CHOICE.sub("", where))
        rows.append([*cells, *([_code(example) if example else ""] if examples else [])])
    if rows:
        yield "\n".join([f"## {path or 'The file'}\n", *table(HEAD if examples else HEAD[:-1], rows)])
    for where, name in below:
        yield from _tables(where, models[name], models, seen, examples)


def _children(path: str, content: Schema) -> Iterator[tuple[str, str]]:
    """Yield path and model of each mapping that a field may hold."""
    if "$ref" in content:
        yield path, content["$ref"].rpartition("/")[2]
    for each in [*content.get("anyOf", ()), *content.get("allOf", ())]:
        yield from _children(path, each)
    mapping = content.get("discriminator", {}).get("mapping", {})
    yield from ((f"{path} ({kind})", reference.rpartition("/")[2]) for kind, reference in mapping.items())
    if isinstance(values := content.get("additionalProperties"), dict):
        yield from _children(f"{path}.{NAME}", values)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _kind(content: Schema) -> str:
    if "const" in content:
        return f"`{content['const']}`"
    if "enum" in content:
        return "one of " + ", ".join(f"`{value}`" for value in content["enum"])
    if "anyOf" in content:
        kinds = dict.fromkeys(_kind(each) for each in content["anyOf"])
        return " or ".join(kind for kind in kinds if kind != "null" or content.get("default") is not None)
    if content.get("type") == "array":
        return f"list of {_kind(content.get('items', {}))}"
    if content.get("type") == "object":
        values = content.get("additionalProperties")
        return f"mapping to {_kind(values)}" if isinstance(values, dict) else "mapping"
    kind = content.get("format") or KINDS.get(content.get("type", ""), "any value")
    bounds = [text.format(f"{content[name]:g}") for name, text in BOUNDS.items() if name in content]
    return " ".join([kind, ", ".join(bounds)]).strip()


def _default(content: Schema) -> str:
    value = content.get("default")
    if value is None or value in ({}, []):
        return "–"
    return _code(value) if not isinstance(value, dict) else "–"


def _code(value: Any) -> str:
    if isinstance(value, list):
        return "`[" + ", ".join(map(str, value)).replace("|", "\\|") + "]`"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`".replace("|", "\\|").replace("\n", " ")


def _group(name: str, verbs: Mapping[str, Verb]) -> str:
    return "\n\n".join([f"\n## {name}", *(_verb(verb, found) for verb, found in verbs.items())])


def _verb(name: str, verb: Verb) -> str:
    command: click.Command = getattr(import_module(verb.module), name)
    context = click.Context(command, info_name=f"python -m ops {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = [_option(param, context) for param in command.params if isinstance(param, click.Option) and not param.hidden]
    parts = [f"### {name}", f"```text\n{usage}\n```", *map(_paragraph, cleandoc(command.help or "").split("\n\n"))]
    options = ["\n".join(table(("option", "default", "meaning"), rows))] if rows else []
    return "\n\n".join([*parts, *options])


def _paragraph(text: str) -> str:
    """Return a paragraph of a help text; one that click does not wrap is a block of text."""
    first, _, rest = text.partition("\n")
    return f"```text\n{dedent(rest)}\n```" if first.strip() in {"\b", "\\b"} else text


def _option(option: click.Option, context: click.Context) -> list[str]:
    shown = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if not option.is_flag:
        shown += f" {option.make_metavar(context)}"
    default = option.default if option.show_default and option.default is not None else ""
    text = (option.help or "").replace("|", "\\|").replace("\n", " ")
    return [shown, _code(str(default)) if default != "" else "–", text]


def _results() -> str:
    """Return one table for each file of metrics: its keys, their meanings, and whether DVC's tables show them."""
    files = result_meanings()
    compared = files.pop("compared")
    return "\n\n".join(
        "\n".join([f"## {path}\n", *table(("key", "meaning", "in DVC's tables"), _rows(keys, compared.get(path, ())))])
        for path, keys in files.items()
    )


def _rows(keys: Mapping[str, str], compared: Sequence[str]) -> list[list[str]]:
    return [[f"`{key}`", text, "yes" if key in compared else ""] for key, text in keys.items()]


def result_meanings() -> dict[str, Any]:
    """Return the meaning of each key of each result; `train/NAME` stands for every candidate."""
    return _meanings_in(RESULTS)


def _meanings_in(path: Path) -> dict[str, Any]:
    return read_yaml(path, cure=f"git checkout {path}")

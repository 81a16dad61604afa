"""Find a value of JSON by its key, or a line by its words."""

from collections.abc import Iterator, Mapping
from typing import Any

Value = tuple[Any, ...]  # one value, or none where a document has no such key


def lookup(node: Any, key: str) -> Value:
    """Return the value at a dotted key, in a tuple; an empty one where there is none. Names may hold dots.

    >>> lookup({"gates": [{"gate": "f1", "value": 0.7}, {"gate": "recall", "value": 0.8}]}, "gates.recall.value")
    (0.8,)
    """
    if not key:
        return (node,)
    for name, child in sorted(children_of(node).items(), key=lambda pair: -len(pair[0])):
        if f"{key}.".startswith(f"{name}.") and (found := lookup(child, key[len(name) + 1 :])):
            return found
    return ()


def lines_with(text: str, words: str) -> dict[int, str]:
    r"""Return the lines that hold the words, by their number; a number alone means the line of that number.

    >>> lines_with("# card\n| F1 | 0.75 |", "F1"), lines_with("# card\n| F1 | 0.75 |", "1")
    ({2: '| F1 | 0.75 |'}, {1: '# card'})
    """
    lines = dict(enumerate(text.splitlines(), start=1))
    if words.isdecimal():
        return {at: line for at, line in lines.items() if at == int(words)}
    return {at: line for at, line in lines.items() if words and words in line}


def leaves(node: Any, above: str = "", *, lists: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the dotted key of every value that holds no other, with the value; a list is one value if lists is off."""
    names = names_of(node) if lists or isinstance(node, Mapping) else []
    for name in names:
        yield from leaves(children_of(node)[name], f"{above}.{name}" if above else name, lists=lists)
    if not names and above:
        yield above, node


def names_of(node: Any) -> list[str]:
    """Return the keys below a value, a record by its text where it has one."""
    names = list(children_of(node))
    return names[len(node) :] or names if isinstance(node, list) else names


def children_of(node: Any) -> dict[str, Any]:
    """Return what lies below a value: an item of a list by index and, where it is a record, by its first text."""
    if isinstance(node, Mapping):
        return {str(name): child for name, child in node.items()}
    if not isinstance(node, list):
        return {}
    by_index = {str(at): item for at, item in enumerate(node)}
    for field in node[0] if node and all(isinstance(item, Mapping) for item in node) else ():
        names = [item.get(field) for item in node]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {**by_index, **dict(zip(names, node, strict=True))}
    return by_index

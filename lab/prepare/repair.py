"""Repair typos in categories: replace a value by the one allowed level close to it."""

from collections.abc import Iterable, Mapping, Sequence

MOST_EDITS = 2


def nearest_levels(values: Iterable[str], allowed: Sequence[str]) -> dict[str, str]:
    """Return the nearest allowed level of each value that is not allowed.

    Case and surrounding space are ignored. At most two edits are repaired, and never half of the word. A value that is
    equally near to two levels is not repaired.

    >>> nearest_levels(["wbe", "Store ", "radio"], ["web", "store", "partner"])
    {'Store ': 'store', 'wbe': 'web'}
    """
    folded = {level.casefold(): level for level in allowed}
    repaired: Mapping[str, str | None] = {
        value: _nearest(value.strip().casefold(), folded) for value in sorted(set(values) - set(allowed))
    }
    return {value: level for value, level in repaired.items() if level is not None}


def edit_distance(first: str, second: str) -> int:
    """Return the number of insertions, deletions, substitutions and swaps of neighbours between two words.

    >>> edit_distance("wbe", "web"), edit_distance("store", "sotr"), edit_distance("", "web")
    (1, 2, 3)
    """
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(second, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _nearest(value: str, folded: Mapping[str, str]) -> str | None:
    if value in folded:
        return folded[value]
    distances = sorted((edit_distance(value, word), word) for word in folded)
    best, word = distances[0]
    tied = len(distances) > 1 and distances[1][0] == best
    return None if tied or best > MOST_EDITS or 2 * best > len(word) else folded[word]

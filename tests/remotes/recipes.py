"""The commands of docs/remotes.md, with the names in capitals filled in."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from tests.project import ROOT
from tests.remotes.forked import Forks
from tests.remotes.storages import Storage
from tests.remotes.toy import Toy, make_toy

# Under which heading a kind of storage is described, and which of the blocks there set it up.
RECIPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "folder": ("A folder", (0,)),
    "s3": ("S3", (0, 1)),
    "ssh": ("SSH", (0,)),
    "webdav": ("WebDAV", (0, 1)),
}
PAGE = (ROOT / "docs/remotes.md").read_text()


def blocks(heading: str) -> list[str]:
    """Return the shell blocks below a heading, in order."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert section is not None, heading
    return re.findall(r"^```sh\n(.*?)^```$", section.group(1), flags=re.MULTILINE | re.DOTALL)


def filled(block: str, values: Mapping[str, str]) -> str:
    """Return a block with each name in capitals replaced; longer names first, as one may be part of another."""
    names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    return re.sub(rf"(?<![\w$])(?:{names})(?!\w)", lambda found: values[found.group()], block) if values else block


def commands(heading: str, values: Mapping[str, str], *, which: tuple[int, ...] = (0,)) -> list[list[str]]:
    """Return the commands of some of a section's blocks, as words."""
    chosen = "".join(blocks(heading)[place] for place in which)
    return [shlex.split(line) for line in filled(chosen, values).splitlines()]


def toy_at(storage: Storage, made: Path, folder: Path, forks: Forks) -> Toy:
    """Return a toy whose remote was set up as documented; nothing is pushed yet."""
    heading, which = RECIPES[storage.kind]
    return make_toy(folder, made, forks, commands=commands(heading, storage.values, which=which))

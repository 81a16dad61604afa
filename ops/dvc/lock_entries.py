"""Let DVC write single entries of dvc.lock in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file
from ops.repro.lock_order import with_entry

ALIAS = re.compile(r"[&*]id\d")  # a number that counts through the whole file


@contextmanager
def replaced_entries() -> Iterator[None]:
    """Within the block, only the first stage that ends makes DVC read and write the whole dvc.lock, as it does itself.

    That takes DVC a quarter of a CPU second for each stage. The bytes are the same: this process then replaces the
    entry's lines in the text that DVC wrote, unless another process has changed it.
    """
    from dvc.dvcfile import Lockfile  # noqa: PLC0415 - DVC takes a quarter of a second to import

    own, written = Lockfile.dump_stages, dict[str, str]()

    def dump_stages(file: Any, stages: Any, **options: Any) -> None:
        path = Path(file.path)
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        after = _replaced(before, stages, options) if before is not None and written.get(file.path) == before else None
        if after is None:
            own(file, stages, **options)
            after = path.read_text(encoding="utf-8") if path.is_file() else ""
        elif after != before:
            with replaced_file(path) as partial:
                partial.write_text(after, encoding="utf-8")
            file.repo.scm_context.track_file(file.relpath)
        written[file.path] = after

    Lockfile.dump_stages = dump_stages
    try:
        yield
    finally:
        Lockfile.dump_stages = own


def _replaced(text: str, stages: Any, options: Any) -> str | None:
    """Return the text with the entries of stages; None where an entry depends on the others."""
    from dvc.stage.serialize import to_lockfile  # noqa: PLC0415 - as above
    from dvc.utils.serialize import dumps_yaml  # noqa: PLC0415 - as above

    for stage in stages:
        entry = dumps_yaml({"stages": to_lockfile(stage, **options)})
        if ALIAS.search(entry) or ALIAS.search(text):
            return None
        text = with_entry(text, stage.name, entry.removeprefix("stages:\n"))
    return text

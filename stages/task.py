"""Validate the chosen task file, and write its sections for the other stages."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from lab.core.command import run
from lab.core.params import load_value
from lab.core.result_files import write_json
from lab.core.stage_files import section_path
from lab.task.schema import Task, read_task


def main() -> None:
    task = read_task(load_value("task", str))
    for name in Task.model_fields:
        write_json(task.model_dump(mode="json", include={name}), section_path(name))


if __name__ == "__main__":
    run(main)

"""Print Airflow's DagBag of a folder as JSON."""

import json
import sys
from importlib import import_module
from typing import Any


def found_in(folder: str) -> dict[str, Any]:
    """Return the folder's DAGs by id, each with its tasks in order, and what could not be imported."""
    bag = import_module("airflow.dag_processing.dagbag").DagBag(folder, safe_mode=True)
    dags = {
        name: {
            "schedule": dag.schedule if isinstance(dag.schedule, str) else None,
            "catchup": dag.catchup,
            "tasks": {
                task.task_id: {
                    "command": task.bash_command,
                    "after": sorted(task.upstream_task_ids),
                    "skips": list(task.skip_on_exit_code or []),
                    "folder": task.cwd,
                }
                for task in dag.topological_sort()
            },
        }
        for name, dag in bag.dags.items()
    }
    return {"dags": dags, "errors": bag.import_errors}


if __name__ == "__main__":
    print(json.dumps(found_in(sys.argv[1])))  # noqa: T201 - the result

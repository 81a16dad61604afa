"""Three DAGs for Airflow 3 whose tasks are this repository's commands.

Airflow has an environment of its own, and the repository has .venv: nothing of one is imported by the other. Where the
repository is cloned is said by LAB_REPOSITORY; it is the folder of this file's, two up, without it.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator  # type: ignore[import-not-found]  # its own
from airflow.sdk import DAG, Param  # type: ignore[import-not-found]  # environment

REPOSITORY = Path(os.environ.get("LAB_REPOSITORY", Path(__file__).resolve().parents[2]))
# A parameter comes to a command as a variable, so that no text of a person's becomes a part of the command.
ENVIRONMENT = {
    "PATH": f"{REPOSITORY / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "RETRAIN_OPTIONS": "{{ params.options or '' }}",
    # A run that somebody starts has no logical date, and no run of a daily schedule an interval of a day.
    "SINCE": "{{ (dag_run.run_after - macros.timedelta(days=1)).strftime('%Y-%m-%d') }}",
    "STAGE": "{{ params.stage or '' }}",
}
NO_NEED, REJECTED, BUSY = 10, 11, 13
OPTIONS = Param("", type="string", title="options of python -m ops retrain", description="such as --every 90")
STAGE = Param("staging", enum=["staging", "production"], title="which stage of .gto")


def command(name: str, text: str, **settings: Any) -> BashOperator:
    """Return the task that runs a command in the repository."""
    return BashOperator(
        task_id=name, bash_command=text, cwd=str(REPOSITORY), env=ENVIRONMENT, append_env=True, **settings
    )


def dag(name: str, says: str, **settings: Any) -> DAG:
    """Return an empty DAG; what stopped midway goes on where it was, so a second try is worth it."""
    return DAG(
        name,
        description=says,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["tabular-lab"],
        params={"options": OPTIONS, "stage": STAGE},
        default_args={
            "retries": 1,
            "retry_delay": timedelta(minutes=5),
            "execution_timeout": timedelta(hours=6),
        },
        **settings,
    )


with dag("lab_retrain", "Look at new data; retrain where it is due; propose what is better.", schedule="0 5 * * 1"):
    # Ends with a pull request: a person merges it, and what is merged is released by lab_release.
    (
        command("update", "git pull --ff-only --tags")
        >> command(
            "look", "python -m ops retrain --dry-run $RETRAIN_OPTIONS", skip_on_exit_code=[NO_NEED, REJECTED, BUSY]
        )
        >> command(
            "retrain", "python -m ops retrain --push $RETRAIN_OPTIONS", skip_on_exit_code=[NO_NEED, REJECTED, BUSY]
        )
    )

with dag("lab_release", "Release the champion that was merged: check it, register and deploy it.", schedule=None):
    (
        command("update", "git pull --ff-only --tags")
        >> command("registry", "make registry")
        >> command("validate", "make validate")
        >> command("smoke", "make smoke")
        >> command("register", "make register")  # before it is deployed, so that the server knows its version
        >> command("deploy", "make deploy")  # LAB_RELEASE_… in the worker's environment say where to
        >> command("gauges", 'python -m ops gauges --stage "$STAGE" --output served/gauges/champion.prom')
    )

with dag(
    "lab_watch", "Hold what was served since yesterday against the reference, and show it to Prometheus.",
    schedule="@daily",
):  # fmt: skip
    (
        # 1 suggests a retraining, 3 is a data fault: answers, which the gauges show.
        command(
            "drift",
            'python -m ops drift --current served/log --since "$SINCE" --save logs/drift.json'
            " || case $? in 1|3) ;; *) false; esac",
        )
        >> command(
            "gauges",
            "python -m ops gauges --drift logs/drift.json --stage production --output served/gauges/champion.prom",
        )
    )

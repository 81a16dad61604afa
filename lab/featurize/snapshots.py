"""The periods and snapshot moments of a task as tables in the engine."""

from datetime import datetime, timedelta

import duckdb

from lab.dataset.windows import SplitPlan

PERIODS_BEFORE = 1_000


def create_calendar(
    connection: duckdb.DuckDBPyConnection, plan: SplitPlan, *, every_days: int, history_days: int
) -> None:
    """Create the tables `periods` and `snapshots` and the macro `known_at`.

    `periods(moment)` has the end of every period since the data begins. `snapshots(moment)` has those in a part of the
    split with enough history. `known_at(t)` is the end of the period of t: the first moment at which something recorded
    at t is known.
    """
    newest = plan.windows["current"].ends
    ends = period_ends(plan.windows["train"].starts, newest, every_days=every_days)
    oldest = plan.windows["train"].starts + timedelta(days=history_days)
    chosen = [end for end in ends if end >= oldest and any(w.starts <= end <= w.ends for w in plan.windows.values())]
    _create(connection, "periods", ends)
    _create(connection, "snapshots", chosen)
    # Integer division truncates towards zero, so periods are counted from long before any data.
    origin = f"timestamp '{newest - timedelta(days=every_days * PERIODS_BEFORE)}'"
    period = f"((epoch_us(t) - epoch_us({origin})) // {every_days * 86_400_000_000} + 1)"
    connection.execute(f"create macro known_at(t) as {origin} + interval '{every_days} day' * {period}")


def period_ends(first: datetime, newest: datetime, *, every_days: int) -> list[datetime]:
    """Return the ends of the periods after the first moment, counted back from the newest; oldest first."""
    step = timedelta(days=every_days)
    count = -((first - newest) // step)
    return [newest - step * back for back in range(count - 1, -1, -1)]


def _create(connection: duckdb.DuckDBPyConnection, table: str, moments: list[datetime]) -> None:
    values = ", ".join(f"(timestamp '{moment}')" for moment in moments)
    connection.execute(f"create table {table} as select * from (values {values}) as moments(moment)")

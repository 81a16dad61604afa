"""`python -m deploy.grafana.dashboard`: write dashboard.json, which Grafana imports, from panels.py."""

import json
from itertools import count
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import bargauge, dashboard, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import GraphThresholdsStyleConfig
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.panels import ROWS, Drawing, Query

TARGET = Path(__file__).with_name("dashboard.json")
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
BUILDERS: dict[str, Any] = {
    "lines": timeseries.Panel,
    "number": stat.Panel,
    "table": table.Panel,
    "heat": heatmap.Panel,
    "bars": bargauge.Panel,
}
LATEST = {"number", "table", "bars"}
HEIGHT = 8


def built() -> bytes:
    """Return the dashboard as JSON; the same panels are the same bytes."""
    page = (
        dashboard.Dashboard("Tabular lab: serving and drift")
        .uid("tabular-lab")
        .description("What is served, whether it is well, and whether the model still holds. Made by panels.py.")
        .tags(["tabular-lab"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("utc")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("task")
            .label("Task")
            .datasource(SOURCE)
            .query("label_values(lab_drift_rows, task)")
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        )
    )
    numbers = count(1)
    for title, drawings in ROWS.items():
        page = page.with_row(dashboard.Row(title).id(next(numbers)))
        for drawing in drawings:
            page = page.with_panel(_panel(drawing).id(next(numbers)))
    text = json.dumps(page.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _panel(drawing: Drawing) -> Any:
    panel = BUILDERS[drawing.kind]().title(drawing.title).description(drawing.says).datasource(SOURCE)
    panel = panel.span(drawing.width).height(HEIGHT).unit(drawing.unit)
    for place, query in enumerate(drawing.queries):
        panel = panel.with_target(_target(query, "ABCDEFGH"[place], drawing.kind))
    if drawing.limit is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=drawing.limit, color="red")]
        panel = panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        panel = panel.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.LINE))
    return panel


def _target(query: Query, name: str, kind: str) -> Any:
    target = prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(name).datasource(SOURCE)
    if kind == "heat":
        return target.range().format(PromQueryFormat.HEATMAP)
    if kind == "table":
        return target.instant().format(PromQueryFormat.TABLE)
    return target.instant() if kind in LATEST else target.range()


if __name__ == "__main__":
    TARGET.write_bytes(built())

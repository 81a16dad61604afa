"""The dashboard's queries, and gauges of the committed results."""

from deploy.grafana.panels import ROWS
from lab.core.result_files import read_result
from ops.gauges.gauges import gauges_of
from ops.gauges.text import Gauge
from tests.project import ROOT

QUERIES = [query.expression for drawings in ROWS.values() for drawing in drawings for query in drawing.queries]


def plain(expression: str) -> str:
    """Return a query with what Grafana would fill in."""
    return expression.replace("$__rate_interval", "5m").replace("$task", "churn")


def judged() -> list[Gauge]:
    """Return every gauge that the batch job can make."""
    drift, evaluated = (read_result(ROOT / f"metrics/{name}.json") for name in ("drift", "evaluate"))
    champion = {"fingerprint": "f" * 64, "version": "v1.0.0"}
    return gauges_of("churn", drift=drift, evaluated=evaluated, validated={"failed": []}, champion=champion)

"""Add gauges from files of batch jobs (`python -m ops gauges`) to the server's metrics."""

import logging
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

MOST_BYTES = 1_000_000
LOG = logging.getLogger("serving")


def read_gauges(folder: Path, own: Collection[str]) -> list[Metric]:
    """Return the gauges in a folder, and for each file when it was written and whether it is readable.

    Unreadable files and families that the server has itself (`own`) are left out: they must not break its own metrics.
    """
    families: dict[str, Metric] = {}
    written = GaugeMetricFamily("lab_gauges_written_seconds", "When a file was written.", labels=("file",))
    unreadable = GaugeMetricFamily("lab_gauges_unreadable", "1 where a file cannot be read.", labels=("file",))
    kept = {*own, written.name, unreadable.name}
    for path in sorted(folder.glob("*.prom")):
        try:
            state = path.stat()
            found = _families(path, (state.st_mtime_ns, state.st_size, state.st_ino))
            written.add_metric((path.name,), state.st_mtime)
            unreadable.add_metric((path.name,), 0)
        except (OSError, ValueError, KeyError, IndexError) as error:  # the parser raises all of these
            LOG.warning("%s is not shown in the metrics: %s", path, error)
            unreadable.add_metric((path.name,), 1)
            continue
        for family in found:
            if family.name not in kept:
                _merge(families.setdefault(family.name, Metric(family.name, family.documentation, "gauge")), family)
    return [*families.values(), written, unreadable]


@lru_cache(maxsize=64)
def _families(path: Path, state: tuple[int, int, int]) -> list[Metric]:
    """Return the gauges of a file, cached by its state: parsing takes as long as several requests."""
    if state[1] > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    found = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    if others := sorted(family.name for family in found if family.type != "gauge"):
        raise ValueError(f"{others} are no gauges")
    return found


def _merge(into: Metric, family: Metric) -> None:
    """Add samples without timestamps: Prometheus rejects samples older than the scrape."""
    known = {(sample.name, *sorted(sample.labels.items())) for sample in into.samples}
    into.samples += [
        Sample(sample.name, sample.labels, sample.value)
        for sample in family.samples
        if (sample.name, *sorted(sample.labels.items())) not in known
    ]

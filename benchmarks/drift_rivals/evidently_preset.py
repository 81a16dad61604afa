"""Run evidently's preset on two Parquet files; print its verdicts and cost."""

import json
import sys
import time
from typing import Any

import pandas as pd
from evidently import Report  # type: ignore[import-not-found]  # in an environment of its own
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]


def main() -> None:
    reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
    started = time.process_time()
    snapshot = Report([DataDriftPreset()]).run(current, reference)
    document = snapshot.dict()
    seconds = time.process_time() - started
    called = [
        metric["config"]["column"]
        for metric in document["metrics"]
        if metric["config"].get("column") and _drifted(metric)
    ]
    print(json.dumps({"CPU seconds": round(seconds, 2), "called": sorted(called)}))


def _drifted(metric: dict[str, Any]) -> bool:
    config, value = metric["config"], float(metric["value"])
    method = str(config.get("method", ""))
    return bool(value < config["threshold"] if "p_value" in method else value >= config["threshold"])


if __name__ == "__main__":
    main()

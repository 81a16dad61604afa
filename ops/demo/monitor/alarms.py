"""Who watches in the play: Prometheus with the repository's rules, Alertmanager with its routes, and our receiver."""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ops.demo.monitor.processes import answers, free_port, running, wait_until
from ops.demo.monitor.sandbox import Stage
from ops.demo.monitor.server import Server

PROGRAMS = ("prometheus", "prometheus-alertmanager")
FOLDER, RULES = "logs/watching", "deploy/prometheus/rules.yml"
HURRY = "1s"
ALERTED = "RetrainSuggested"


@dataclass
class Alarms:
    """What has been told so far: each alert that fires, with its summary and the receivers that heard of it."""

    heard: dict[str, set[str]] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)

    def hear(self, receiver: str, body: Mapping[str, Any]) -> None:
        """Take what Alertmanager sends."""
        for alert in body["alerts"]:
            if alert["status"] == "firing":
                name = alert["labels"]["alertname"]
                self.says[name] = f"{alert['labels'].get('severity', '')}: {alert['annotations'].get('summary', '')}"
                self.heard.setdefault(name, set()).add(receiver)


def programs() -> list[str]:
    """Return where Prometheus and Alertmanager are; nothing where one of them is not installed."""
    found = [path for path in map(shutil.which, PROGRAMS) if path is not None]
    return found if len(found) == len(PROGRAMS) else []


@contextmanager
def watching(stage: Stage, server: Server) -> Iterator[Alarms | None]:
    """Yield what is told of the server; None where Prometheus is not installed."""
    found = programs()
    if not found:
        stage.tell(f"{' and '.join(PROGRAMS)} are not installed: no alert travels here.")
        yield None
        return
    alarms, folder = Alarms(), stage.work / FOLDER
    with ExitStack() as stack:
        receiver = stack.enter_context(_receiver(alarms))
        addresses = [f"127.0.0.1:{free_port()}" for _ in PROGRAMS]
        _configure(stage, server, addresses[1], receiver)
        options = {
            found[1]: ("--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="),
            found[0]: ("--config.file=prometheus.yml", "--storage.tsdb.path=series"),
        }
        for (program, words), address in zip(options.items(), reversed(addresses), strict=True):
            output = folder / f"{Path(program).name}.txt"
            command = (program, *words, f"--web.listen-address={address}")
            process = stack.enter_context(
                running(*command, folder=folder, environment=stage.environment, output=output)
            )
            ready = f"http://{address}/-/ready"
            wait_until(lambda ready=ready: answers(ready), process=process, output=output)  # type: ignore[misc]
        stage.tell(f"Prometheus watches it with {RULES}, each second: look at http://{addresses[0]}/alerts")
        yield alarms


def _configure(stage: Stage, server: Server, alertmanager: str, receiver: str) -> None:
    """Write the repository's own configuration, with addresses of loopback, without secrets, and in a hurry."""
    folder = stage.work / FOLDER
    folder.mkdir(parents=True)
    settings = _read(stage.work / "deploy/prometheus/prometheus.yml")
    settings["global"] = {"scrape_interval": HURRY, "evaluation_interval": HURRY}
    settings["rule_files"] = [str(stage.work / RULES)]
    settings["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    settings["scrape_configs"] = [{"job_name": "serving", "static_configs": [{"targets": [server.host]}]}]
    _write(settings, folder / "prometheus.yml")
    routes = _read(stage.work / "deploy/alertmanager/alertmanager.yml")
    routes["route"] |= {"group_wait": "0s", "group_interval": HURRY}
    routes["receivers"] = [
        {"name": each["name"], "webhook_configs": [{"url": f"http://{receiver}/{each['name']}"}]}
        for each in routes["receivers"]
    ]
    _write(routes, folder / "alertmanager.yml")


def _read(path: Path) -> dict[str, Any]:
    # The library's own parser, for the one in C takes [localhost:9093] for a mistake.
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return found


def _write(content: Mapping[str, Any], path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(dict(content), stream)


@contextmanager
def _receiver(alarms: Alarms) -> Iterator[str]:
    """Yield the address (host:port) of every receiver of the routes; which one is meant stands in the path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            alarms.hear(self.path.strip("/"), body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing: what is heard is told by the play."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()

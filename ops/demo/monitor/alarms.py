"""Run Prometheus and Alertmanager with the repository's rules, and receive their alerts."""

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
from ops.demo.monitor.server import Server
from ops.demo.sandbox import Sandbox

PROGRAMS = ("prometheus", "prometheus-alertmanager")
FOLDER, RULES = "logs/watching", "deploy/prometheus/rules.yml"
INTERVAL = "1s"
ALERTED = "RetrainSuggested"


@dataclass
class Alarms:
    """The alerts that fired, with their summaries and receivers."""

    receivers: dict[str, set[str]] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)

    def record(self, receiver: str, body: Mapping[str, Any]) -> None:
        """Record an alert of Alertmanager."""
        for alert in body["alerts"]:
            if alert["status"] == "firing":
                name = alert["labels"]["alertname"]
                self.summaries[name] = (
                    f"{alert['labels'].get('severity', '')}: {alert['annotations'].get('summary', '')}"
                )
                self.receivers.setdefault(name, set()).add(receiver)


def programs() -> list[str]:
    """Return the paths of Prometheus and Alertmanager; empty if one is not installed."""
    found = [path for path in map(shutil.which, PROGRAMS) if path is not None]
    return found if len(found) == len(PROGRAMS) else []


@contextmanager
def watching(sandbox: Sandbox, server: Server) -> Iterator[Alarms | None]:
    """Yield the alerts about the server; None if Prometheus is not installed."""
    found = programs()
    if not found:
        sandbox.log(f"{' and '.join(PROGRAMS)} are not installed: no alert is sent.")
        yield None
        return
    alarms, folder = Alarms(), sandbox.work / FOLDER
    with ExitStack() as stack:
        receiver = stack.enter_context(_receiver(alarms))
        addresses = [f"127.0.0.1:{free_port()}" for _ in PROGRAMS]
        _configure(sandbox, server, addresses[1], receiver)
        options = {
            found[1]: ("--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="),
            found[0]: ("--config.file=prometheus.yml", "--storage.tsdb.path=series"),
        }
        for (program, words), address in zip(options.items(), reversed(addresses), strict=True):
            output = folder / f"{Path(program).name}.txt"
            command = (program, *words, f"--web.listen-address={address}")
            process = stack.enter_context(
                running(*command, folder=folder, environment=sandbox.environment, output=output)
            )
            ready = f"http://{address}/-/ready"
            wait_until(lambda ready=ready: answers(ready), process=process, output=output)  # type: ignore[misc]
        sandbox.log(f"Prometheus evaluates {RULES} every second: see http://{addresses[0]}/alerts")
        yield alarms


def _configure(sandbox: Sandbox, server: Server, alertmanager: str, receiver: str) -> None:
    """Write the repository's configuration with loopback addresses, short intervals and no secrets."""
    folder = sandbox.work / FOLDER
    folder.mkdir(parents=True)
    settings = _read(sandbox.work / "deploy/prometheus/prometheus.yml")
    settings["global"] = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
    settings["rule_files"] = [str(sandbox.work / RULES)]
    settings["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    settings["scrape_configs"] = [{"job_name": "serving", "static_configs": [{"targets": [server.host]}]}]
    _write(settings, folder / "prometheus.yml")
    routes = _read(sandbox.work / "deploy/alertmanager/alertmanager.yml")
    routes["route"] |= {"group_wait": "0s", "group_interval": INTERVAL}
    routes["receivers"] = [
        {"name": each["name"], "webhook_configs": [{"url": f"http://{receiver}/{each['name']}"}]}
        for each in routes["receivers"]
    ]
    _write(routes, folder / "alertmanager.yml")


def _read(path: Path) -> dict[str, Any]:
    # The pure Python parser, because the one in C rejects [localhost:9093].
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return found


def _write(content: Mapping[str, Any], path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(dict(content), stream)


@contextmanager
def _receiver(alarms: Alarms) -> Iterator[str]:
    """Yield the address (host:port) that receives all routes; the path names the receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            alarms.record(self.path.strip("/"), body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()

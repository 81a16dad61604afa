"""Prometheus and Alertmanager with the repository's own configuration, on loopback and in a hurry."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.receivers import Received
from tests.deploy.tools import DEPLOY, program

SECRETS = {
    "serving_key": "the server's key",
    "webhook_token": "the webhook's token",
    "smtp_password": "the mail server's password",
}
SECONDS = 90


@contextmanager
def watched(server: str, received: Received, folder: Path) -> Iterator[str]:
    """Watch a server (host:port) and tell the receivers; yield the address of Prometheus."""
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager")
    ports = [_free_port(), _free_port()]
    addresses = [f"127.0.0.1:{port}" for port in ports]
    _configure(folder, server, addresses[1], received)
    with ExitStack() as stack:
        stack.enter_context(_running(
            alertmanager, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
            f"--web.listen-address={addresses[1]}", "--cluster.listen-address=", folder=folder,
        ))  # fmt: skip
        stack.enter_context(_running(
            prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/series",
            f"--web.listen-address={addresses[0]}", folder=folder,
        ))  # fmt: skip
        wait_for(lambda: _answers(addresses[0]) and _answers(addresses[1]), lambda: _output(folder))
        yield addresses[0]


def asked(prometheus: str, query: str) -> list[dict[str, Any]]:
    """Return the samples that Prometheus finds for a query."""
    address = f"http://{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def wait_for(holds: Callable[[], object], found: Callable[[], object]) -> None:
    """Wait until something holds; after a minute and a half, fail with what was found instead."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, found()
        time.sleep(0.1)


def _configure(folder: Path, server: str, alertmanager: str, received: Received) -> None:
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    for name, value in {**SECRETS, "slack_url": f"http://{received.web}/slack"}.items():
        (secrets / name).write_text(value)
    _write(DEPLOY / "prometheus/prometheus.yml", folder, {
        "scrape_interval: 15s": "scrape_interval: 300ms",
        "evaluation_interval: 15s": "evaluation_interval: 300ms",
        "localhost:9093": alertmanager,
        "    # authorization:\n    #  ": "    authorization:\n     ",
        "/etc/prometheus/secrets": str(secrets),
        "targets/*.yml": str(folder / "targets.yml"),
        "- rules.yml": f"- {DEPLOY}/prometheus/rules.yml",
    })  # fmt: skip
    (folder / "targets.yml").write_text(f"- targets: [{server}]\n")
    _write(DEPLOY / "alertmanager/alertmanager.yml", folder, {
        "group_wait: 30s": "group_wait: 0s",
        "group_interval: 5m": "group_interval: 1s",
        "localhost:9095": received.web,
        "/etc/alertmanager/secrets": str(secrets),
        "smtp.example.com:587": received.mail,
        "require_tls: true": "require_tls: false",
    })  # fmt: skip


def _write(source: Path, folder: Path, changes: Mapping[str, str]) -> None:
    text = source.read_text()
    for old, new in changes.items():
        assert old in text, f"{source} no longer says {old!r}"
        text = text.replace(old, new)
    (folder / source.name).write_text(text)


@contextmanager
def _running(*command: str, folder: Path) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}.txt").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _output(folder: Path) -> str:
    return "\n".join(path.read_text()[-3000:] for path in sorted(folder.glob("*prometheus*.txt")))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

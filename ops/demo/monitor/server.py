"""Run `python -m serving` on loopback, with a log and a folder of gauges."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops.demo.monitor.processes import answers, free_port, running, wait_until
from ops.demo.sandbox import Sandbox

LOG, GAUGES, CHAMPION, OUTPUT = "served/log", "served/gauges", "served/champion", "logs/server.txt"
SETTINGS = {"LAB_CHAMPION": CHAMPION, "LAB_LOG": LOG, "LAB_GAUGES": GAUGES, "LAB_DURABILITY": "batched"}


@dataclass(frozen=True)
class Server:
    """A running server at host:port."""

    host: str
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        """The URL."""
        return f"http://{self.host}"


@contextmanager
def server_on(sandbox: Sandbox) -> Iterator[Server]:
    """Yield the server once it is ready; always stop it."""
    port = free_port()
    (sandbox.work / GAUGES).mkdir(parents=True)
    shown = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
    sandbox.log(f"$ {shown} python -m serving --port {port}")
    command, output = ("python", "-m", "serving", "--port", str(port)), sandbox.work / OUTPUT
    environment = {**sandbox.environment, **SETTINGS}
    try:
        with running(*command, folder=sandbox.work, environment=environment, output=output) as process:
            server = Server(f"127.0.0.1:{port}", process)
            wait_until(lambda: answers(f"{server.address}/ready"), process=process, output=output)
            sandbox.log(f"    ready: see {server.address}/docs")
            yield server
    finally:
        sandbox.log(f"The server is stopped; its output is in {OUTPUT}.")

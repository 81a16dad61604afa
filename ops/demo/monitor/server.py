"""The server of the play: `python -m serving` on a port of loopback, with a log and a folder of gauges."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops.demo.monitor.processes import answers, free_port, running, wait_until
from ops.demo.monitor.sandbox import Stage

LOG, GAUGES, CHAMPION, OUTPUT = "served/log", "served/gauges", "served/champion", "logs/server.txt"
SETTINGS = {"LAB_CHAMPION": CHAMPION, "LAB_LOG": LOG, "LAB_GAUGES": GAUGES, "LAB_DURABILITY": "batched"}


@dataclass(frozen=True)
class Server:
    """A server that answers, at host:port."""

    host: str
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        """What a browser is given."""
        return f"http://{self.host}"


@contextmanager
def server_on(stage: Stage) -> Iterator[Server]:
    """Yield the server once it is ready; it is stopped in every case."""
    port = free_port()
    (stage.work / GAUGES).mkdir(parents=True)
    told = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
    stage.tell(f"$ {told} python -m serving --port {port}")
    command, output = ("python", "-m", "serving", "--port", str(port)), stage.work / OUTPUT
    environment = {**stage.environment, **SETTINGS}
    try:
        with running(*command, folder=stage.work, environment=environment, output=output) as process:
            server = Server(f"127.0.0.1:{port}", process)
            wait_until(lambda: answers(f"{server.address}/ready"), process=process, output=output)
            stage.tell(f"    ready: look at {server.address}/docs")
            yield server
    finally:
        stage.tell(f"The server is stopped; what it said is in {OUTPUT}.")

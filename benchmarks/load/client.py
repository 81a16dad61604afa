"""Send requests when they are due, without waiting for earlier responses."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from benchmarks.load.outcomes import Outcome

SECONDS_BEFORE_THE_FIRST = 0.1


@dataclass(frozen=True)
class Target:
    """Where requests go, and what each carries besides its body."""

    address: str
    path: str
    headers: Mapping[str, str]
    connections: int
    seconds_to_wait: float


class Connections:
    """A pool of keep-alive connections to one server, limited in size."""

    def __init__(self, target: Target) -> None:
        self._target, self._parts = target, urlsplit(target.address)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._free = asyncio.Semaphore(target.connections)

    async def ask(self, body: bytes, sent: "list[float]") -> str:
        """Return the status of the response; append the moment of sending to `sent`."""
        async with self._free:
            reader, writer = await self._connection()
            try:
                sent.append(asyncio.get_running_loop().time())
                writer.write(self._head(len(body)) + body)
                status, stays = await _answer(reader)
            except BaseException:
                writer.close()
                raise
            if stays:
                self._idle.append((reader, writer))
            else:
                writer.close()
            return status

    async def close(self) -> None:
        """Close what is open."""
        for _, writer in self._idle:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        secure = ssl.create_default_context() if self._parts.scheme == "https" else None
        return await asyncio.open_connection(self._parts.hostname, _port(self._parts), ssl=secure)

    def _head(self, size: int) -> bytes:
        headers = {
            "Host": self._parts.netloc,
            "Content-Type": "application/json",
            "Content-Length": str(size),
            **self._target.headers,
        }
        lines = [f"POST {self._target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def load(target: Target, arrivals: Sequence[float], bodies: Iterator[bytes]) -> list[Outcome]:
    """Send a request at each moment of `arrivals`; return the outcomes in the order in which they were due."""
    loop, connections = asyncio.get_running_loop(), Connections(target)
    start = loop.time() + SECONDS_BEFORE_THE_FIRST
    asked: list[asyncio.Task[Outcome]] = []
    for due, body in zip(arrivals, bodies, strict=False):  # bodies do not end
        await asyncio.sleep(start + due - loop.time())
        asked.append(asyncio.create_task(_one(connections, target, body, start, due)))
    outcomes = await asyncio.gather(*asked)
    await connections.close()
    return list(outcomes)


async def _one(connections: Connections, target: Target, body: bytes, start: float, due: float) -> Outcome:
    loop = asyncio.get_running_loop()
    sent: list[float] = []
    try:
        async with asyncio.timeout_at(start + due + target.seconds_to_wait):
            answer = await connections.ask(body, sent)
    except TimeoutError:
        answer = "no answer in time"
    except (OSError, EOFError, ValueError) as error:
        answer = type(error).__name__
    done = loop.time()
    return Outcome(due, (sent[0] if sent else done) - start, done - start, answer)


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    """Read a response; return its status, and whether the connection can be reused."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    await reader.readexactly(int(headers["content-length"]))
    return head[0].split(" ")[1], headers.get("connection", "").lower() != "close"


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)

"""Bound the number of connections, the size of heads, and the time that clients take."""

import asyncio
import json
import resource
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.settings import Settings

KILOBYTE = 1_000
BYTES_AT_ONCE = 32_768  # read from a connection, before its request asks for more
SECONDS_TO_BE_READ = 0.1
MOST_PIPELINED = 16  # requests of one connection that wait for the answer of an earlier one
SPARE_FILES, MORE_FILES = 64, 4_096  # that are not connections; and connections that are being closed
settings = cache(Settings)


@cache
def most_connections() -> int:
    """Return the limit of connections: fewer than the setting if the system allows fewer open files."""
    setting = settings().most_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = max(soft, min(hard, setting + MORE_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(setting, soft - SPARE_FILES))


class TooLargeError(Exception):
    """A head is too large, or too many requests are pipelined; uvicorn's parser treats it as an invalid request."""


class BoundedConnection(HttpToolsProtocol):
    """A connection of uvicorn that ends when its client sends a too large head or takes too long.

    `waiting` has the connections whose client must send next, by the time since when. When there are too many
    connections, the first of these ends, so that clients which send nothing cannot shut out others.
    """

    # Of this process.
    waiting: ClassVar[dict["BoundedConnection", None]] = {}
    too_many: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._most_bytes = settings().most_kilobytes_of_a_head * KILOBYTE
        self._in_head, self._parsed, self._received = False, 0, 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.waiting[self] = None
        self._end_later()
        if len(self.connections) > most_connections() and not BoundedConnection.too_many:
            BoundedConnection.too_many = True
            # Twice: what has arrived is read between two timers, so a connection with a request is not ended.
            self.loop.call_later(SECONDS_TO_BE_READ, self.loop.call_later, SECONDS_TO_BE_READ, self.end_longest_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        self._cancel_end()
        super().connection_lost(exc)

    def end(self) -> None:
        """End this connection at once."""
        self.waiting.pop(self, None)
        self.connections.discard(self)
        self.transport.abort()

    def end_longest_waiting(self) -> None:
        """End as many connections as there are too many."""
        BoundedConnection.too_many = False
        for connection in list(islice(self.waiting, max(0, len(self.connections) - most_connections()))):
            connection.end()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._received += len(data)  # the parser keeps a header until it is complete
            if self._received > self._most_bytes and not self.transport.is_closing():
                self.send_400_response("")
        if self.cycle is None or self.cycle.response_complete:
            self._end_later()
        elif self.cycle.more_body and self.cycle.body:
            self.flow.pause_reading()  # until the request asks for more

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._parsed, self._received = True, 0, 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._cancel_end()
        super().on_headers_complete()
        if len(self.pipeline) > MOST_PIPELINED:
            raise TooLargeError

    def on_message_complete(self) -> None:
        self.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:
            self.waiting[self] = None

    def pause_writing(self) -> None:
        """Give the client some time to read."""
        super().pause_writing()
        self._end_later()

    def resume_writing(self) -> None:
        self._cancel_end()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_later()  # closing waits until the client has read everything

    def send_400_response(self, msg: str) -> None:
        """Answer in the form of all errors: 431 if the head is too large, else 400."""
        large = max(self._parsed, self._received) > self._most_bytes
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if large else HTTPStatus.BAD_REQUEST
        error = f"The headers are larger than {self._most_bytes / KILOBYTE:g} kilobytes." if large else msg
        body = json.dumps({"error": error, "details": []}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
        self._end_later()

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > self._most_bytes:
            raise TooLargeError

    def _end_later(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(settings().seconds_for_a_head, self.end)

    def _cancel_end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class SmallReads(asyncio.BufferedProtocol):
    """A bounded connection that gets at most 32 KB at once; the event loop would read 256 KB."""

    buffer: ClassVar[memoryview] = memoryview(bytearray(BYTES_AT_ONCE))

    def __init__(self, **options: Any) -> None:
        connection = BoundedConnection(**options)
        self._data_received = connection.data_received
        for name in ("connection_made", "connection_lost", "eof_received", "pause_writing", "resume_writing"):
            setattr(self, name, getattr(connection, name))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio gives it
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._data_received(bytes(self.buffer[:nbytes]))

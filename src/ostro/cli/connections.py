"""Connections that are slow, endless or too many: bounded before any request is made of them.

Guarantees that the head of a request (its line and headers) has a largest size and a longest time, that a connection
which sends nothing is closed, and that one too many is told so; bodies are the API's guard's matter.
"""

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
_OWN_FILES = 200  # that the server needs for itself: database, actions' connections, logs
_MOST = 20_000
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 46\r\n\r\n"
    b'{"faultstring": "There are too many clients."}'
)


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with limits. `most`: connections at the same time; `patience`: seconds for a head."""

    most = _MOST
    patience = 30.0
    _head_bytes = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._deadline is None:
            self._wait_for_head()  # only if it did not come in one piece, as it usually does

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(self.patience, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


def bounded_protocol() -> type[PatientProtocol]:
    """The protocol for as many connections as the process may have files, less those that it needs for itself.
    Raises the soft limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = _MOST if soft == resource.RLIM_INFINITY else max(_OWN_FILES, min(_MOST, soft - _OWN_FILES))
    return type("BoundedProtocol", (PatientProtocol,), {"most": most})

"""A small HTTP/1.1 client that keeps several connections busy from one thread, and as little else as possible.

It runs on a core of its own beside the server's, so it is written to cost little rather than to understand much: it
needs answers with a Content-Length, as all servers measured here give.
"""

from __future__ import annotations

import gc
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back: seconds from request to answer, HTTP status counts, and the bodies in the order they came."""

    latencies: list[float]
    statuses: dict[int, int]
    bodies: list[bytes]

    def percentile(self, share: float) -> float:
        """Return the latency in seconds that `share` (0 to 1) of the requests stayed at or below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, message: bytes) -> None:
        self.received.clear()
        self.sent_at = time.perf_counter()
        self.socket.sendall(message)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body once the whole answer is there, None before."""
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise ConnectionError("the server closed a connection that should be kept")
        self.received += chunk
        head, separator, body = bytes(self.received).partition(HEADER_END)
        if not separator or len(body) < _content_length(head):
            return None
        return int(head[9:12]), body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without Content-Length cannot be measured")


def message(path: str, body: bytes) -> bytes:
    """Return the bytes of one POST of a JSON `body`."""
    head = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + HEADER_END + body


def fire(port: int, messages: Sequence[bytes], connections: int = 8) -> Answers:
    """Send every message to 127.0.0.1:`port`, the next one on a connection as soon as it has answered.

    Raises ConnectionError or OSError when the server drops a connection.
    """
    waiting = iter(messages)
    answers = Answers([], {}, [])
    with selectors.DefaultSelector() as selector:
        open_connections = [_Connection(_connect(port)) for _ in range(connections)]
        gc.disable()  # a pause of the client would count as the server's
        try:
            busy = 0
            for connection, first in zip(open_connections, waiting, strict=False):
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send(first)
                busy += 1
            while busy:
                for key, _ in selector.select(timeout=30):
                    busy -= _advance(key.data, waiting, answers)
        finally:
            gc.enable()
            for connection in open_connections:
                connection.socket.close()
    return answers


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _advance(connection: _Connection, waiting: Iterator[bytes], answers: Answers) -> int:
    """Read what is there and send the next message; 1 when this connection has nothing more to do."""
    answer = connection.receive()
    if answer is None:
        return 0
    status, body = answer
    answers.latencies.append(time.perf_counter() - connection.sent_at)
    answers.statuses[status] = answers.statuses.get(status, 0) + 1
    answers.bodies.append(body)
    following = next(waiting, None)
    if following is None:
        return 1
    connection.send(following)
    return 0

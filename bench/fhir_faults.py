"""A FHIR server with a fault, as a process of its own: `python -m bench.fhir_faults FAULT RECORD COUNTS`.

It prints its port. RECORD is a JSON file of what it has, by resource type; to the file COUNTS a byte is added for each
connection, so that they can be counted after the process was killed. It imports nothing of the service.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_MEGABYTE = b" " * 1024 * 1024
_JSON = b"Content-Type: application/fhir+json\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"

Answer = Callable[[socket.socket, str], None]


def whole(connection: socket.socket, path: str) -> None:
    """Answer as a server without a fault."""
    kind = path.removeprefix("/fhir/").partition("?")[0].partition("/")[0]
    body = json.dumps(RECORD.get(kind) or {"resourceType": "Bundle", "type": "searchset"}).encode()
    connection.sendall(b"%s%sContent-Length: %d\r\n\r\n%s" % (_OK, _JSON, len(body), body))


def hang(connection: socket.socket, _: str) -> None:
    """Say nothing until the caller leaves."""
    connection.recv(1)


def drip(connection: socket.socket, _: str) -> None:
    """Send a body of a byte a second."""
    connection.sendall(_OK + _JSON + b"Content-Length: 100000\r\n\r\n")
    _drip(connection)


def drip_headers(connection: socket.socket, _: str) -> None:
    """Send headers of a byte a second."""
    connection.sendall(_OK + b"X-Slow: ")
    _drip(connection)


def _drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(1)


def gigabyte(connection: socket.socket, _: str) -> None:
    """Send a gigabyte, or as much as is taken."""
    connection.sendall(_OK + _JSON + b"\r\n")
    for _ in range(1024):
        connection.sendall(_MEGABYTE)


def packed_gigabyte(connection: socket.socket, _: str) -> None:
    """Send a gigabyte, packed into one megabyte."""
    connection.sendall(_OK + _JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB))
    connection.sendall(BOMB)


def broken_off(connection: socket.socket, _: str) -> None:
    """Close in the middle of the body."""
    connection.sendall(_OK + _JSON + b'Content-Length: 1000\r\n\r\n{"resourceType": "Bundle", "entry": [')


def endless_headers(connection: socket.socket, _: str) -> None:
    """Send header after header."""
    connection.sendall(_OK)
    while True:
        connection.sendall(b"X-More: of the same\r\n" * 100)


def endless_header(connection: socket.socket, _: str) -> None:
    """Send one header without an end."""
    connection.sendall(_OK + b"X-More: ")
    while True:
        connection.sendall(_MEGABYTE)


def redirects(connection: socket.socket, path: str) -> None:
    """Send the caller round in a circle."""
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % path.encode())


def reset(connection: socket.socket, _: str) -> None:
    """Close at once, without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


ANSWERS: Mapping[str, Answer] = {
    answer.__name__: answer
    for answer in (
        whole, hang, drip, drip_headers, gigabyte, packed_gigabyte, broken_off, endless_headers, endless_header,
        redirects, reset,
    )
}  # fmt: skip
GOES_ON = (whole, redirects)
"""Those that keep the connection for further requests."""

RECORD: dict[str, Any] = {}
BOMB = b""


def serve(answer: Answer, counts: int) -> None:
    """Answer every connection until the process is killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        os.write(counts, b".")
        threading.Thread(target=_converse, args=(connection, answer), daemon=True).start()


def _converse(connection: socket.socket, answer: Answer) -> None:
    with connection, suppress(OSError):
        while head := _head(connection):
            answer(connection, head.split()[1])
            if answer not in GOES_ON:
                return


def _head(connection: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = connection.recv(4096)
        if not received:
            return ""
        head += received
    return head.decode("latin-1")


if __name__ == "__main__":
    RECORD.update(json.loads(Path(sys.argv[2]).read_text("utf-8")))
    if ANSWERS[sys.argv[1]] is packed_gigabyte:
        BOMB = gzip.compress(_MEGABYTE * 1024, compresslevel=1)
    serve(ANSWERS[sys.argv[1]], os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))

"""Clients that send a byte now and then, to the production server: who they keep waiting, and who not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench.service import Service, send
from tests.hooks.signing import EHR, jwks

PATH = "/cds-services/paravertebral-order-sign"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = f"{HEAD}Content-Length: 1000\r\n\r\n{{"


@contextmanager
def connections(service: Service, number: int, begun: str) -> Iterator[list[socket.socket]]:
    """Hold open connections on which a request has begun and does not go on."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            for _ in range(number)
        ]
        for connection in opened:
            connection.sendall(begun.encode())
        time.sleep(0.2)  # so that all of them have reached a thread that waits, if any does
        yield opened


def seconds_for_an_answer(service: Service) -> float:
    began = time.monotonic()
    assert send(service.port, "POST", PATH, b"{}").status in (400, 401)
    return time.monotonic() - began


@pytest.mark.parametrize("begun", [HEAD, HEAD.rpartition("\r\n")[0][:20], "P"], ids=["headers", "first-line", "byte"])
def test_slow_headers_keep_nobody_waiting(start, begun):
    service = start(threads=4)
    with connections(service, 50, begun):
        assert max(seconds_for_an_answer(service) for _ in range(5)) < 2


def test_slow_bodies_are_not_waited_for_without_a_token(start):
    registration = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
    service = start(threads=4, trusted_clients=registration)
    with connections(service, 12, BODY) as opened:
        assert all(connection.recv(12) == b"HTTP/1.1 401" for connection in opened)
        assert seconds_for_an_answer(service) < 2


def test_slow_bodies_end_with_their_connections(start):
    """As many as there are threads do block a service that takes calls of anybody: a proxy in front stops that."""
    service = start(threads=4)
    with connections(service, 12, BODY):
        pass
    assert seconds_for_an_answer(service) < 5

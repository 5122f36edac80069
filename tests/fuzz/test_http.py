"""What is not HTTP, or an odd kind of it, sent to the real server: it answers or closes, and goes on."""

from __future__ import annotations

import gzip
import http.client
import json
import socket

import pytest

from bench.fuzz import broken_bytes, broken_documents, no_fault, send, server

SECONDS = 10
BUNDLE = b'{"resourceType":"Bundle"}'
POST = b"POST /assessments HTTP/1.1\r\nHost: x\r\n"
WITH_BODY = POST + b"Content-Length: 25\r\n"
BOMB = gzip.compress(b" " * 50_000_000)


@pytest.fixture(scope="module")
def running():
    with server() as started:
        yield started
        assert started.process.poll() is None
        assert started.errors() == []


def get(path: bytes, *headers: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in (b"GET " + path + b" HTTP/1.1", b"Host: x", *headers, b""))


def answers(port: int, sent: bytes, most: int = 1) -> list[int]:
    """The statuses of what is answered to `sent`, until `most` answers came or the connection was closed."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as stream:
            while len(found) < most and (head := stream.readline()):
                assert head.startswith(b"HTTP/1."), head
                found.append(int(head.split()[1]))
                _judge(found[-1], *_rest(stream))
    return found


def _rest(stream) -> tuple[http.client.HTTPMessage, bytes]:
    headers = http.client.parse_headers(stream)
    return headers, stream.read(int(headers.get("content-length", 0)))


def _judge(status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
    no_fault("", status, body)
    if status >= 400 and body and headers.get_content_type() == "application/json":
        assert json.loads(body)["resourceType"] == "OperationOutcome"


def alive(port: int) -> bool:
    return answers(port, get(b"/healthz")) == [200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(POST + b"\r\n", 400, id="no-length"),
        pytest.param(POST + b"\r\n" + BUNDLE, 400, id="no-length-but-a-body"),
        pytest.param(POST + b"Content-Length: 5\r\n\r\n" + BUNDLE, 400, id="length-too-short"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", 400, id="length-below-zero"),
        pytest.param(POST + b"Content-Length: many\r\n\r\n", 400, id="length-in-words"),
        pytest.param(POST + b"Content-Length: 99999999999999999999\r\n\r\n", 400, id="length-beyond-64-bits"),
        pytest.param(POST + b"Content-Length: 11000000\r\n\r\n{", 413, id="length-over-the-limit"),
        pytest.param(WITH_BODY + b"Content-Length: 2\r\n\r\n{}", 400, id="two-lengths"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n19\r\n" + BUNDLE + b"\r\n0\r\n\r\n", 200, id="chunked"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400, id="chunk-without-a-size"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 20 + b"\r\n{}", 400, id="chunk-beyond-64-bits"
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip\r\n\r\n{}", 400, id="unknown-transfer-encoding"),
        pytest.param(WITH_BODY + b"Expect: 100-continue\r\n\r\n" + BUNDLE, 100, id="expects-to-be-asked"),
        pytest.param(WITH_BODY + b"Expect: 418-teapot\r\n\r\n" + BUNDLE, 200, id="expects-something-else"),
        pytest.param(
            WITH_BODY + b"Content-Type: multipart/form-data\r\n\r\n" + BUNDLE, 200, id="form-without-boundary"
        ),
        pytest.param(
            POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB, 400, id="gzip-bomb"
        ),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", 200, id="http-1.0"),
        pytest.param(b"GET /healthz\r\n\r\n", 400, id="http-0.9"),
        pytest.param(b"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n", 400, id="http-3"),
        pytest.param(b"GET /healthz HTTP/1.1\nHost: x\n\n", 200, id="bare-line-feeds"),
        pytest.param(b"\r\n\r\n" + get(b"/healthz"), 200, id="empty-lines-first"),
        pytest.param(b"GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="absolute-address"),
        pytest.param(b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404, id="connect"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, id="star"),
        pytest.param(b"TRACE /cds-services HTTP/1.1\r\nHost: x\r\nX-Secret: y\r\n\r\n", 405, id="trace"),
        pytest.param(b"BREW /cds-services HTTP/1.1\r\nHost: x\r\n\r\n", 405, id="odd-method"),
        pytest.param(b"A" * 5000 + b" /cds-services HTTP/1.1\r\nHost: x\r\n\r\n", 405, id="long-method"),
        pytest.param(b"\xff\xfe /cds-services HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="method-of-bytes"),
        pytest.param(b"POST /healthz HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\n\r\n", 405, id="override"),
        pytest.param(get(b"/cds-services/../healthz"), 404, id="up"),
        pytest.param(get(b"/pages/../../../../../etc/passwd"), 404, id="up-to-a-file"),
        pytest.param(get(b"/pages/%2e%2e/%2e%2e/app.py"), 404, id="up-with-escaped-dots"),
        pytest.param(get(b"/pages/..%2f..%2fapp.py"), 404, id="up-with-escaped-slashes"),
        pytest.param(get(b"/pages/..%5c..%5capp.py"), 404, id="up-with-backslashes"),
        pytest.param(get(b"/pages/%252e%252e%252fapp.py"), 404, id="up-escaped-twice"),
        pytest.param(get(b"/codes%2f64461"), 200, id="escaped-slash"),
        pytest.param(get(b"/codes/%00"), 404, id="escaped-nul"),
        pytest.param(get(b"/pages/%00"), 404, id="escaped-nul-as-a-file"),
        pytest.param(get(b"/codes/\x00"), 400, id="nul"),
        pytest.param(get(b"/codes/%ff%fe"), 404, id="escaped-bytes"),
        pytest.param(get(b"/codes/%zz%1"), 404, id="escapes-of-nothing"),
        pytest.param(get(b"/pages/" + b"a" * 5000), 404, id="long-file-name"),
        pytest.param(get(b"/codes/" + b"x" * 50_000), 404, id="long-address"),
        pytest.param(get(b"/codes/" + b"x" * 70_000), 414, id="too-long-address"),
        pytest.param(get(b"/codes?" + b"a&" * 20_000), 200, id="many-arguments"),
        pytest.param(
            b"POST /assessments?profile=%ff&date=%fe HTTP/1.1\r\nHost: x\r\nContent-Length: 25\r\n\r\n" + BUNDLE,
            400,
            id="arguments-of-bytes",
        ),
        pytest.param(get(b"/healthz", b"Host"), 400, id="header-without-a-colon"),
        pytest.param(get(b"/healthz", b"A: b", b" c"), 400, id="folded-header"),
        pytest.param(get(b"/healthz", b"A: \x00"), 400, id="nul-in-a-header"),
        pytest.param(get(b"/healthz", *[b"A%d: b" % n for n in range(200)]), 431, id="many-headers"),
        pytest.param(
            get(b"/codes", b"Accept: \xff", b"Origin: \xff", b"If-None-Match: \xff"), 200, id="headers-of-bytes"
        ),
        pytest.param(get(b"/codes", b"Accept: ;;;q=x,*/*;q=9e999, text/html;q=nan"), 200, id="odd-accept"),
        pytest.param(get(b"/codes", b"Accept: " + b"a/b;q=0.1," * 3000), 200, id="long-accept"),
        pytest.param(get(b"/codes", b"Authorization: Basic \xff", b"Cookie: a=\xff; b"), 200, id="odd-credentials"),
        pytest.param(get(b"/pages/pages.css", b"Range: bytes=99999999-,0-0,-1"), 416, id="range-that-is-not-there"),
        pytest.param(get(b"/pages/pages.css", b"If-Modified-Since: ever", b"Range: bytes=a-b"), 416, id="odd-range"),
        pytest.param(get(b"/codes", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), 200, id="http-2-upgrade"),
        pytest.param(bytes(range(256)) * 10, 400, id="bytes"),
    ],
)
def test_it_is_answered_and_the_server_goes_on(running, sent, status):
    assert answers(running.port, sent) == [status]
    assert alive(running.port)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /healthz HT", id="half-a-line"),
        pytest.param(POST + b"Content-Length: 500\r\n\r\n{}", id="half-a-body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n19\r\n{", id="half-a-chunk"),
    ],
)
@pytest.mark.parametrize("reset", [True, False])
def test_who_goes_away_in_the_middle_leaves_nothing_behind(running, sent, reset):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", running.port), timeout=SECONDS) as connection:
            connection.sendall(sent)
            if reset:  # no lingering: the other side sees a reset instead of an end
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert alive(running.port)


def test_requests_sent_ahead_are_answered_in_order_and_garbage_after_them_ends_the_connection(running):
    ahead = WITH_BODY + b"\r\n" + BUNDLE + get(b"/nowhere") + get(b"/healthz") + b"\xff\r\n\r\n" + get(b"/healthz")
    assert answers(running.port, ahead, most=9) == [200, 404, 200, 400]


def test_a_second_request_cannot_be_hidden_in_the_body_of_another(running):
    hidden = POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get(b"/healthz")
    assert answers(running.port, hidden, most=9) == [400]


@pytest.mark.parametrize("make", [broken_bytes, broken_documents])
def test_broken_requests_over_one_connection_are_all_answered(running, make):
    """As `python -m bench.fuzz` does it with 20,000 of each."""
    tally = send("some", make(7, 200), running.port, no_fault)
    assert (tally.faults, tally.sent) == ([], 200)

"""FHIR servers that are broken, hostile or in the way: each read ends in time, with a reason and nothing else."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from cds_service.fhir.access import FhirAccess, Grant, HttpRecordSource, Limits
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import AttachedFile, KeyState, Partial, PrefetchKey, Unread

CLAIMS = PrefetchKey.CLAIMS
TOKEN = "secret-token"
LATE = "the FHIR server did not answer in time"

Answer = bytes | Callable[[socket.socket], None]


class RawServer:
    """Answers each connection with bytes, or by a function, chosen by the path that is asked for."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((host, 0))
        self.port = self._listener.getsockname()[1]
        self.base = f"http://{host}:{self.port}/fhir"
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.requests: list[str] = []
        self.connections = 0
        self.stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while head := self._head(connection):
                self.requests.append(head)
                answer = self._answer(head.split()[1])
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)

    def _head(self, connection: socket.socket) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            received = connection.recv(4096)
            if not received:
                return ""
            head += received
        return head.decode("latin-1")

    def _answer(self, path: str) -> Answer:
        found = self.answers.get(path) or self.answers.get(path.removeprefix("/fhir/").split("?")[0].split("/")[0])
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found or http(404)

    def stop(self) -> None:
        self.stopped.set()
        self._listener.close()


def http(status: int, body: bytes = b"", kind: str = "application/fhir+json", **headers: Any) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}"] if kind else [f"HTTP/1.1 {status} Said"]
    named = {"Content-Length": len(body)} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ok(value: Any, **headers: Any) -> bytes:
    return http(200, json.dumps(value).encode(), **headers)


def page(*ids: str, following: str | None = None, **members: Any) -> dict[str, Any]:
    links = {"link": [{"relation": "next", "url": following}]} if following is not None else {}
    entries = [{"resource": {"resourceType": "Claim", "id": each}} for each in ids]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **links, **members}


@pytest.fixture
def server() -> Iterator[RawServer]:
    running = RawServer()
    yield running
    running.stop()


def source(server: RawServer, grant: Grant | None = None, access: FhirAccess | None = None, **limits: Any) -> Any:
    access = access or FhirAccess(Limits(**limits))
    return access.source(server.base, grant, "p1", "e1", templates=TEMPLATES["encounter-discharge"])


def read(reader: HttpRecordSource, key: PrefetchKey = CLAIMS) -> Any:
    return reader.read([key])[key]


# One answer


def drip(connection: socket.socket) -> None:
    """Send a body of a byte at a time, none of which is late on its own."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 9999\r\n\r\n")
    for _ in range(400):
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(400):
        connection.sendall(b"0")  # a chunk's size that never ends
        time.sleep(0.02)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for place in range(400):
        connection.sendall(f"X-{place}: x\r\n".encode()[place % 7 : place % 7 + 1])
        time.sleep(0.02)


def hang(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def endless(connection: socket.socket) -> None:
    """Send a gigabyte, or as much as is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\r\n")
    for _ in range(1024):
        connection.sendall(b" " * 1024 * 1024)


def endless_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1024):
        connection.sendall(b"100000\r\n" + b" " * 1024 * 1024 + b"\r\n")


def not_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


BOMB = gzip.compress(b" " * 50_000_000)
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"code": "forbidden", "diagnostics": "jane-roe"}]}
LOGIN = b"<html><form action=/login>jane-roe</form></html>"
BUNDLE = json.dumps(page("1")).encode()
LARGE = "the answer of the FHIR server is too large"
NOT_FHIR = "the answer of the FHIR server is not FHIR JSON"
BROKE_OFF = "the answer of the FHIR server broke off"
UNREACHABLE = "the FHIR server could not be reached"
PAGE = "the FHIR server answered with a web page, perhaps to sign in"
OTHER = "the FHIR server answered with another resource than was asked for"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(http(401), "the FHIR server answered 401", id="401"),
        pytest.param(
            http(403, json.dumps(OUTCOME).encode()), "the FHIR server answered 403 (forbidden)", id="403-with-outcome"
        ),
        pytest.param(http(404, LOGIN, "text/html"), "the FHIR server answered 404", id="404-as-a-page"),
        pytest.param(http(410), "the FHIR server answered 410", id="410"),
        pytest.param(http(500, b"jane-roe at line 3", "text/plain"), "the FHIR server answered 500", id="500"),
        pytest.param(http(206, BUNDLE), "the FHIR server answered 206", id="part-of-it"),
        pytest.param(http(200, LOGIN, "text/html"), PAGE, id="login-page"),
        pytest.param(http(200, LOGIN, "text/html; charset=utf-8"), PAGE, id="login-page-with-charset"),
        pytest.param(http(200, LOGIN), NOT_FHIR, id="login-page-said-to-be-json"),
        pytest.param(http(200, b"<Bundle/>", "application/fhir+xml"), NOT_FHIR, id="xml"),
        pytest.param(http(200, BUNDLE[:-1]), NOT_FHIR, id="broken-json"),
        pytest.param(http(200, b"\xff\xfe{}"), NOT_FHIR, id="no-utf-8"),
        pytest.param(http(200, b'"jane-roe"'), NOT_FHIR, id="a-string"),
        pytest.param(http(200, b"[" * 100_000), NOT_FHIR, id="deep"),
        pytest.param(http(200, b"{}"), OTHER, id="no-resource"),
        pytest.param(http(200, b'{"resourceType": "Claim"}'), OTHER, id="another-resource"),
        pytest.param(http(200, BUNDLE, Content_Length=len(BUNDLE) + 9), LATE, id="shorter-than-said"),
        pytest.param(lambda connection: connection.sendall(http(200, BUNDLE, Content_Length=999)), BROKE_OFF, id="cut"),
        pytest.param(http(200, BUNDLE, Content_Length=2**40), LARGE, id="said-to-be-a-terabyte"),
        pytest.param(endless, LARGE, id="a-gigabyte"),
        pytest.param(endless_chunks, LARGE, id="a-gigabyte-in-chunks"),
        pytest.param(http(200, BOMB, Content_Encoding="gzip"), LARGE, id="gzip-bomb"),
        pytest.param(http(200, gzip.compress(BOMB), Content_Encoding="gzip, gzip"), LARGE, id="gzip-bomb-in-a-bomb"),
        pytest.param(http(200, BUNDLE, Content_Encoding="gzip"), NOT_FHIR, id="no-gzip"),
        pytest.param(
            http(200, gzip.compress(BUNDLE)[:-30], Content_Encoding="gzip"), NOT_FHIR, id="gzip-that-ends-too-soon"
        ),
        pytest.param(drip, LATE, id="a-byte-at-a-time"),
        pytest.param(drip_chunks, LATE, id="a-chunk-at-a-time"),
        pytest.param(drip_headers, LATE, id="a-header-at-a-time"),
        pytest.param(hang, LATE, id="nothing"),
        pytest.param(reset, UNREACHABLE, id="reset"),
        pytest.param(not_http, UNREACHABLE, id="another-protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 99_999 + b"\r\n\r\n", UNREACHABLE, id="header-too-long"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(999)) + b"\r\n",
            UNREACHABLE,
            id="headers-too-many",
        ),
    ],
)
def test_each_ends_in_time_with_a_reason(
    server: RawServer, answer: Answer, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = {"Claim": answer, "Procedure": ok(page(), Connection="close")}
    began = time.monotonic()
    found = source(server, Grant(TOKEN), deadline=0.6, read=0.3, answer_bytes=1_000_000).read(
        [CLAIMS, PrefetchKey.PROCEDURES]
    )
    assert time.monotonic() - began < 2
    assert found == {CLAIMS: Unread("claims", reason), PrefetchKey.PROCEDURES: page()}
    for secret in (TOKEN, "jane-roe", "p1"):
        assert secret not in caplog.text


def test_an_outcome_that_comes_with_200_is_a_failure(server: RawServer) -> None:
    server.answers = {"Claim": ok(OUTCOME)}
    record = from_prefetch(
        {"patientId": "p1"}, {key.value: None for key in PrefetchKey if key is not CLAIMS}, source(server)
    )
    assert record.states[CLAIMS] is KeyState.FAILED
    assert record.unread == (Unread("claims", "reading it failed (forbidden)"),)


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (301, "/fhir/elsewhere"),
        (302, "http://169.254.169.254/latest"),
        (307, "//elsewhere.example/"),
        (308, "file:///"),
    ],
)
def test_redirects_are_not_followed(server: RawServer, status: int, location: str) -> None:
    server.answers = {"Claim": http(status, Location=location)}
    assert read(source(server, Grant(TOKEN))) == Unread("claims", f"the FHIR server answered {status}")
    assert len(server.requests) == 1


def test_cookies_are_not_sent_back(server: RawServer) -> None:
    server.answers = {"Claim": ok(page(), Set_Cookie="session=1")}
    reader = source(server)
    read(reader)
    read(reader)
    assert "session=1" not in "".join(server.requests)


def test_connections_are_kept(server: RawServer) -> None:
    server.answers = {"Claim": ok(page()), "Binary": http(200, b"x" * 200_000, "text/plain")}
    access = FhirAccess()
    for _ in range(3):
        assert read(source(server, access=access)) == page()
        source(server, access=access).files([AttachedFile("DocumentReference/1", "Binary/1")])
    assert server.connections == 1


def test_many_hooks_at_a_time_get_their_own_answers(server: RawServer) -> None:
    access = FhirAccess(Limits(parallel=8, deadline=10))
    server.answers = {
        f"/fhir/Patient/{place}": ok({"resourceType": "Patient", "id": str(place)}) for place in range(40)
    }
    found: dict[int, Any] = {}

    def hook(place: int) -> None:
        reader = access.source(server.base, None, str(place), None, templates=TEMPLATES["order-sign"])
        found[place] = read(reader, PrefetchKey.PATIENT)["id"]

    threads = [threading.Thread(target=hook, args=(place,)) for place in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {place: str(place) for place in range(40)}
    assert server.connections <= 8


# A busy server


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(server: RawServer, status: int) -> None:
    server.answers = {"Claim": [http(status), http(status, Retry_After="0"), ok(page("1"))]}
    assert read(source(server)) == page("1")
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 500, 502, 504])
def test_others_are_not(server: RawServer, status: int) -> None:
    server.answers = {"Claim": [http(status, Retry_After="0"), ok(page("1"))]}
    assert read(source(server)) == Unread("claims", f"the FHIR server answered {status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "after",
    ["30", "99999999999999999999", format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)],
    ids=["seconds", "very many seconds", "a date"],
)
def test_a_busy_server_is_not_waited_for_beyond_the_deadline(server: RawServer, after: str) -> None:
    server.answers = {"Claim": http(503, Retry_After=after)}
    began = time.monotonic()
    assert read(source(server)) == Unread("claims", "the FHIR server answered 503")
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("after", ["soon", "-3", "1.5", "Sun, 99 Foo 2026", "", "٣"])
def test_an_odd_retry_after_is_none(server: RawServer, after: str) -> None:
    said = http(503).replace(b"\r\n\r\n", b"\r\nRetry-After: " + after.encode() + b"\r\n\r\n")
    server.answers = {"Claim": [said, ok(page("1"))]}
    assert read(source(server)) == page("1")


def test_it_is_not_asked_forever(server: RawServer) -> None:
    server.answers = {"Claim": http(503)}
    assert read(source(server, retries=2)) == Unread("claims", "the FHIR server answered 503")
    assert len(server.requests) == 3


# Pages


@pytest.mark.conformance("prefetch-pages")
def test_pages_are_put_together(server: RawServer) -> None:
    server.answers = {
        "Claim": ok(page("1", "2", following=f"{server.base}?_getpages=a&_offset=2", total=4)),
        "/fhir?_getpages=a&_offset=2": ok(page("3", following="Claim/more?page=3")),
        "/fhir/Claim/more?page=3": ok(page("4")),
    }
    found = read(source(server, Grant(TOKEN)))
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["1", "2", "3", "4"]
    assert "link" not in found
    assert all(f"Authorization: Bearer {TOKEN}" in request for request in server.requests)


ELSEWHERE = "the next one is at an address that is not followed"


@pytest.mark.parametrize(
    ("following", "reason"),
    [
        pytest.param("http://169.254.169.254/latest/meta-data", ELSEWHERE, id="metadata"),
        pytest.param("https://elsewhere.example/fhir/Claim?page=2", ELSEWHERE, id="host"),
        pytest.param("http://127.0.0.1:{other}/fhir/Claim", ELSEWHERE, id="port"),
        pytest.param("http://127.0.0.1:{port}/other/Claim", ELSEWHERE, id="path"),
        pytest.param("http://127.0.0.1:{port}/fhirs/Claim", ELSEWHERE, id="longer-path"),
        pytest.param("http://127.0.0.1:{port}/fhir/../admin", ELSEWHERE, id="up"),
        pytest.param("http://127.0.0.1:{port}/fhir/%2e%2e/admin", ELSEWHERE, id="up-encoded"),
        pytest.param("http://127.0.0.1:{port}/fhir/%252e%252e/x", ELSEWHERE, id="up-twice"),
        pytest.param("http://127.0.0.1:{port}/fhir/x%2f..%2f..%2fy", ELSEWHERE, id="slash"),
        pytest.param("http://u@127.0.0.1:{port}/fhir/Claim", ELSEWHERE, id="user"),
        pytest.param("http://127.0.0.1:{port}@evil.example/fhir", ELSEWHERE, id="user-port"),
        pytest.param("https://127.0.0.1:{port}/fhir/Claim", ELSEWHERE, id="scheme"),
        pytest.param("//evil.example/fhir/Claim", ELSEWHERE, id="no-scheme"),
        pytest.param("/admin", ELSEWHERE, id="root"),
        pytest.param("\\\\evil.example\\fhir", ELSEWHERE, id="backslash"),
        pytest.param("http://127.0.0.1:{port}/fhir/Claim\r\nX: 1", ELSEWHERE, id="line"),
        pytest.param("file:///etc/passwd", ELSEWHERE, id="file"),
        pytest.param("", ELSEWHERE, id="none"),
        pytest.param("Claim?page=1", "they lead in a circle", id="circle"),
        pytest.param("Claim?page=1#again", "they lead in a circle", id="circle-with-fragment"),
        pytest.param("Procedure?page=1", "the FHIR server answered 500", id="error"),
        pytest.param("Condition?page=1", "reading it failed (forbidden)", id="outcome"),
        pytest.param("Basic?page=1", OTHER, id="no-bundle"),
    ],
)
def test_pages_that_are_not_had_are_told(server: RawServer, following: str, reason: str) -> None:
    other = RawServer()
    address = following.format(port=server.port, other=other.port) if "{" in following else following
    server.answers = {
        "Claim": ok(page("1", following=address)),
        "Procedure": http(500),
        "Condition": ok(OUTCOME),
        "Basic": ok({"resourceType": "Basic"}),
    }
    found = read(source(server, Grant(TOKEN)))
    assert isinstance(found, Partial)
    assert found.resource["entry"][0] == page("1")["entry"][0]
    assert found.reason.startswith("not all pages were read: ")
    assert reason in found.reason
    assert other.requests == []
    assert len(server.requests) <= 3
    other.stop()


def test_pages_and_resources_have_a_limit(server: RawServer) -> None:
    pages = {
        f"/fhir/Claim?page={place}": ok(page(str(place), following=f"Claim?page={place + 1}")) for place in range(99)
    }
    server.answers = {**pages, "Claim": ok(page("first", following="Claim?page=0"))}
    found = read(source(server, pages=3))
    assert (len(found.resource["entry"]), found.reason) == (3, "not all pages were read: there are more than 3")
    assert len(server.requests) == 3
    found = read(source(server, pages=50, resources=4))
    assert len(found.resource["entry"]) == 4
    assert found.reason == "there are more than the 4 resources that are read"
    server.answers = {"Claim": ok(page("1", "2", "3"))}
    assert len(read(source(server, resources=2)).resource["entry"]) == 2
    assert read(source(server, resources=3)) == page("1", "2", "3")


def test_what_was_read_before_the_deadline_stays(server: RawServer) -> None:
    server.answers = {"Claim": ok(page("1", following="Procedure?page=2")), "Procedure": hang}
    found = read(source(server, deadline=0.3))
    assert found == Partial(
        {name: page("1")[name] for name in ("resourceType", "type", "entry")}, f"not all pages were read: {LATE}"
    )


def test_one_hook_reads_only_so_much(server: RawServer) -> None:
    text = {"resourceType": "Bundle", "x": "y" * 600_000}
    server.answers = {"Claim": ok(text), "Procedure": ok(text)}
    found = source(server, hook_bytes=1_000_000).read([CLAIMS, PrefetchKey.PROCEDURES])
    reasons = [value.reason for value in found.values() if isinstance(value, Unread)]
    # Both arrive at once: where each has half of its own when the limit is reached, neither is whole.
    assert set(reasons) == {"the answers of the FHIR server are too large together"}


@pytest.mark.conformance("prefetch-pages")
def test_a_first_page_of_the_client_is_completed(server: RawServer) -> None:
    server.answers = {"/fhir?_getpages=a": ok(page("2"))}
    prefetch = {key.value: None for key in PrefetchKey} | {
        "claims": page("1", following=f"{server.base}?_getpages=a", total=2)
    }
    record = from_prefetch({"patientId": "p1"}, prefetch, source(server))
    assert [entry.reference for entry in record.of_type("Claim")] == ["Claim/1", "Claim/2"]
    assert record.unread == ()


# Attachments

RTF = rb"{\rtf1 Right block at T4.}"
WANTED = AttachedFile("DocumentReference/d", "Binary/b", "application/rtf")


def document(*attachments: dict[str, Any]) -> dict[str, Any]:
    contents = [{"attachment": attachment} for attachment in attachments]
    entry = {"resource": {"resourceType": "DocumentReference", "id": "d", "status": "current", "content": contents}}
    return {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}


def texts_of(server: RawServer, *attachments: dict[str, Any], **limits: Any) -> tuple[list[str], list[str]]:
    from cds_service.fhir.documents import read_texts

    prefetch = {key.value: None for key in PrefetchKey} | {"documents": document(*attachments)}
    record = from_prefetch({"patientId": "p1"}, prefetch, source(server, Grant(TOKEN), **limits))
    found, unread = read_texts(record.of_type("DocumentReference")[0], record)
    return [each.text for each in found], [each.reason for each in unread]


@pytest.mark.parametrize(
    ("answer", "stated"),
    [
        pytest.param(http(200, RTF, "application/rtf"), "application/rtf", id="the-file"),
        pytest.param(http(200, RTF, "application/octet-stream"), "application/rtf", id="the-file-of-no-type"),
        pytest.param(http(200, RTF, "application/rtf"), None, id="the-file-of-a-type-not-stated"),
        pytest.param(
            ok({"resourceType": "Binary", "contentType": "application/rtf", "data": base64.b64encode(RTF).decode()}),
            "application/rtf",
            id="a-binary",
        ),
        pytest.param(
            ok({"resourceType": "Binary", "contentType": "application/rtf", "data": base64.b64encode(RTF).decode()}),
            None,
            id="a-binary-of-a-type-not-stated",
        ),
    ],
)
@pytest.mark.parametrize("address", ["Binary/b", "Binary/b/_history/3", "{base}/Binary/b"])
def test_an_attachment_is_fetched(server: RawServer, answer: bytes, stated: str | None, address: str) -> None:
    server.answers = {"Binary": answer}
    attachment = {"url": address.format(base=server.base)} | ({"contentType": stated} if stated else {})
    assert texts_of(server, attachment) == (["Right block at T4."], [])
    assert f"Authorization: Bearer {TOKEN}" in server.requests[0]
    assert (f"Accept: {stated}, application/fhir+json;q=0.9" in server.requests[0]) is (stated is not None)


NOT_FETCHED = "the attachment is at an address that is not fetched"


@pytest.mark.parametrize(
    ("attachment", "answer", "reason"),
    [
        pytest.param({"url": "https://elsewhere.example/fhir/Binary/b"}, b"", NOT_FETCHED, id="another-server"),
        pytest.param({"url": "http://169.254.169.254/Binary/b"}, b"", NOT_FETCHED, id="metadata"),
        pytest.param({"url": "Patient/p1"}, b"", NOT_FETCHED, id="no-binary"),
        pytest.param({"url": "Binary/../Patient/p1"}, b"", NOT_FETCHED, id="up"),
        pytest.param({"url": "Binary/b?_format=xml"}, b"", NOT_FETCHED, id="query"),
        pytest.param({"url": "Binary/b"}, http(404), "the FHIR server answered 404", id="404"),
        pytest.param(
            {"url": "Binary/b", "contentType": "application/pdf"},
            http(200, LOGIN, "text/html"),
            PAGE,
            id="page-for-pdf",
        ),
        pytest.param({"url": "Binary/b"}, ok(OUTCOME), "reading it failed (forbidden)", id="outcome"),
        pytest.param({"url": "Binary/b"}, ok(page()), OTHER, id="another-resource"),
        pytest.param({"url": "Binary/b"}, http(200, b"", "text/plain"), "the attachment is empty", id="empty"),
        pytest.param({"url": "Binary/b"}, endless, LARGE, id="a-gigabyte"),
        pytest.param({"url": "Binary/b"}, hang, LATE, id="nothing"),
    ],
)
def test_one_that_is_not_says_why(server: RawServer, attachment: Any, answer: Answer, reason: str) -> None:
    server.answers = {"Binary": answer} if answer else {}
    texts, reasons = texts_of(server, attachment, deadline=0.4, answer_bytes=1_000_000)
    assert (texts, reasons) == ([], [reason])
    assert bool(server.requests) is bool(answer)


def test_an_odd_content_type_is_not_sent(server: RawServer) -> None:
    server.answers = {"Binary": http(200, RTF, "application/rtf")}
    odd = AttachedFile("DocumentReference/d", "Binary/b", "application/rtf\r\nX-Injected: 1")
    assert source(server).files([odd])["Binary/b"]["data"] == base64.b64encode(RTF).decode()
    assert "X-Injected" not in server.requests[0]


def test_attachments_have_a_limit(server: RawServer) -> None:
    server.answers = {"Binary": http(200, RTF, "application/rtf")}
    _, reasons = texts_of(server, {"url": "Binary/1"}, {"url": "Binary/2"}, {"url": "Binary/3"}, attachments=1)
    assert reasons == ["more attachments than are fetched for one request"]
    assert len(server.requests) == 1


# The token


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({"token": "a\r\nX: 1"}, "the access token has characters that cannot be sent", id="line"),
        pytest.param({"token": "ü"}, "the access token has characters that cannot be sent", id="letter"),
        pytest.param({"expires_in": 0}, "the access token has expired", id="expired"),
        pytest.param({"expires_in": -5}, "the access token has expired", id="long-expired"),
        pytest.param({"token_type": "mac"}, "the access token is of another type than Bearer", id="type"),
        pytest.param({"patient": "p2"}, "the access token is for another patient", id="patient"),
        pytest.param({"patient": "Patient/p2"}, "the access token is for another patient", id="patient-reference"),
        pytest.param({"subject": "they"}, "the access token was issued to another service", id="subject"),
    ],
)
def test_a_token_that_is_not_for_this_is_not_sent(server: RawServer, members: Any, reason: str) -> None:
    reader = FhirAccess(client_ids=("us",)).source(
        server.base, Grant(**{"token": TOKEN, **members}), "p1", "e1", templates=TEMPLATES["order-sign"]
    )
    assert read(reader) == Unread("claims", reason)
    assert read(reader).reason not in TOKEN
    assert server.requests == []


@pytest.mark.parametrize(
    "members",
    [{"patient": "p1"}, {"patient": "Patient/p1"}, {"token_type": "bearer"}, {"subject": "us"}, {"scope": "x"}],
)
def test_one_that_is_is(server: RawServer, members: Any) -> None:
    server.answers = {"Claim": ok(page())}
    grant = Grant(TOKEN, **members)
    reader = FhirAccess(client_ids=("us",)).source(server.base, grant, "p1", "e1", templates=TEMPLATES["order-sign"])
    assert read(reader) == page()
    assert TOKEN not in repr(grant)


@pytest.mark.conformance("3.0-scopes")
@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("patient/Patient.read user/Procedure.rs", True),
        ("patient/Claim.write", True),
        ("patient/Claim.c", True),
        ("patient/*.read", False),
        ("user/Claim.rs?patient=1", False),
        ("system/*.*", False),
        ("launch openid", False),
        (None, False),
    ],
)
def test_scopes_that_do_not_suffice_are_told_when_the_server_refuses(
    server: RawServer, scope: str | None, told: bool
) -> None:
    server.answers = {"Claim": http(403)}
    reason = read(source(server, Grant(TOKEN, scope=scope))).reason
    assert reason == "the FHIR server answered 403" + ("; the scopes of the token do not cover Claim" if told else "")


@pytest.mark.conformance("token-transient")
def test_a_token_is_not_used_after_it_ran_out(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = source(server, Grant(TOKEN, expires_in=1), deadline=60)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)
    assert read(reader) == Unread("claims", "the access token has expired")
    assert server.requests == []


# A server that is dead


def test_a_dead_server_costs_nothing(server: RawServer) -> None:
    server.answers = {"Claim": hang}
    access = FhirAccess(Limits(deadline=0.1, failures=2, pause=60))
    assert [read(source(server, access=access)).reason for _ in range(2)] == [LATE, LATE]
    began = time.monotonic()
    left = Unread("claims", "the FHIR server did not answer lately and is left alone for a while")
    assert [read(source(server, access=access)) for _ in range(50)] == [left] * 50
    assert time.monotonic() - began < 0.5
    assert len(server.requests) == 2


def test_it_is_tried_again_after_a_while(server: RawServer) -> None:
    server.answers = {"Claim": [reset, reset, ok(page("1"))]}
    access = FhirAccess(Limits(failures=2, pause=0.2))
    read(source(server, access=access))
    read(source(server, access=access))
    assert "left alone" in read(source(server, access=access)).reason
    time.sleep(0.25)
    assert read(source(server, access=access)) == page("1")
    assert read(source(server, access=access)) == page("1")


def test_other_servers_are_asked_all_the_same(server: RawServer) -> None:
    access = FhirAccess(Limits(failures=1, pause=60))
    dead = RawServer()
    dead.answers = {"Claim": reset}
    server.answers = {"Claim": ok(page("1"))}
    read(source(dead, access=access))
    assert "left alone" in read(source(dead, access=access)).reason
    assert read(source(server, access=access)) == page("1")
    dead.stop()


def test_errors_of_a_living_server_do_not_count(server: RawServer) -> None:
    server.answers = {"Claim": http(500)}
    access = FhirAccess(Limits(failures=1, pause=60))
    assert [read(source(server, access=access)).reason for _ in range(3)] == ["the FHIR server answered 500"] * 3


def test_late_reads_leave_no_thread_behind(server: RawServer) -> None:
    server.answers = {"Claim": drip_headers, "Procedure": drip, "Observation": drip_chunks}
    access = FhirAccess(Limits(parallel=3, deadline=0.2, failures=10**6))
    keys = [CLAIMS, PrefetchKey.PROCEDURES, PrefetchKey.OBSERVATIONS]
    source(server, access=access).read(keys)
    server.answers = {"Claim": ok(page("1"))}
    assert read(source(server, access=access)) == page("1")

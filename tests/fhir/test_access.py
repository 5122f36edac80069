"""Reads from a FHIR server on loopback that behaves well, badly, slowly, or not at all."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cds_service.fhir.access import FhirAccess, Grant, HttpRecordSource, Limits, is_allowed
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import KeyState, PrefetchKey, Unread

TOKEN = "secret-token"
TEMPLATES_OF_DISCHARGE = TEMPLATES["encounter-discharge"]


class FhirServer(ThreadingHTTPServer):
    """Answers every path by its first step: (status, headers, body); "wait" holds the answer until the test ends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Any] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fhir"


class Handler(BaseHTTPRequestHandler):
    server: FhirServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        kind = self.path.removeprefix("/fhir/").partition("/")[0].partition("?")[0]
        answer = self.server.answers.get(kind, (404, {}, b""))
        if answer == "wait":
            self.server.released.wait(10)
            return
        if answer == "hang up":
            self.connection.close()
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        pass


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def ok(value: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/fhir+json"}, json.dumps(value).encode()


def source(server: FhirServer, **members: Any) -> HttpRecordSource:
    settings = {"token": TOKEN, "patient_id": "p 1", "encounter_id": "e1", "allowed": None, **members}
    grant = Grant(settings.pop("token")) if settings["token"] else settings.pop("token")
    patient, encounter, allowed = (settings.pop(name) for name in ("patient_id", "encounter_id", "allowed"))
    fhir = FhirAccess(Limits(**settings))
    return fhir.source(server.base, grant, patient, encounter, templates=TEMPLATES_OF_DISCHARGE, allowed=allowed)


@pytest.mark.conformance("token-presented")
def test_reads_what_is_asked_for(server: FhirServer) -> None:
    server.answers = {"Claim": ok({"resourceType": "Bundle", "total": 0}), "Patient": ok({"resourceType": "Patient"})}
    found = source(server).read([PrefetchKey.CLAIMS, PrefetchKey.PATIENT])
    assert found == {
        PrefetchKey.CLAIMS: {"resourceType": "Bundle", "total": 0},
        PrefetchKey.PATIENT: {"resourceType": "Patient"},
    }
    assert {path for path, _ in server.requests} == {
        "/fhir/Claim?patient=p%201&_sort=-created&_count=50",
        "/fhir/Patient/p%201",
    }
    assert {headers["authorization"] for _, headers in server.requests} == {f"Bearer {TOKEN}"}
    assert {headers["accept"] for _, headers in server.requests} == {"application/fhir+json"}


def test_an_open_server_gets_no_token(server: FhirServer) -> None:
    source(server, token=None).read([PrefetchKey.PATIENT])
    assert "authorization" not in server.requests[0][1]


def test_keys_that_cannot_be_asked_for_are_left_out(server: FhirServer) -> None:
    found = source(server, encounter_id=None).read([PrefetchKey.ENCOUNTER, PrefetchKey.DOCUMENTS])
    assert found == {}
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((401, {}, b"{}"), "the FHIR server answered 401"),
        ((404, {}, b""), "the FHIR server answered 404"),
        ((500, {}, b"trace"), "the FHIR server answered 500"),
        ((204, {}, b""), "the FHIR server answered 204"),
        ((302, {"Location": "http://127.0.0.1:9/elsewhere"}, b""), "the FHIR server answered 302"),
        ((200, {}, b"<html>"), "the answer of the FHIR server is not FHIR JSON"),
        ((200, {}, b""), "the answer of the FHIR server is not FHIR JSON"),
        ((200, {}, b"[]"), "the answer of the FHIR server is not FHIR JSON"),
        ((200, {}, b'"' + b"x" * 3000 + b'"'), "the answer of the FHIR server is too large"),
        ((200, {"Content-Encoding": "gzip"}, b"not gzip"), "the answer of the FHIR server is not FHIR JSON"),
        ("hang up", "the FHIR server could not be reached"),
        ("wait", "the FHIR server did not answer in time"),
    ],
)
def test_failures_say_why_and_nothing_secret(server: FhirServer, answer: Any, reason: str) -> None:
    server.answers = {"Claim": answer}
    found = source(server, read=0.2, answer_bytes=2000).read([PrefetchKey.CLAIMS])
    assert found == {PrefetchKey.CLAIMS: Unread("claims", reason)}
    assert len(server.requests) == 1


@pytest.mark.parametrize("patient", ["p1", "Patient/p1", "https://ehr.example/fhir/Patient/p1"])
def test_ids_may_come_as_references(server: FhirServer, patient: str) -> None:
    source(server, patient_id=patient).read([PrefetchKey.PATIENT])
    assert [path for path, _ in server.requests] == ["/fhir/Patient/p1"]


def test_the_log_names_no_patient(server: FhirServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = {"Claim": (200, {"X-Odd\r\nno colon here": "x"}, b"{}"), "Patient": "hang up"}
    source(server, patient_id="jane-roe").read([PrefetchKey.CLAIMS, PrefetchKey.PATIENT])
    assert len(server.requests) == 2
    assert "jane-roe" not in caplog.text
    assert TOKEN not in caplog.text


def test_one_slow_read_does_not_take_the_others_down(server: FhirServer) -> None:
    server.answers = {"Claim": "wait", "Procedure": ok({"resourceType": "Bundle"})}
    found = source(server, read=10, deadline=0.5).read([PrefetchKey.CLAIMS, PrefetchKey.PROCEDURES])
    assert found[PrefetchKey.CLAIMS] == Unread("claims", "the FHIR server did not answer in time")
    assert found[PrefetchKey.PROCEDURES] == {"resourceType": "Bundle"}


def test_a_server_that_is_not_there(server: FhirServer) -> None:
    unused = FhirAccess().source("http://127.0.0.1:1", Grant(TOKEN), "p", "e", templates=TEMPLATES_OF_DISCHARGE)
    reason = "the FHIR server could not be reached"
    assert unused.read([PrefetchKey.CLAIMS]) == {PrefetchKey.CLAIMS: Unread("claims", reason)}


@pytest.mark.parametrize("token", ["a\nb", "ü", "a\r\nX-Injected: 1"])
def test_a_token_that_is_no_header_value(server: FhirServer, token: str) -> None:
    found = source(server, token=token).read([PrefetchKey.CLAIMS])
    assert isinstance(found[PrefetchKey.CLAIMS], Unread)
    assert all("x-injected" not in headers for _, headers in server.requests)


def test_a_server_that_is_not_allowed_is_not_asked(server: FhirServer) -> None:
    found = source(server, allowed=["https://ehr.example/fhir"]).read([PrefetchKey.CLAIMS])
    assert found == {PrefetchKey.CLAIMS: Unread("claims", "this FHIR server is not one that may be asked")}
    assert server.requests == []


def test_a_record_is_completed_from_it(server: FhirServer) -> None:
    claim = {"resourceType": "Claim", "id": "1"}
    server.answers = {"Claim": ok({"resourceType": "Bundle", "entry": [{"resource": claim}]})}
    prefetch = {key.value: None for key in PrefetchKey if key not in (PrefetchKey.CLAIMS, PrefetchKey.ORDERS)}
    record = from_prefetch({"patientId": "p1"}, prefetch, source(server))
    assert record.states[PrefetchKey.CLAIMS] is KeyState.PRESENT
    assert record.states[PrefetchKey.ORDERS] is KeyState.FAILED
    assert record.unread == (Unread("orders", "the FHIR server answered 404"),)


@pytest.mark.parametrize(
    ("server", "allowed", "expected"),
    [
        ("http://127.0.0.1:8080/fhir", None, True),
        ("http://localhost/fhir", None, True),
        ("http://[::1]:8080/fhir", None, True),
        ("https://localhost", None, True),
        ("https://ehr.example/fhir", None, False),
        ("http://127.0.0.1:8080/fhir", [], False),
        ("https://ehr.example/fhir", [], False),
        ("https://ehr.example/fhir", ["https://ehr.example/fhir"], True),
        ("https://EHR.example:443/fhir/", ["https://ehr.example/fhir"], True),
        ("http://127.0.0.1:8080/fhir", ["http://127.0.0.1:8080/fhir/"], True),
        ("http://127.0.0.1:8080/fhir", ["https://ehr.example/fhir"], False),
        ("http://ehr.example/fhir", ["http://ehr.example/fhir"], False),
        ("https://ehr.example/other", ["https://ehr.example/fhir"], False),
        ("https://ehr.example/fhir/../other", ["https://ehr.example/fhir"], False),
        ("https://ehr.example:8443/fhir", ["https://ehr.example/fhir"], False),
        ("https://ehr.example.evil.example/fhir", ["https://ehr.example/fhir"], False),
        ("https://user@ehr.example/fhir", ["https://ehr.example/fhir"], False),
        ("https://ehr.example/fhir?x=1", ["https://ehr.example/fhir"], False),
        ("https://ehr.example/fhir#x", ["https://ehr.example/fhir"], False),
        ("https://ehr.example\\@evil.example/fhir", ["https://ehr.example/fhir"], False),
        ("http://localhost.evil.example/", None, False),
        ("http://127.0.0.1.evil.example/", None, False),
        ("http://2130706433/", None, False),
        ("http://0.0.0.0/", None, False),
        ("http://10.0.0.1/", None, False),
        ("file:///etc/passwd", None, False),
        ("ftp://127.0.0.1/", None, False),
        ("http://127.0.0.1:99999/", None, False),
        ("http://127.0.0.1:x/", None, False),
        ("http://[::1", None, False),
        ("http://127.0.0.1/ x", None, False),
        ("", None, False),
        ("", [""], False),
        (None, None, False),
        (3, None, False),
    ],
)
def test_allowed(server: Any, allowed: list[str] | None, expected: bool) -> None:
    assert is_allowed(server, allowed) is expected

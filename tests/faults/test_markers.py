"""Every leaf of every request carries a mark; none turns up in the log at DEBUG, in errors, metrics or the database.

The production server is called with each leaf marked alone, so that whatever refuses a call has its turn, and with all
of them marked at once. What may turn up somewhere is named here, place by place.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bench import faults
from bench.service import Answer, Service, send
from cds_service.cases import load_case
from cds_service.fhir.bundle import RESOURCE_TYPES
from cds_service.resources import cases_folder
from tests.faults.markers import HIDDEN, Marks, all_marked, marked_one_by_one
from tests.hooks.signing import BASE, EHR, PATH, jwks, token

DISCHARGE = faults.SERVICE
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
CASE = load_case(cases_folder() / "thoracotomy-addon-three-units")
WHOLE = CASE.request("encounter-discharge") | {"hookInstance": INSTANCE}
ORDER_SIGN = load_case(cases_folder() / "order-addon-alone").request("order-sign") | {"hookInstance": INSTANCE}
AUTHORIZATION = {
    "access_token": "token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "client",
}
EXTENSION = {"org.example.more": {"note": "words", "list": ["words", {"deep": "words"}]}}
FEEDBACK = {
    "feedback": [
        {
            "card": str(uuid4()),
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-02T10:05:31Z",
            "overrideReason": {
                "reason": {"code": "not-my-patient", "system": "https://example.org/reasons", "display": "Words"},
                "userComment": "Words of a clinician",
            },
        },
        {
            "card": str(uuid4()),
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": str(uuid4())}],
            "outcomeTimestamp": "2026-03-02T10:05:31Z",
        },
    ]
}
KEPT = frozenset(
    {
        *(
            "resourceType",
            "id",
            "reference",
            "status",
            "system",
            "code",
            "contentType",
            "url",
            "type",
            "use",
            "version",
        ),
        *("hook", "hookInstance", "token_type", "start", "end", "date", "created", "authoredOn", "birthDate"),
        *("performedDateTime", "effectiveDateTime", "servicedDate"),
    }
)
"""Members that decide whether a record is read at all; they are marked one by one."""

ANSWERED = re.compile(r"(prefetch|context\.draftOrders|bundle|fhir reply)\b.*")
"""Cards and assessments may quote the record, and nothing else of a call."""
KEPT_OF_FEEDBACK = re.compile(
    r"feedback feedback\[\d\]\."
    r"(card|outcomeTimestamp|acceptedSuggestions\[\d\]\.id|overrideReason\.reason\.(code|system))"
)
"""What the database keeps of feedback as it was sent; of its words nothing, unless the site wants it."""

EVERYTHING = """
import logging.config

def everything(config, configure=logging.config.dictConfig):
    loggers = {name: {**logger, "level": "DEBUG"} for name, logger in config["loggers"].items()}
    configure({**config, "loggers": loggers, "root": {"handlers": ["plain"], "level": "DEBUG"}})

logging.config.dictConfig = everything
"""
BROKEN = """
import cds_service.answers

def broken(self, *args, **kwargs):
    raise ValueError(repr((args, kwargs))) from KeyError(repr(args))

cds_service.answers.Pipeline.review_request = broken
cds_service.answers.Pipeline.review_bundle = broken
"""
BROKEN_WITHIN = """
import cds_service.fhir.exchange
import cds_service.review.engine as engine
import cds_service.store.feedback
import cds_service.store.recorder

def broken(*args, **kwargs):
    raise ValueError(repr((args, kwargs))) from KeyError(repr(args))

class Rule:
    id = "broken"
    for_orders = True
    findings = staticmethod(broken)

def run(rules, case, original=engine._run):
    return original([*rules, Rule], case)

engine._run = run
cds_service.fhir.exchange.Exchange.get = broken
cds_service.store.feedback.FeedbackStore.keep = broken
cds_service.store.recorder.Recorder._write = broken
"""


class Watched:
    """A service that is called with marks, and all that it leaves behind."""

    def __init__(self, start: Callable[..., Service], folder: Path, planted: str = "", **settings: object) -> None:
        self.marks = Marks()
        self.statuses: Counter[int] = Counter()
        self._log = folder / "log"
        self._database = folder / "cds.db"
        (folder / "sitecustomize.py").write_text(EVERYTHING + planted)
        settings = {"database_url": f"sqlite:///{self._database}", "audit_database": True, **settings}
        self._service = start(log=self._log, path=folder, **settings)

    def post(self, path: str, document: Any, **headers: str) -> Answer:
        """Send a call with marks in its headers and query, and look at the answer."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.ask("POST", f"{path}?patient={self.marks.new('the query')}", body, headers)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        answer = send(self._service.port, method, path, body, {**self._headers(), **(headers or {})})
        self.statuses[answer.status] += 1
        told = {
            name
            for name in self.marks.found(answer.body.decode())
            if answer.status >= 400 or not (ANSWERED.fullmatch(name) or name == HIDDEN)
        }
        assert told == set(), (answer.status, answer.body[:500])
        return answer

    def left_behind(self) -> tuple[str, str]:
        """Stop the service; return its log and all rows of its database, as text."""
        for path in ("/metrics", "/readyz", "/healthz", "/cds-services"):
            assert not self.marks.found(self.ask("GET", path).body.decode())
        time.sleep(1)  # rows of the audit trail are written a moment later
        self._service.stop()
        return self._log.read_text(), rows(self._database)

    def _headers(self) -> dict[str, str]:
        new = self.marks.new
        part = base64.urlsafe_b64encode(json.dumps({"sub": new("header Authorization")}).encode()).decode().rstrip("=")
        return {
            "Authorization": f"Bearer {part}.{part}.{part}",
            "Cookie": f"session={new('header Cookie')}",
            "User-Agent": new("header User-Agent"),
            "Referer": f"https://ehr.example.org/{new('header Referer')}",
            "X-Forwarded-For": new("header X-Forwarded-For"),
            "X-Request-Id": new("header X-Request-Id"),
            "Accept": f"application/json, text/{new('header Accept')}",
            "Content-Type": f"application/json; x={new('header Content-Type')}",
            "Origin": f"https://{new('header Origin')}.example",
        }


def rows(database: Path) -> str:
    if not database.exists():
        return ""
    connection = sqlite3.connect(database)
    try:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        return "\n".join(f"{name} {row}" for name in tables for row in connection.execute(f"select * from {name}"))  # noqa: S608
    finally:
        connection.close()


# A FHIR server whose every answer is marked


class MarkedServer:
    """Answers by the first step of the path; `answers` are what it can say."""

    def __init__(self, marks: Marks) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.answers = dict(replies(marks))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = connection.recv(65536).decode("latin-1")
            _, mode, _, asked = head.split()[1].split("/", 3)
            answer = self.answers[mode]
            connection.sendall(answer(re.split(r"[?/]", asked)[0]) if callable(answer) else answer)
            if mode == "late":
                connection.recv(1)

    def close(self) -> None:
        self._listener.close()


def replies(marks: Marks) -> Iterator[tuple[str, bytes | Callable[[str], bytes]]]:
    def mark(name: str) -> str:
        return marks.new(f"fhir reply {name}")

    def http(status: str, body: bytes, **headers: str) -> bytes:
        named = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Set-Cookie": mark("Set-Cookie"), "X-More": mark("a header"), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {status} {mark('reason')}\r\n{lines}\r\n".encode() + body

    record = all_marked(WHOLE["prefetch"], marks, "fhir reply", KEPT)
    types = {RESOURCE_TYPES[key]: record.get(key.value) for key in RESOURCE_TYPES}
    empty = {"resourceType": "Bundle", "type": "searchset"}
    issue = {"severity": "error", "code": "exception", "diagnostics": mark("issue"), "details": {"text": mark("text")}}
    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    odd = json.dumps({"resourceType": mark("type"), "id": mark("id")}).encode()
    codes = json.dumps({"resourceType": "OperationOutcome", "issue": [{"code": mark("issue code")}]}).encode()
    nexts = {"link": [{"relation": "next", "url": f"https://{mark('next')}.example/{mark('next')}"}]}

    yield "good", lambda kind: http("200", json.dumps(types.get(kind) or empty).encode())
    for status in (401, 403, 404, 410, 429, 500, 503):
        yield (
            str(status),
            http(str(status), outcome, WWW_Authenticate=mark("WWW-Authenticate"), Retry_After=mark("later")),
        )
    yield "redirect", http("302", b"", Location=f"https://{mark('Location')}.example/")
    yield "issue-code", http("500", codes)
    yield "outcome", http("200", outcome)
    yield "odd-type", http("200", odd)
    yield "page", http("200", mark("page").encode(), Content_Type="text/html")
    yield "odd-content-type", http("200", odd, Content_Type=mark("Content-Type"))
    yield "not-json", http("200", f'{{"x": "{mark("no JSON")}'.encode())
    yield "short", http("200", odd, Content_Length="99999")
    yield "odd-length", http("200", odd, Content_Length=mark("Content-Length"))
    yield "odd-transfer", http("200", odd, Transfer_Encoding=mark("Transfer-Encoding"))
    yield "odd-chunks", http("200", mark("chunk").encode() + b"\r\n", Transfer_Encoding="chunked")
    yield "odd-packing", http("200", odd, Content_Encoding=mark("Content-Encoding"))
    yield "broken-packing", http("200", gzip.compress(odd)[:-9], Content_Encoding="gzip")
    yield "more-pages", http("200", json.dumps({**empty, **nexts}).encode())
    yield "status-line", f"{mark('status line')} nothing\r\n\r\n".encode()
    yield "status-text", f"HTTP/1.1 {mark('status')} x\r\n\r\n".encode()
    yield "header-line", b"HTTP/1.1 200 OK\r\n" + f"{mark('header line')}\r\n: {mark('no name')}\r\n\r\n".encode() + odd
    yield "late", f"HTTP/1.1 200 OK\r\nX-Late: {mark('late header')}\r\n".encode()


@pytest.fixture
def fhir() -> Iterator[Callable[[Marks], MarkedServer]]:
    made: list[MarkedServer] = []

    def make(marks: Marks) -> MarkedServer:
        made.append(MarkedServer(marks))
        return made[-1]

    yield make
    for server in made:
        server.close()


# What is called


def calls(marks: Marks) -> Iterator[tuple[str, Any]]:
    """Every request with each of its leaves marked, alone and all at once."""
    whole = {**WHOLE, "extension": EXTENSION}
    for path, document in ((DISCHARGE, whole), (PATH, {**ORDER_SIGN, "extension": EXTENSION})):
        for _, marked in marked_one_by_one(document, marks, ""):
            yield path, marked
        for name in ("prefetch", "context"):
            yield path, {**document, name: all_marked(document[name], marks, name, KEPT)}
    for _, marked in marked_one_by_one(CASE.bundle(), marks, "bundle"):
        yield "/assessments", marked
    yield "/assessments", all_marked(CASE.bundle(), marks, "bundle", KEPT)


def refused(marks: Marks) -> Iterator[tuple[str, bytes]]:
    """Bodies that are refused before anything in them is looked at."""
    word = marks.new("a bad body")
    for body in (
        word,
        f'{{"hook": "{word}',
        f'["{word}"]',
        f'{{"{word}": "{word}"}}',
        "[" * 200 + f'"{word}"' + "]" * 200,
        f'"{word}' + "x" * 70_000 + '"',
        json.dumps({**WHOLE, "prefetch": word}),
        json.dumps({**WHOLE, "context": word}),
        json.dumps({**WHOLE, "fhirAuthorization": word}),
        json.dumps({**WHOLE, "hook": word}),
        json.dumps({"feedback": word}),
        json.dumps({"feedback": [{"card": word, "outcome": word}]}),
        json.dumps({"resourceType": word}),
    ):
        for path in (DISCHARGE, PATH, f"{DISCHARGE}/feedback", "/assessments"):
            yield path, body.encode()


def test_no_mark_of_a_call_is_left_behind(start, tmp_path):
    watched = Watched(start, tmp_path, max_body_bytes=65536, threads=2)
    for path, document in calls(watched.marks):
        watched.post(path, document)
    for path, body in refused(watched.marks):
        assert watched.post(path, body).status in (400, 413)
    for _, marked in marked_one_by_one(FEEDBACK, watched.marks, "feedback"):
        watched.post(f"{DISCHARGE}/feedback", marked)
    for path in ("/cds-services/{}", "/cds-services/{}/feedback", "/codes/{}", "/rules/{}", "/Patient/{}", "/{}"):
        for method in ("GET", "POST", "PUT", f"X{watched.marks.new('the method')}"):
            watched.ask(method, path.format(watched.marks.new("the path")), b"{}")
    for name in ("profile", "date"):
        watched.ask("POST", f"/assessments?{name}={watched.marks.new(name)}", json.dumps(CASE.bundle()).encode())
    log, database = watched.left_behind()
    assert watched.statuses[200] > 500
    assert {400, 404, 405, 413} <= set(watched.statuses)
    assert max(watched.statuses) < 500
    assert log.count('"audit":"hook"') > 300
    assert " DEBUG " in log
    assert watched.marks.found(log) == set()
    assert {name for name in watched.marks.found(database) if not KEPT_OF_FEEDBACK.fullmatch(name)} == set()
    assert any(KEPT_OF_FEEDBACK.fullmatch(name) for name in watched.marks.found(database))  # it can find some


def test_no_mark_of_a_fhir_server_or_of_its_token_is_left_behind(start, tmp_path, fhir):
    watched = Watched(start, tmp_path, fhir_deadline_s=0.4, fhir_breaker_failures=10**6, threads=2)
    server = fhir(watched.marks)
    for mode in server.answers:
        for keys in (faults.KEPT, ()):
            base = f"{server.base}/{mode}/{watched.marks.new('fhirServer')}"
            document = faults.request(base, keys, hookInstance=INSTANCE, fhirAuthorization=AUTHORIZATION)
            document["fhirAuthorization"] = all_marked(AUTHORIZATION, watched.marks, "fhirAuthorization", KEPT)
            document["fhirAuthorization"]["access_token"] = watched.marks.new("fhirAuthorization.access_token")
            assert watched.post(DISCHARGE, document).status in (200, 412)
    for _, marked in marked_one_by_one(AUTHORIZATION, watched.marks, "fhirAuthorization"):
        watched.post(DISCHARGE, faults.request(f"{server.base}/good/fhir", (), fhirAuthorization=marked))
    for address in ("http://127.0.0.1:9/{}", "https://{}.example/fhir", "http://{}", "{}", "ftp://{}/"):
        for keys in (faults.KEPT, ()):
            base = address.format(watched.marks.new("fhirServer"))
            watched.post(DISCHARGE, faults.request(base, keys, fhirAuthorization=AUTHORIZATION))
    log, database = watched.left_behind()
    assert {200, 400, 412} == set(watched.statuses)
    assert watched.marks.found(log) == set()
    assert watched.marks.found(database) == set()


def test_no_mark_of_a_token_is_left_behind(start, tmp_path):
    registration = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
    watched = Watched(start, tmp_path, trusted_clients=registration, base_url=BASE, public="none", threads=2)
    now = int(time.time())
    dated = {"iat": now, "exp": now + 300}

    def call(made: Any, path: str = PATH) -> int:
        header = made if isinstance(made, str) else f"Bearer {made.text()}"
        return watched.post(path, ORDER_SIGN, Authorization=header).status

    new = watched.marks.new
    for name in ("iss", "aud", "jti", "tenant", "sub", "exp", "iat", "nbf", "scope", new("a claim")):
        call(token(**{"jti": str(uuid4()), **dated, name: new(f"claim {name}")}))
        call(token(**{"jti": str(uuid4()), **dated, name: [new(f"claim {name}")]}))
    for name in ("alg", "kid", "typ", "jku", "x5u", "crit", new("a header")):
        call(token(header={name: new(f"header {name}")}, jti=str(uuid4()), **dated))
    call(token(jti=new("claim jti"), sign=lambda _: new("the signature").encode(), **dated))
    call(f"Bearer {new('no token')}")
    call(f"Basic {new('no token')}")
    used = token(jti=new("claim jti"), **dated)
    assert [call(used), call(used)] == [200, 401]
    for path in (f"/cds-services/{new('the path')}", f"/codes/{new('the path')}", f"/{new('the path')}"):
        call(token(jti=str(uuid4()), **dated), path)
    log, database = watched.left_behind()
    assert watched.statuses[200] > 5
    assert watched.statuses[401] > 20
    # The audit line says which client called: issuer and tenant of a token that was taken.
    assert watched.marks.found(log) == {"claim tenant"}
    assert watched.marks.found(database) == {"claim tenant"}
    assert set(re.findall(r'"client":"([^"]*)"', log)) >= {EHR}


def test_no_mark_is_left_behind_where_the_service_fails(start, tmp_path):
    watched = Watched(start, tmp_path, BROKEN, threads=2)
    for path in (DISCHARGE, PATH):
        document = WHOLE if path == DISCHARGE else ORDER_SIGN
        assert watched.post(path, all_marked(document, watched.marks, "", KEPT)).status == 500
    assert watched.post("/assessments", all_marked(CASE.bundle(), watched.marks, "bundle", KEPT)).status == 500
    log, database = watched.left_behind()
    assert log.count("ValueError at ") == 3
    assert watched.marks.found(log) == set()
    assert watched.marks.found(database) == set()


def test_no_mark_is_left_behind_where_a_part_of_it_fails(start, tmp_path):
    """A rule, a read from a FHIR server, the database of feedback, and what is written in the background."""
    watched = Watched(start, tmp_path, BROKEN_WITHIN, threads=2)
    marked = {**WHOLE, "prefetch": all_marked(WHOLE["prefetch"], watched.marks, "prefetch", KEPT)}
    assert watched.post(DISCHARGE, marked).status == 200
    base = f"http://127.0.0.1:9/{watched.marks.new('fhirServer')}"
    authorization = {**AUTHORIZATION, "access_token": watched.marks.new("access_token")}
    for keys, status in ((faults.KEPT, 200), ((), 412)):
        document = faults.request(base, keys, fhirAuthorization=authorization)
        assert watched.post(DISCHARGE, document).status == status
    assert watched.post(f"{DISCHARGE}/feedback", marked_comments(watched.marks)).status == 500
    log, database = watched.left_behind()
    assert "rule broken failed with ValueError" in log
    assert "a read from the FHIR server failed: ValueError" in log
    assert "writing in the background failed: ValueError" in log
    assert watched.marks.found(log) == set()
    assert watched.marks.found(database) == set()


@pytest.mark.parametrize("clients", [False, True], ids=["anybody", "clients"])
def test_no_mark_is_left_behind_where_the_database_is_down(start, tmp_path, clients):
    (tmp_path / "state").write_text("in the way")
    settings = {"trusted_clients": json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}]), "base_url": BASE}
    secret = "ZqMarker00000"  # of the password in the address
    database = f"postgresql+psycopg://cds:{secret}@127.0.0.1:9/{secret}" if clients else f"sqlite:///{tmp_path}/state/x"
    watched = Watched(start, tmp_path, database_url=database, threads=2, **(settings if clients else {}))
    assert watched.marks.new("the database's password") == secret
    document = all_marked(ORDER_SIGN, watched.marks, "", KEPT)
    now = int(time.time())
    made = token(jti=watched.marks.new("claim jti"), iat=now, exp=now + 300).text()
    assert watched.post(PATH, document, Authorization=f"Bearer {made}").status == (503 if clients else 200)
    if not clients:
        assert (
            watched.post(f"{DISCHARGE}/feedback", all_marked(FEEDBACK, watched.marks, "feedback", KEPT)).status == 400
        )
        assert watched.post(f"{DISCHARGE}/feedback", marked_comments(watched.marks)).status == 503
    log, _ = watched.left_behind()
    assert "the database is not available" in log
    assert watched.marks.found(log) == set()


def marked_comments(marks: Marks) -> Any:
    return all_marked(FEEDBACK, marks, "feedback", frozenset({"outcome", "outcomeTimestamp"}))

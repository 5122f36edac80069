"""A thousand mixed requests at once to two workers of four threads: each is answered as it is alone.

The answers to compare with are those of a service with one worker and one thread, asked one by one. All requests of the
samples take part, with their prefetch and without (then read from a FHIR server), besides Bundles, feedback, discovery,
pages and broken bodies; each round sends them in another order, some of them several times.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from bench.service import Service
from cds_service.cases import Case, load_case
from cds_service.fhir.bundle import RESOURCE_TYPES
from cds_service.resources import cases_folder
from cds_service.store.schema import FEEDBACK

SERVICES = {
    "order-sign": "/cds-services/paravertebral-order-sign",
    "encounter-discharge": "/cds-services/paravertebral-encounter-discharge",
}
DISCHARGE = SERVICES["encounter-discharge"]
WORKERS, THREADS, CALLERS, REQUESTS = 2, 4, 16, 1000
ROUNDS = range(4)


@dataclass(frozen=True)
class Request:
    """One request; `name` says which in a failure."""

    name: str
    path: str
    body: bytes | None = None
    method: str = "POST"


@dataclass(frozen=True)
class Response:
    status: int
    kind: str | None
    body: bytes


class FhirServer(ThreadingHTTPServer):
    """Has the prefetch of each sample below an address of its own: `/sample/hook/Type`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), FhirHandler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.records = records


class FhirHandler(BaseHTTPRequestHandler):
    server: FhirServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address, _, asked = self.path.lstrip("/").partition("/fhir/")
        kind = asked.partition("?")[0].partition("/")[0]
        key = next(key.value for key, name in RESOURCE_TYPES.items() if name == kind)
        found = self.server.records[address].get(key) or {"resourceType": "Bundle", "type": "searchset"}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def cases() -> list[Case]:
    return [load_case(path.parent) for path in sorted(cases_folder().glob("*/case.toml"))]


def of_hooks(base: str) -> Iterator[Request]:
    for case in cases():
        for hook in case.hooks:
            whole = case.request(hook)
            yield Request(f"{case.id} {hook}", SERVICES[hook], encoded(whole))
            without = {name: value for name, value in whole.items() if name != "prefetch"}
            server = {"fhirServer": f"{base}/{case.id}/{hook}/fhir"}
            yield Request(f"{case.id} {hook} read", SERVICES[hook], encoded({**without, **server}))
            yield Request(f"{case.id} {hook} bare", SERVICES[hook], encoded(without))


def of_others() -> Iterator[Request]:
    for case in cases():
        yield Request(f"{case.id} bundle", "/assessments", encoded(case.bundle()))
        yield Request(f"{case.id} medicare", "/assessments?profile=medicare", encoded(case.bundle()))
    for number in range(60):
        entry = {"card": f"card-{number}", "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:05:31Z"}
        yield Request(f"feedback {number}", f"{DISCHARGE}/feedback", encoded({"feedback": [entry]}))
    for path in ("/cds-services", "/healthz", "/codes/64461", "/codes/64462", "/rules/mue-exceeded", "/rules", "/none"):
        yield Request(path, path, method="GET")


def of_the_broken() -> Iterator[Request]:
    whole = cases()[0].request("encounter-discharge")
    broken: dict[str, bytes] = {
        "cut": encoded(whole)[:-1],
        "no-text": b"\xff\xfe{}",
        "empty": b"",
        "list": b"[]",
        "deep": b"[" * 500 + b"]" * 500,
        "no-object": encoded({**whole, "context": []}),
        "no-instance": encoded({name: value for name, value in whole.items() if name != "hookInstance"}),
        "other-hook": encoded({**whole, "hook": "patient-view"}),
        "no-address": encoded({**whole, "fhirServer": "ftp://x"}),
        "prefetch-list": encoded({**whole, "prefetch": [1]}),
    }
    for name, body in broken.items():
        for path in (*SERVICES.values(), f"{DISCHARGE}/feedback", "/assessments", "/cds-services/none"):
            yield Request(f"{name} to {path}", path, body)


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture(scope="module")
def every() -> Iterator[list[Request]]:
    records = {f"{case.id}/{hook}": case.request(hook).get("prefetch") or {} for case in cases() for hook in case.hooks}
    with FhirServer(records) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield [*of_hooks(server.base), *of_others(), *of_the_broken()]
        server.shutdown()
        thread.join()


def settings(threads: int, database: Path) -> dict[str, object]:
    return {
        "threads": threads,
        "database_url": f"sqlite:///{database}",
        "base_url": "https://cds.example.org",  # the addresses in cards must not hold a port
        "fhir_deadline_s": 30,  # a machine that is busy changes no answer
        "fhir_read_timeout_s": 30,
        "fhir_connect_timeout_s": 30,
    }


@pytest.fixture(scope="module")
def alone(start, every, tmp_path_factory) -> dict[Request, Response]:
    """The answer to each request, asked one by one."""
    service = start(workers=1, **settings(1, tmp_path_factory.mktemp("alone") / "cds.db"))
    with closing(Caller(service)) as caller:
        return {request: caller.ask(request) for request in every}


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("together") / "cds.db"


@pytest.fixture(scope="module")
def together(start, database) -> Service:
    # Python lets a thread run for 5 ms before another has its turn, longer than most of what is done with shared state.
    (database.parent / "sitecustomize.py").write_text("import sys\nsys.setswitchinterval(0.00001)\n")
    return start(workers=WORKERS, path=database.parent, **settings(THREADS, database))


class Caller:
    """One kept connection."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)

    def ask(self, request: Request) -> Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self._connection.request(request.method, request.path, request.body, headers)
        response = self._connection.getresponse()
        return Response(response.status, response.getheader("Content-Type"), response.read())

    def close(self) -> None:
        self._connection.close()


def test_there_is_enough_of_everything(every, alone):
    assert len(every) > REQUESTS
    statuses = Counter(response.status for response in alone.values())
    assert set(statuses) == {200, 400, 404, 412}
    assert min(statuses.values()) > 5
    # What is read from a FHIR server gives the cards that the prefetch gives.
    named = {request.name: alone[request] for request in every}
    read = [name for name in named if name.endswith(" read")]
    assert sum(named[name] == named[name.removesuffix(" read")] for name in read) > len(read) / 2
    assert len({response.body for response in alone.values()}) > len(every) / 3


@pytest.mark.parametrize("order", ROUNDS)
def test_a_thousand_at_once_are_answered_as_one_by_one(every, alone, together, order):
    chance = random.Random(order)  # noqa: S311 - no secret is made of it
    requests = chance.sample(every, REQUESTS - 200)
    requests += chance.choices(requests, k=200)  # the same at the same time, as hooks are fired again
    chance.shuffle(requests)
    share = (len(requests) + CALLERS - 1) // CALLERS
    shares = [requests[begin : begin + share] for begin in range(0, len(requests), share)]

    def ask(some: list[Request]) -> list[Response]:
        with closing(Caller(together)) as caller:
            return [caller.ask(request) for request in some]

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = [answer for some in callers.map(ask, shares) for answer in some]
    different = [
        (request.name, alone[request].status, answer.status)
        for request, answer in zip(requests, answers, strict=True)
        if answer != alone[request]
    ]
    assert different == []


def test_every_worker_answered(together):
    """Both have used their processor: what was compared came from more than one."""
    assert len(together.workers()) == WORKERS
    assert all(together.cpu_seconds(pid) > 1 for pid in together.workers())


def test_feedback_that_came_several_times_at_once_is_kept_once(together, every, database):
    with closing(Caller(together)) as caller:
        answers = [caller.ask(request) for request in every if request.name.startswith("feedback")]
    assert {answer.status for answer in answers} == {200}
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        cards = connection.execute(select(FEEDBACK.c.card)).scalars().all()
    engine.dispose()
    assert sorted(cards) == sorted(f"card-{number}" for number in range(60))

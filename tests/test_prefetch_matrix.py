"""Every prefetch key in every state, beside every kind of FHIR server, through the hook as clients call it.

The server is a real one on loopback. What is held: which requests it gets, the status, the cards, and that what could
not be had is told with its reason. Services of others have failed here: cqf-ruler took a prefetch of which only a part
was sent as complete, HAPI and the CRD reference implementation failed on an OperationOutcome in it, and AHRQ's stopped
for good at a request without any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.cases import load_case
from cds_service.fhir.bundle import RESOURCE_TYPES
from cds_service.fhir.record import PrefetchKey
from cds_service.resources import cases_folder
from cds_service.settings import Settings

DISCHARGE = "/cds-services/paravertebral-encounter-discharge"
CASE = load_case(cases_folder() / "thoracotomy-addon-three-units")
ORDER: Final = load_case(cases_folder() / "order-addon-three-units").request("order-sign")
ORDER_SIGN = "/cds-services/paravertebral-order-sign"
WHOLE: Final[dict[str, Any]] = CASE.request("encounter-discharge")["prefetch"]
TOKEN = "token-that-nobody-may-see"
KEYS = tuple(key.value for key in PrefetchKey)
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "about-jane-roe"}],
}
LATE = "the FHIR server did not answer in time"


class FhirServer(ThreadingHTTPServer):
    """Serves what the case's prefetch holds by read, by search, and as a second page; `mode` is how it behaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}/fhir"
        self.start("open")

    def handle_error(self, *args: object) -> None:
        """Say nothing of callers that hung up: that is what is tested."""

    def start(self, mode: str, record: dict[str, Any] | None = None) -> None:
        self.mode = mode
        self.record = record or WHOLE
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.released = Event()


class Handler(BaseHTTPRequestHandler):
    server: FhirServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append(url.path.removeprefix("/fhir/"))
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.mode == "slow":
            self.server.released.wait(5)
        if self.server.mode.isdecimal():
            return self._answer(int(self.server.mode), OUTCOME)
        if self.server.mode == "token" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, OUTCOME)
        kind = url.path.removeprefix("/fhir/").partition("/")[0]
        if kind == "page":
            return self._answer(200, as_bundle(self.server.record[parse_qs(url.query)["of"][0]]))
        key = next(key for key, name in RESOURCE_TYPES.items() if name == kind)
        return self._answer(200, self.server.record.get(key.value) or {"resourceType": "Bundle", "type": "searchset"})

    def _answer(self, status: int, resource: Any) -> None:
        body = json.dumps(resource).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: the test's output is not a server's log."""


@pytest.fixture(scope="module")
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def clients(server: FhirServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[FlaskClient, FlaskClient]:
    """Return a client of a service with time to read, and one of a service with hardly any."""
    database = f"sqlite:///{tmp_path_factory.mktemp('store') / 'feedback.db'}"
    shared: dict[str, Any] = {
        "database_url": database,
        "fhir_servers": (server.base,),
        "fhir_breaker_failures": 10**6,
    }
    patient, hasty = (Settings(**shared, fhir_deadline_s=seconds) for seconds in (10, 0.1))
    return create_app(patient).test_client(), create_app(hasty).test_client()


def as_bundle(value: Any) -> dict[str, Any]:
    if value is not None and value["resourceType"] == "Bundle":
        return dict(value)
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": value}] if value else []}


def in_state(state: str, key: str, base: str, whole: dict[str, Any] = WHOLE) -> dict[str, Any]:
    """Return the prefetch of the case with one key in a state."""
    # A first page without any resource: what counts is on the second.
    link = {"relation": "next", "url": f"{base}/page?of={key}"}
    values: dict[str, Any] = {
        "null": None,
        "empty": {"resourceType": "Bundle", "type": "searchset", "total": 0},
        "outcome": OUTCOME,
        "paged": {"resourceType": "Bundle", "type": "searchset", "link": [link]},
        "no-resource": "odd",
        "other-type": {"resourceType": "Basic", "id": "b"},
    }
    others = {name: value for name, value in whole.items() if name != key}
    return others if state == "absent" else {**others, key: values[state]}


STATES = ("absent", "null", "empty", "outcome", "paged", "no-resource", "other-type")
ASKED_FOR = {"absent", "paged", "other-type"}
SERVERS = {
    "none": None,
    "open": None,
    "token": None,
    "slow": LATE,
    "401": "the FHIR server answered 401",
    "500": "the FHIR server answered 500",
}


def call(
    prefetch: dict[str, Any], server: FhirServer, mode: str, request: dict[str, Any] | None = None
) -> dict[str, Any]:
    request = request or CASE.request("encounter-discharge")
    body = {**request, "prefetch": prefetch}
    if mode != "none":
        body["fhirServer"] = server.base
    if mode == "token":
        scopes = {"scope": "patient/*.read", "subject": "us", "expires_in": 300, "token_type": "Bearer"}
        body["fhirAuthorization"] = {"access_token": TOKEN, **scopes}
    server.start(mode, request["prefetch"])
    return body


@pytest.mark.conformance(
    "prefetch-completed",
    "prefetch-null",
    "prefetch-operation-outcome",
    "prefetch-pages",
    "fhir-access",
    "token-presented",
    "token-transient",
)
@pytest.mark.parametrize("mode", SERVERS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_a_state_beside_a_server(
    clients: tuple[FlaskClient, FlaskClient], server: FhirServer, key: str, state: str, mode: str
) -> None:
    answer = clients[mode == "slow"].post(DISCHARGE, json=call(in_state(state, key, server.base), server, mode))
    server.released.set()

    assert answer.status_code == 200
    said = answer.get_data(as_text=True)
    expected_path = "page" if state == "paged" else RESOURCE_TYPES[PrefetchKey(key)]
    asked = [path.partition("/")[0] for path in server.asked]
    # On a busy machine so short a deadline may end before the request is sent.
    assert asked == ([expected_path] if state in ASKED_FOR and mode != "none" else []) or (mode == "slow" and not asked)
    assert server.tokens <= {f"Bearer {TOKEN}" if mode == "token" else None}
    if state in ASKED_FOR and mode in ("open", "token"):
        whole = clients[False].post(DISCHARGE, json=CASE.request("encounter-discharge")).get_json()
        assert answer.get_json() == whole
    if state in ASKED_FOR and SERVERS[mode]:
        assert f"{key}: " in said
        assert SERVERS[mode] in said
    if state == "paged" and mode == "none":
        assert f"{key}: only the first page" in said
    if state == "outcome":
        assert f"{key}: reading it failed" in said
    if state == "no-resource":
        assert f"{key}: not a FHIR resource" in said
    for secret in (TOKEN, server.base, "jane-roe"):
        assert secret not in said


@pytest.mark.parametrize("mode", SERVERS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", [key for key in KEYS if key != "encounter"])
def test_a_key_in_a_state_beside_a_server_when_a_block_is_ordered(
    clients: tuple[FlaskClient, FlaskClient], server: FhirServer, key: str, state: str, mode: str
) -> None:
    """Draft orders need patient and coverage: nothing else is read. Told is a coverage that could not be read."""
    prefetch = in_state(state, key, server.base, ORDER["prefetch"])
    answer = clients[mode == "slow"].post(ORDER_SIGN, json=call(prefetch, server, mode, ORDER))
    server.released.set()

    assert answer.status_code == 200
    needed = key in ("patient", "coverage")
    expected_path = "page" if state == "paged" else RESOURCE_TYPES[PrefetchKey(key)]
    asked = [path.partition("/")[0] for path in server.asked]
    assert asked == ([expected_path] if needed and state in ASKED_FOR and mode != "none" else [])
    assert server.tokens <= {f"Bearer {TOKEN}" if mode == "token" else None}
    whole = clients[False].post(ORDER_SIGN, json=ORDER).get_json()
    assert [card["summary"] for card in answer.get_json()["cards"]] == [card["summary"] for card in whole["cards"]]
    if needed and state in ASKED_FOR and mode in ("open", "token"):
        assert answer.get_json() == whole
    if key == "coverage" and state in ASKED_FOR and SERVERS[mode]:
        assert f"{key}: " in answer.get_data(as_text=True)
        assert SERVERS[mode] in answer.get_data(as_text=True)
    for secret in (TOKEN, server.base, "jane-roe"):
        assert secret not in answer.get_data(as_text=True)


def test_ids_longer_than_fhir_allows_are_followed(clients: tuple[FlaskClient, FlaskClient]) -> None:
    """Epic's are; a hundred characters more in each id and reference change nothing but these."""
    request = CASE.request("encounter-discharge")
    long = json.loads(json.dumps(request).replace(CASE.id, CASE.id + "x" * 100))
    plain, found = (clients[False].post(DISCHARGE, json=body).get_json() for body in (request, long))
    assert [card["summary"] for card in found["cards"]] == [card["summary"] for card in plain["cards"]]
    assert found["cards"]


@pytest.mark.conformance("prefetch-precondition-failed", "3.0-error-outcome")
@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        pytest.param("none", "no fhirServer is named", id="none"),
        pytest.param("slow", LATE, id="slow"),
        pytest.param("401", "answered 401 (exception)", id="401"),
        pytest.param("403", "answered 403 (exception)", id="403"),
        pytest.param("404", "answered 404 (exception)", id="404"),
        pytest.param("410", "answered 410 (exception)", id="410"),
        pytest.param("500", "answered 500 (exception)", id="500"),
    ],
)
def test_where_nothing_could_be_had_412_says_why(
    clients: tuple[FlaskClient, FlaskClient], server: FhirServer, mode: str, reason: str
) -> None:
    answer = clients[mode == "slow"].post(DISCHARGE, json=call({}, server, mode))
    server.released.set()
    assert answer.status_code == 412
    told = {issue["expression"][0]: issue["details"]["text"] for issue in answer.get_json()["issue"]}
    assert set(told) == {"prefetch.procedures", "prefetch.claims", "prefetch.documents"}
    assert all(reason in text for text in told.values())
    assert "jane-roe" not in answer.get_data(as_text=True)


@pytest.mark.conformance("request-prefetch-optional", "prefetch-completed")
@pytest.mark.parametrize("prefetch", [..., None, {}, {"patient": None}], ids=["no-member", "null", "empty", "one-null"])
def test_a_request_without_prefetch_is_completed_like_any_other(
    clients: tuple[FlaskClient, FlaskClient], server: FhirServer, prefetch: Any
) -> None:
    body = call(prefetch, server, "open")
    if prefetch is ...:
        del body["prefetch"]
    answer = clients[False].post(DISCHARGE, json=body)
    whole = clients[False].post(DISCHARGE, json=CASE.request("encounter-discharge")).get_json()
    assert [card["summary"] for card in answer.get_json()["cards"]] == [card["summary"] for card in whole["cards"]]

"""Hooks fired without prefetch: read from the FHIR server where it may be asked, else refused with the reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.cases import load_case
from cds_service.resources import cases_folder
from cds_service.settings import load_settings
from tests.hooks.signing import BASE, EHR, jwks, token

DISCHARGE = "/cds-services/paravertebral-encounter-discharge"
ORDER_SIGN = "/cds-services/paravertebral-order-sign"
CASE = load_case(cases_folder() / "thoracotomy-addon-three-units")


class FhirServer(BaseHTTPRequestHandler):
    """Serves the resources of one case by read and by search on patient; counts what it is asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        FhirServer.asked.append(url.path)
        kind, _, identifier = url.path.removeprefix("/fhir/").partition("/")
        found = [entry["resource"] for entry in CASE.bundle()["entry"] if entry["resource"]["resourceType"] == kind]
        if identifier:
            found = [resource for resource in found if resource["id"] == identifier]
            return self._answer(200 if found else 404, found[0] if found else {"resourceType": "OperationOutcome"})
        assert "patient" in parse_qs(url.query)
        entries = [{"resource": resource} for resource in found]
        return self._answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": entries})

    def _answer(self, status: int, resource: dict[str, Any]) -> None:
        body = json.dumps(resource).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: the test's output is not a server's log."""


class Listener(ThreadingHTTPServer):
    """Takes all reads of a hook at once; the usual five lose some, which come again a second later: too late."""

    request_queue_size = 64


@pytest.fixture
def fhir_server() -> Iterator[str]:
    FhirServer.asked.clear()
    with Listener(("127.0.0.1", 0), FhirServer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/fhir"
        server.shutdown()
        thread.join()


def discharge(**changes: Any) -> dict[str, Any]:
    body = CASE.request("encounter-discharge")
    del body["prefetch"]
    return {**body, **changes}


@pytest.mark.conformance("prefetch-or-fhir-server")
def test_what_was_not_sent_is_read_from_the_fhir_server(client: FlaskClient, fhir_server: str) -> None:
    sent = client.post(DISCHARGE, json=CASE.request("encounter-discharge")).json
    read = client.post(DISCHARGE, json=discharge(fhirServer=fhir_server)).json
    assert [card["summary"] for card in read["cards"]] == [card["summary"] for card in sent["cards"]]
    assert "/fhir/Claim" in FhirServer.asked


@pytest.mark.conformance("prefetch-null")
def test_a_key_that_was_looked_for_is_not_asked_for_again(client: FlaskClient, fhir_server: str) -> None:
    prefetch = {**CASE.request("encounter-discharge")["prefetch"], "claims": None}
    client.post(DISCHARGE, json=discharge(fhirServer=fhir_server, prefetch=prefetch))
    assert "/fhir/Claim" not in FhirServer.asked


def test_orders_about_something_else_cost_no_read(client: FlaskClient, fhir_server: str) -> None:
    body = load_case(cases_folder() / "order-unrelated").request("order-sign")
    answer = client.post(ORDER_SIGN, json={**body, "prefetch": {}, "fhirServer": fhir_server})
    assert answer.json == {"cards": []}
    assert FhirServer.asked == []


def test_orders_of_a_block_cost_only_what_they_need(client: FlaskClient, fhir_server: str) -> None:
    body = load_case(cases_folder() / "order-addon-alone").request("order-sign")
    answer = client.post(ORDER_SIGN, json={**body, "prefetch": {}, "fhirServer": fhir_server})
    assert answer.json["cards"]
    assert sorted(path.removeprefix("/fhir/").partition("/")[0] for path in FhirServer.asked) == ["Coverage", "Patient"]


def test_orders_beside_a_block_that_was_sent_in_part_are_judged_by_the_whole(
    client: FlaskClient, fhir_server: str
) -> None:
    orders = load_case(cases_folder() / "order-unrelated").request("order-sign")["context"]["draftOrders"]
    body = CASE.request("encounter-discharge")
    body = {**body, "hook": "order-sign", "context": {**body["context"], "draftOrders": orders}}
    sent = client.post(ORDER_SIGN, json=body).json["cards"]
    part = {"procedures": body["prefetch"]["procedures"]}
    read = client.post(ORDER_SIGN, json={**body, "prefetch": part, "fhirServer": fhir_server}).json["cards"]
    assert sent
    assert [card["uuid"] for card in read] == [card["uuid"] for card in sent]
    assert "/fhir/Claim" in FhirServer.asked


def test_a_coverage_that_cannot_be_read_is_told_with_the_orders(client: FlaskClient) -> None:
    body = load_case(cases_folder() / "order-addon-alone").request("order-sign")
    answer = client.post(ORDER_SIGN, json={**body, "prefetch": {}, "fhirServer": "http://127.0.0.1:9/fhir"})
    assert "coverage: the FHIR server could not be reached" in answer.get_data(as_text=True)


@pytest.mark.conformance("prefetch-precondition-failed")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "no fhirServer is named"),
        ({"fhirServer": "https://ehr.example.org/fhir"}, "allow-list"),
        ({"fhirServer": "http://127.0.0.1:9/fhir"}, "failed"),
        ({"prefetch": {"patient": {"resourceType": "Patient", "id": "1"}}}, "no fhirServer is named"),
    ],
)
def test_without_any_of_it_the_answer_is_412_with_the_reason(
    changes: dict[str, Any], reason: str, client: FlaskClient
) -> None:
    answer = client.post(DISCHARGE, json=discharge(**changes))
    assert answer.status_code == 412
    assert answer.json["resourceType"] == "OperationOutcome"
    assert all(reason in issue["details"]["text"] for issue in answer.json["issue"])
    assert {issue["expression"][0] for issue in answer.json["issue"]} == {
        "prefetch.procedures",
        "prefetch.claims",
        "prefetch.documents",
    }


@pytest.mark.parametrize("key", ["procedures", "claims", "documents"])
def test_one_of_them_is_enough_for_an_answer(key: str, client: FlaskClient) -> None:
    assert client.post(DISCHARGE, json=discharge(prefetch={key: None})).json == {"cards": []}


def test_what_was_done_may_come_among_the_draft_orders(client: FlaskClient) -> None:
    sent = client.post(DISCHARGE, json=CASE.request("encounter-discharge")).json["cards"]
    done = [e for e in CASE.bundle()["entry"] if e["resource"]["resourceType"] != "ServiceRequest"]
    context = {
        **CASE.request("encounter-discharge")["context"],
        "draftOrders": {"resourceType": "Bundle", "entry": done},
    }
    body = {
        "hook": "order-sign",
        "hookInstance": CASE.request("encounter-discharge")["hookInstance"],
        "context": context,
    }
    read = client.post(ORDER_SIGN, json=body).json["cards"]
    assert [card["summary"] for card in read] == [card["summary"] for card in sent]
    assert not any("suggestions" in card for card in read)


@pytest.mark.parametrize(
    ("shared", "own", "status"),
    [
        pytest.param("https://elsewhere.example/r4", ["{server}"], 200, id="its own server"),
        pytest.param("{server}", None, 200, id="the server of all"),
        pytest.param("{server}", [], 412, id="none of its own"),
        pytest.param("{server}", ["https://elsewhere.example/r4"], 412, id="another of its own"),
        pytest.param("", None, 412, id="none of all"),
    ],
)
def test_a_registered_client_names_its_own_servers(
    shared: str, own: list[str] | None, status: int, fhir_server: str, tmp_path: Path
) -> None:
    registration = {"issuer": EHR, "jwks": jwks("P-384")}
    if own is not None:
        registration["fhir_servers"] = [address.format(server=fhir_server) for address in own]
    app = create_app(
        load_settings(
            trusted_clients=json.dumps([registration]),
            fhir_servers=shared.format(server=fhir_server),
            base_url=BASE,
            database_url=f"sqlite:///{tmp_path / 'cds.db'}",
        )
    )
    now = int(time.time())
    signed = token(aud=BASE + DISCHARGE, iat=now, exp=now + 300, jti=str(uuid4())).text()
    answer = app.test_client().post(
        DISCHARGE, json=discharge(fhirServer=fhir_server), headers={"Authorization": f"Bearer {signed}"}
    )
    assert answer.status_code == status
    assert bool(FhirServer.asked) is (status == 200)

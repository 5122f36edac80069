"""The whole service with registered clients: what needs a token, and that no token is taken twice by anybody."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from cds_service.app import ALWAYS_OPEN, PARTS, create_app
from cds_service.settings import PUBLIC_PARTS, SettingsError, load_settings, refuse_unsafe, unsafe_reasons
from tests.hooks.signing import BASE, EHR, PATH, jwks, token

REGISTRATION = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
FEEDBACK = {"feedback": [{"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:05:31Z"}]}
ORDER_SIGN = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p", "draftOrders": {"resourceType": "Bundle", "entry": []}},
    "prefetch": {"patient": {"resourceType": "Patient", "id": "p"}},
}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": []}
ALWAYS_CLOSED = [
    ("POST", PATH, ORDER_SIGN),
    ("POST", f"{PATH}/feedback", FEEDBACK),
    ("POST", "/assessments", BUNDLE),
]
OPENED = {
    "discovery": ["/cds-services", "/cds-services/"],
    "pages": ["/codes", "/codes/64461", "/rules", "/rules/mue-exceeded"],
    "metrics": ["/metrics"],
}


def make(folder: Path, **options: Any) -> Flask:
    database = f"sqlite:///{folder / 'state' / 'cds.db'}"
    options = {"trusted_clients": REGISTRATION, "base_url": BASE, "database_url": database, **options}
    return create_app(load_settings(**options))


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """The service with everything closed that can be."""
    return make(tmp_path_factory.mktemp("closed"), public="none")


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return make(tmp_path_factory.mktemp("usual"))


def authorization(path: str) -> dict[str, str]:
    now = int(time.time())
    made = token(aud=BASE + path.rstrip("/"), iat=now, exp=now + 300, jti=str(uuid4()))
    return {"Authorization": f"Bearer {made.text()}"}


@pytest.mark.conformance("security-authentication", "jwt-every-call", "feedback-authenticated")
@pytest.mark.parametrize(("method", "path", "body"), ALWAYS_CLOSED)
@pytest.mark.parametrize("app", ["closed", "usual"])
def test_what_is_about_patients_always_needs_a_token(request, app, method, path, body):
    client = request.getfixturevalue(app).test_client()
    assert client.open(path, method=method, json=body).status_code == 401
    assert client.open(path, method=method, json=body, headers=authorization(path)).status_code == 200


@pytest.mark.conformance("discovery-other-status", "jwt-every-call")
@pytest.mark.parametrize(("part", "path"), [(part, path) for part, paths in OPENED.items() for path in paths])
def test_discovery_and_pages_are_open_unless_closed_and_metrics_closed_unless_opened(closed, usual, part, path):
    assert usual.test_client().get(path).status_code == (401 if part == "metrics" else 200)
    assert closed.test_client().get(path).status_code == 401
    assert closed.test_client().get(path, headers=authorization(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_load_balancer_needs_no_token(closed, path):
    assert closed.test_client().get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", PATH, 405)])
def test_what_is_not_there_is_said_as_ever(closed, method, path, status):
    assert closed.test_client().open(path, method=method).status_code == status


def test_every_address_that_is_not_opened_by_name_needs_a_token(closed):
    """A route somebody adds later is closed unless it is named."""
    client = closed.test_client()
    answers = {}
    for rule in closed.url_map.iter_rules():
        path = rule.rule.replace("<", "").replace(">", "").replace("path:", "")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answers[rule.endpoint] = client.open(path, method=method).status_code
    assert {endpoint for endpoint, status in answers.items() if status != 401} == ALWAYS_OPEN


def test_every_part_that_can_be_opened_is_known():
    assert set(PARTS) == set(PUBLIC_PARTS)


def test_without_registered_clients_anyone_may_call(tmp_path):
    client = make(tmp_path, trusted_clients=()).test_client()
    for method, path, body in ALWAYS_CLOSED:
        assert client.open(path, method=method, json=body).status_code == 200
        assert client.open(path, method=method, json=body, headers={"Authorization": "Bearer x"}).status_code == 200


def test_without_registered_clients_no_cryptography_is_loaded(tmp_path):
    code = (
        "import sys; from cds_service.app import create_app; from cds_service.settings import load_settings; "
        f"create_app(load_settings(trusted_clients=(), database_url='sqlite:///{tmp_path}/cds.db')); "
        "sys.exit(str([name for name in ('jwt', 'cryptography') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


# --- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("jwt-jti")
def test_a_token_used_before_a_restart_is_not_taken_after_it(tmp_path):
    headers = authorization(PATH)
    statuses = [make(tmp_path).test_client().post(PATH, json=ORDER_SIGN, headers=headers).status_code for _ in range(2)]
    assert statuses == [200, 401]


def _call(folder: Path, headers: list[dict[str, str]], start: Any, answers: Any) -> None:
    client = make(folder).test_client()

    def status(header: dict[str, str]) -> int:
        # On a busy machine the other process may hold the file for longer than a request waits: then 503, as ever.
        statuses = (client.post(PATH, json=ORDER_SIGN, headers=header).status_code for _ in range(20))
        return next(status for status in statuses if status != 503)

    start.wait(60)
    answers.put([status(each) for each in headers])


def test_of_two_processes_one_takes_the_token(tmp_path):
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(2), context.Queue()
    headers = [authorization(PATH) for _ in range(25)]
    workers = [context.Process(target=_call, args=(tmp_path, headers, start, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    first, second = (answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert [sorted(pair) for pair in zip(first, second, strict=True)] == [[200, 401]] * 25


@pytest.mark.conformance("discovery-endpoint")
def test_a_database_that_is_down_stops_calls_and_readiness_but_not_what_is_open(tmp_path):
    (tmp_path / "state").write_text("in the way")
    client = make(tmp_path).test_client()
    assert client.post(PATH, json=ORDER_SIGN, headers=authorization(PATH)).status_code == 503
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert client.get("/cds-services").status_code == 200
    (tmp_path / "state").unlink()
    assert client.post(PATH, json=ORDER_SIGN, headers=authorization(PATH)).status_code == 200
    assert client.get("/readyz").status_code == 200


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("security-authentication")
def test_with_registered_clients_and_https_in_front_it_may_listen_beyond_loopback():
    options = {"host": "10.0.0.1", "base_url": BASE}
    refuse_unsafe(load_settings(trusted_clients=REGISTRATION, **options))
    with pytest.raises(SettingsError, match="CDS_TRUSTED_CLIENTS"):
        refuse_unsafe(load_settings(**options))


@pytest.mark.conformance("transport-tls", "transport-fhir-tls")
@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ({}, "CDS_BASE_URL"),
        ({"base_url": "http://cds.example.org"}, "CDS_BASE_URL"),
        ({"base_url": BASE, "cors_origins": "*"}, "CDS_CORS_ORIGINS"),
        ({"base_url": BASE, "fhir_servers": "http://fhir.example.org/r4"}, "CDS_FHIR_SERVERS"),
    ],
)
def test_registered_clients_make_nothing_else_safe(options, variable):
    (reason,) = unsafe_reasons(load_settings(host="10.0.0.1", trusted_clients=REGISTRATION, **options))
    assert variable in reason


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("CDS_TRUSTED_CLIENTS", "/nowhere", "is neither JSON nor a file"),
        ("CDS_TRUSTED_CLIENTS", '[{"issuer": "Marker", "jwks": {}}]', r"issuers\[0\]\.jwks: is not a JWKS"),
        ("CDS_PUBLIC", "discovery hooks", "must be some of discovery, pages, metrics, or none"),
        ("CDS_PUBLIC", "none pages", "must be some of"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(monkeypatch, variable, value, complaint):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable}: {complaint}") as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    assert "Marker" not in str(caught.value)

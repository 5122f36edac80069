"""What a request may hold, and how many a client may send: more is refused early, and said clearly."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import load_settings
from tests.hooks.signing import BASE, EHR, PATH, jwks, token

ORDER_SIGN = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p", "draftOrders": {"resourceType": "Bundle", "entry": []}},
}
ADDRESSES = (PATH, f"{PATH}/feedback", "/assessments")


def make(folder: Any, **options: Any) -> Flask:
    return create_app(load_settings(database_url=f"sqlite:///{folder / 'cds.db'}", **options))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return make(tmp_path_factory.mktemp("small"), max_json_depth=20, max_resources=10).test_client()


def refusal(answer: Any) -> tuple[int, str]:
    (issue,) = answer.get_json()["issue"]
    return answer.status_code, issue["code"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 21 + b"]" * 21, id="lists"),
        pytest.param(b'{"a":' * 21 + b"1" + b"}" * 21, id="objects"),
        pytest.param(b'{"a":[' * 11 + b"1" + b"]}" * 11, id="both"),
        pytest.param(b'{"\\"": "x", "a":' + b"[" * 20 + b"]" * 20 + b"}", id="after-an-escaped-quote"),
        pytest.param(b'{"]]]]]]]]]]": ' + b"[" * 20 + b"]" * 20 + b"}", id="hidden-by-brackets-in-a-name"),
        pytest.param(b"[" * 5_000_000, id="five-million"),
        pytest.param(b'{"a":' * 500_000, id="never-closed"),
        pytest.param(b'"' + b"[" * 30, id="in-a-string-never-closed"),
    ],
)
def test_a_body_that_is_too_deep(small: FlaskClient, address: str, body: bytes) -> None:
    began = time.monotonic()
    answer = small.post(address, data=body)
    assert time.monotonic() - began < 2
    assert refusal(answer) == (400, "structure")


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"a": "[" * 50}, id="brackets-in-a-string"),
        pytest.param({"a": '"' * 3 + "{" * 50 + "\\"}, id="after-quotes"),
        pytest.param({"[" * 50: 1}, id="in-a-name"),
        pytest.param({"a": [[]] * 500}, id="side-by-side"),
        pytest.param({"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}, id="as-deep-as-allowed"),
    ],
)
def test_one_that_is_not(small: FlaskClient, extra: dict[str, Any]) -> None:
    assert small.post(PATH, json={**ORDER_SIGN, "extension": extra}).status_code == 200


def bundle(*resources: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


PATIENT = {"resourceType": "Patient", "id": "p"}


@pytest.mark.parametrize(
    ("prefetch", "status"),
    [
        pytest.param({"procedures": bundle(*[PATIENT] * 8)}, 200, id="as-many-as-allowed"),
        pytest.param({"procedures": bundle(*[PATIENT] * 9)}, 413, id="one-more"),
        pytest.param({f"key{n}": PATIENT for n in range(10)}, 413, id="keys"),
        pytest.param({f"key{n}": None for n in range(100)}, 200, id="keys-without-a-resource"),
        pytest.param({"a": bundle(*[PATIENT] * 4), "b": bundle(*[PATIENT] * 4)}, 413, id="together"),
        pytest.param({"a": bundle(bundle(*[PATIENT] * 10))}, 413, id="bundle-in-a-bundle"),
        pytest.param({"a": {**PATIENT, "contained": [PATIENT] * 10}}, 413, id="contained"),
        pytest.param({"a": {"entry": {"resource": PATIENT}, "contained": 3}}, 200, id="no-lists"),
    ],
)
def test_the_resources_of_a_request_are_counted(small: FlaskClient, prefetch: Any, status: int) -> None:
    answer = small.post(PATH, json={**ORDER_SIGN, "prefetch": prefetch})
    assert answer.status_code == status
    if status == 413:
        assert refusal(answer) == (413, "too-costly")


def test_those_among_the_orders_and_in_a_bundle_as_well(small: FlaskClient) -> None:
    context = {**ORDER_SIGN["context"], "draftOrders": bundle(*[PATIENT] * 10)}  # type: ignore[dict-item]
    assert refusal(small.post(PATH, json={**ORDER_SIGN, "context": context})) == (413, "too-costly")
    assert refusal(small.post("/assessments", json=bundle(*[PATIENT] * 10))) == (413, "too-costly")
    assert small.post("/assessments", json=bundle(*[PATIENT] * 9)).status_code == 200


@pytest.fixture
def limited(tmp_path: Any) -> FlaskClient:
    return make(tmp_path, rate_limit="3/hour").test_client()


def test_a_client_that_sends_too_many_is_told_when_to_come_back(limited: FlaskClient) -> None:
    statuses = [limited.post(PATH, json=ORDER_SIGN).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = limited.get("/cds-services")
    assert refusal(answer) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 3601


def test_another_client_is_not(limited: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "10.9.8.7"}
    assert [limited.post(PATH, json=ORDER_SIGN).status_code for _ in range(4)][-1] == 429
    assert limited.post(PATH, json=ORDER_SIGN, environ_base=elsewhere).status_code == 200


def test_a_header_makes_nobody_another_client(limited: FlaskClient) -> None:
    statuses = [
        limited.post(PATH, json=ORDER_SIGN, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(4)
    ]
    assert statuses[-1] == 429


def test_load_balancers_and_preflights_are_not_counted(limited: FlaskClient) -> None:
    for _ in range(5):
        assert limited.get("/healthz").status_code == 200
        assert limited.get("/readyz").status_code == 200
        assert limited.options(PATH).status_code in (200, 204)


def test_without_the_setting_nobody_is_counted(small: FlaskClient) -> None:
    assert {small.get("/cds-services").status_code for _ in range(50)} == {200}


def test_an_issuer_is_one_client_from_wherever_it_calls(tmp_path: Any) -> None:
    registration = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
    app = make(tmp_path, rate_limit="3/hour", trusted_clients=registration, base_url=BASE)
    statuses = []
    for place in range(4):
        now = int(time.time())
        signed = token(aud=BASE + PATH, iat=now, exp=now + 300, jti=str(uuid4())).text()
        headers = {"Authorization": f"Bearer {signed}"}
        elsewhere = {"REMOTE_ADDR": f"10.0.0.{place}"}
        statuses.append(
            app.test_client().post(PATH, json=ORDER_SIGN, headers=headers, environ_base=elsewhere).status_code
        )
    assert statuses == [200, 200, 200, 429]

"""CDS Hooks requires a service to let browser clients call it."""

from __future__ import annotations

import pytest

PATHS = [
    "/cds-services",
    "/cds-services/paravertebral-order-sign",
    "/cds-services/paravertebral-order-sign/feedback",
    "/assessments",
]
EHR = "https://ehr.example.org"


def preflight(client, path, origin):
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )


@pytest.mark.conformance("cors")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("origins", "answer"), [((EHR,), EHR), (("*",), "*"), (("https://a.example", EHR), EHR)])
def test_a_preflight_of_an_allowed_origin_is_answered(make_app, fake, path, origins, answer):
    response = preflight(make_app(fake, cors_origins=origins).test_client(), path, EHR)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == answer
    assert response.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origins", [(), ("https://other.example",), ("https://ehr.example.org.evil.example",)])
def test_other_origins_get_no_leave(make_app, fake, path, origins):
    client = make_app(fake, cors_origins=origins).test_client()
    for response in (preflight(client, path, EHR), client.get("/cds-services", headers={"Origin": EHR})):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.conformance("cors")
def test_answers_and_errors_are_readable_for_an_allowed_page(make_app, fake, order_sign):
    client = make_app(fake, cors_origins=(EHR,)).test_client()
    service = "/cds-services/paravertebral-order-sign"
    fine = client.post(service, json=order_sign, headers={"Origin": EHR})
    errors = [
        client.post(service, json={}, headers={"Origin": EHR}),
        client.post("/cds-services/other", json={}, headers={"Origin": EHR}),
        client.get(service, headers={"Origin": EHR}),
        client.get(f"{service}/nowhere/at/all", headers={"Origin": EHR}),
    ]
    assert [response.status_code for response in (fine, *errors)] == [200, 400, 404, 405, 404]
    for response in (fine, *errors):
        assert response.headers["Access-Control-Allow-Origin"] == EHR
        assert "Origin" in response.headers["Vary"]


def test_a_cache_is_told_that_the_answer_depends_on_the_origin(make_app, fake):
    response = make_app(fake, cors_origins=(EHR,)).test_client().get("/cds-services")
    assert response.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_addresses_outside_the_protocol_are_not_opened(make_app, fake):
    response = make_app(fake, cors_origins=("*",)).test_client().get("/healthz", headers={"Origin": EHR})
    assert "Access-Control-Allow-Origin" not in response.headers

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.hooks.outcome import ProtocolError
from cds_service.hooks.request import HookRequest, RequestReader
from cds_service.hooks.services import SERVICES

READERS = {service.hook: RequestReader(service) for service in SERVICES}
SCHEMAS = {hook: Draft202012Validator(resources.schema(f"{hook}-request")) for hook in READERS}

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=4)
    | st.sampled_from(["", "Bundle", "order-sign"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def one_of_or_junk(*usual: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(usual) | junk


def requests() -> st.SearchStrategy[dict[str, Any]]:
    """Requests whose members are mostly right, sometimes absent, sometimes anything at all."""
    context = st.fixed_dictionaries(
        {},
        optional={
            "userId": one_of_or_junk("Practitioner/1"),
            "patientId": one_of_or_junk("p1"),
            "encounterId": one_of_or_junk("e1"),
            "draftOrders": one_of_or_junk({"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": [{}]}),
        },
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "hook": one_of_or_junk("order-sign", "encounter-discharge"),
            "hookInstance": one_of_or_junk("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"),
            "context": context | junk,
            "prefetch": one_of_or_junk({}, {"patient": {"resourceType": "Patient"}}),
            "fhirServer": one_of_or_junk("https://fhir.example.org/r4", "HTTP://a", "https://", "http:///x"),
            "fhirAuthorization": one_of_or_junk({"access_token": "t"}, {"access_token": ""}),
            "extension": junk,
        },
    )


@pytest.mark.parametrize("hook", READERS)
@given(document=requests())
def test_the_quick_check_and_the_schema_agree(hook, document):
    body = json.dumps(document).encode()
    if SCHEMAS[hook].is_valid(document):
        assert READERS[hook].read(body).hook == hook
    else:
        with pytest.raises(ProtocolError) as caught:
            READERS[hook].read(body)
        assert caught.value.status == 400


@given(document=requests(), path=st.sampled_from(["order-sign", "encounter-discharge"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_makes_the_service_fail(shared_client, document, path):
    response = shared_client.post(f"/cds-services/paravertebral-{path}", json=document)
    assert response.status_code in {200, 400}
    assert response.get_json().get("cards") == [] or response.get_json()["resourceType"] == "OperationOutcome"


@given(body=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_the_service_fail(shared_client, body):
    for path in (
        "/cds-services/paravertebral-order-sign",
        "/cds-services/paravertebral-order-sign/feedback",
        "/assessments",
    ):
        assert shared_client.post(path, data=body).status_code == 400


def read(document: dict[str, Any]) -> HookRequest:
    return READERS[document["hook"]].read(json.dumps(document).encode())


def test_a_plain_request_is_read(discharge):
    request = read(discharge)
    assert request.context == {"userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1"}
    assert (request.prefetch, request.fhir_server, request.fhir_authorization, request.extension) == (
        None,
        None,
        None,
        {},
    )


@pytest.mark.parametrize("value", [None, ""])
def test_context_members_without_a_value_are_absent(order_sign, value):
    order_sign["context"]["encounterId"] = value
    assert "encounterId" not in read(order_sign).context


def test_prefetch_keeps_null_apart_from_absent(order_sign):
    order_sign["prefetch"] = {"claims": None}
    request = read(order_sign)
    assert request.prefetch == {"claims": None}


@pytest.mark.conformance("request-authorization", "token-transient")
def test_the_token_is_read_and_never_shown(order_sign):
    order_sign |= {
        "fhirServer": "https://fhir.example.org/r4",
        "fhirAuthorization": {
            "access_token": "TOKEN-1",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/Procedure.read",
            "subject": "cds-service",
            "patient": "PATIENT-1",
        },
    }
    request = read(order_sign)
    assert request.fhir_server == "https://fhir.example.org/r4"
    authorization = request.fhir_authorization
    assert authorization is not None
    assert (authorization.access_token, authorization.expires_in) == ("TOKEN-1", 300)
    assert (authorization.scope, authorization.subject, authorization.patient) == (
        "user/Procedure.read",
        "cds-service",
        "PATIENT-1",
    )
    for secret in ("TOKEN-1", "PATIENT-1", "p1"):
        assert secret not in repr(request)


@pytest.mark.parametrize(("seconds", "expected"), [(300, 300), ("300", None), (None, None), (True, None), (1.5, None)])
def test_an_odd_lifetime_is_not_stated(order_sign, seconds, expected):
    order_sign |= {"fhirServer": "https://f.example", "fhirAuthorization": {"access_token": "t", "expires_in": seconds}}
    authorization = read(order_sign).fhir_authorization
    assert authorization is not None
    assert authorization.expires_in == expected


def test_at_most_twenty_issues_are_listed():
    with pytest.raises(ProtocolError) as caught:
        READERS["order-sign"].read(json.dumps({"fhirServer": 1, "prefetch": 1, "extension": 1, "context": {}}).encode())
    assert 5 <= len(caught.value.issues) <= 20
    assert len(set(caught.value.issues)) == len(caught.value.issues)

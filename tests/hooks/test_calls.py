"""CDS Hooks 2.0, calling a service: the status of every kind of call, and nothing about patients in errors."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.hooks.outcome import MissingDataError

ORDER_SIGN = "/cds-services/paravertebral-order-sign"
DISCHARGE = "/cds-services/paravertebral-encounter-discharge"


def assert_outcome(response, status, code, place=None):
    assert response.status_code == status
    assert response.mimetype == "application/json"
    outcome = response.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    issues = outcome["issue"]
    assert all(issue["severity"] == "error" and issue["details"]["text"] for issue in issues)
    assert code in {issue["code"] for issue in issues}
    if place is not None:
        assert place in [expression for issue in issues for expression in issue.get("expression", ())]


def test_nothing_to_say_is_an_empty_list_of_cards(client, order_sign, discharge):
    assert client.post(ORDER_SIGN, json=order_sign).data == b'{"cards":[]}'
    assert client.post(DISCHARGE, json=discharge).data == b'{"cards":[]}'


@pytest.mark.conformance("json-nothing-empty", "json-optional-left-out")
def test_cards_come_back_without_empty_members(client, fake, card, discharge):
    fake.cards = [card | {"links": [], "detail": "", "extension": {"a": {"b": None}}}]
    response = client.post(DISCHARGE, json=discharge)
    document = response.get_json()
    Draft202012Validator(resources.schema("response"), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        document
    )
    assert not {"links", "detail", "extension"} & set(document["cards"][0])


@pytest.mark.conformance("request-context")
def test_the_request_reaches_the_service_whole(client, fake, order_sign):
    order_sign["prefetch"] = {"patient": {"resourceType": "Patient"}, "claims": None}
    order_sign["extension"] = {"com.example": {"a": 1}}
    client.post(ORDER_SIGN, json=order_sign)
    (request,) = fake.requests
    assert (request.service_id, request.hook) == ("paravertebral-order-sign", "order-sign")
    assert request.context == order_sign["context"]
    assert request.prefetch == order_sign["prefetch"]
    assert request.extension == order_sign["extension"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/fhir+json", "text/plain", "", "application/x-www-form-urlencoded"]
)
def test_any_content_type_will_do_where_the_body_is_json(client, order_sign, content_type):
    response = client.post(ORDER_SIGN, data=json.dumps(order_sign), content_type=content_type)
    assert response.status_code == 200


def test_a_byte_order_mark_is_no_obstacle(client, order_sign):
    assert client.post(ORDER_SIGN, data=b"\xef\xbb\xbf" + json.dumps(order_sign).encode()).status_code == 200


@pytest.mark.conformance("json-exchange", "3.0-error-outcome")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"{'hook': 1}",
        b'{"a": NaN}',
        b"\xff\xfe{}",
        b'{"a":1}{"b":2}',
        b'{"a":1,}',
        b"[" * 5000,
        b"[1]",
        b"null",
        b'"x"',
        b"7",
    ],
)
def test_a_body_that_is_no_json_object_is_400(client, body):
    assert_outcome(client.post(ORDER_SIGN, data=body), 400, "structure")


@pytest.mark.conformance("request-hook", "request-hook-instance", "request-context")
@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_a_missing_member_is_400_and_named(client, order_sign, member):
    del order_sign[member]
    assert_outcome(client.post(ORDER_SIGN, json=order_sign), 400, "required", member)


@pytest.mark.conformance("order-sign-context")
@pytest.mark.parametrize("member", ["userId", "patientId", "draftOrders"])
def test_a_missing_member_of_the_order_sign_context_is_400_and_named(client, order_sign, member):
    del order_sign["context"][member]
    assert_outcome(client.post(ORDER_SIGN, json=order_sign), 400, "required", f"context.{member}")


@pytest.mark.conformance("encounter-discharge-context")
@pytest.mark.parametrize("member", ["userId", "patientId", "encounterId"])
def test_a_missing_member_of_the_discharge_context_is_400_and_named(client, discharge, member):
    del discharge["context"][member]
    assert_outcome(client.post(DISCHARGE, json=discharge), 400, "required", f"context.{member}")


@pytest.mark.conformance("request-hook", "request-fhir-server-with-token", "extension-object")
@pytest.mark.parametrize(
    ("member", "value", "code", "place"),
    [
        ("hook", "order-select", "value", "hook"),
        ("hook", "encounter-discharge", "value", "hook"),
        ("hook", 7, "value", "hook"),
        ("hookInstance", "", "value", "hookInstance"),
        ("hookInstance", 12, "structure", "hookInstance"),
        ("context", [], "structure", "context"),
        ("context", "p1", "structure", "context"),
        ("prefetch", [], "structure", "prefetch"),
        ("prefetch", "none", "structure", "prefetch"),
        ("extension", "none", "structure", "extension"),
        ("fhirServer", 7, "structure", "fhirServer"),
        ("fhirServer", "", "value", "fhirServer"),
        ("fhirServer", "file:///etc/passwd", "value", "fhirServer"),
        ("fhirAuthorization", "token", "structure", "fhirAuthorization"),
        ("fhirAuthorization", {"access_token": "t"}, "required", "fhirServer"),
    ],
)
def test_a_wrong_member_is_400_and_named(client, order_sign, member, value, code, place):
    order_sign[member] = value
    assert_outcome(client.post(ORDER_SIGN, json=order_sign), 400, code, place)


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("patientId", "", "context.patientId"),
        ("patientId", None, "context.patientId"),
        ("patientId", {"reference": "Patient/1"}, "context.patientId"),
        ("userId", 3, "context.userId"),
        ("encounterId", 3, "context.encounterId"),
        ("draftOrders", None, "context.draftOrders"),
        ("draftOrders", [], "context.draftOrders"),
        ("draftOrders", {}, "context.draftOrders.resourceType"),
        ("draftOrders", {"resourceType": "ServiceRequest"}, "context.draftOrders.resourceType"),
        ("draftOrders", {"resourceType": "Bundle", "entry": {}}, "context.draftOrders.entry"),
    ],
)
def test_a_wrong_member_of_the_context_is_400_and_named(client, order_sign, member, value, place):
    order_sign["context"][member] = value
    response = client.post(ORDER_SIGN, json=order_sign)
    assert response.status_code == 400
    assert place in [expression for issue in response.get_json()["issue"] for expression in issue["expression"]]


@pytest.mark.conformance("request-fhir-server-with-token")
def test_authorization_without_a_fhir_server_is_400(client, order_sign):
    order_sign["fhirServer"] = None
    order_sign["fhirAuthorization"] = {"access_token": "t"}
    assert client.post(ORDER_SIGN, json=order_sign).status_code == 400


@pytest.mark.conformance("request-authorization")
@pytest.mark.parametrize("authorization", [{}, {"access_token": ""}, {"access_token": 7}, {"token_type": "Bearer"}])
def test_authorization_without_a_token_is_400(client, order_sign, authorization):
    order_sign |= {"fhirServer": "https://fhir.example.org", "fhirAuthorization": authorization}
    assert client.post(ORDER_SIGN, json=order_sign).status_code == 400


ODD_BUT_FINE = {
    "no encounterId": {"context": {"encounterId": None}},
    "empty encounterId": {"context": {"encounterId": ""}},
    "Bundle without type or entry": {"context": {"draftOrders": {"resourceType": "Bundle"}}},
    "empty coding": {
        "context": {
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [{"resource": {"resourceType": "ServiceRequest", "code": {"coding": [{}]}}}],
            }
        }
    },
    "order without intent": {
        "context": {
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest"}}]}
        }
    },
    "nonsense among the orders": {
        "context": {"draftOrders": {"resourceType": "Bundle", "entry": [None, 7, {"resource": []}]}}
    },
    "id of 200 characters": {"context": {"patientId": "e" * 200}},
    "user by PractitionerRole": {"context": {"userId": "PractitionerRole/A2340113"}},
    "unknown members": {"context": {"other": 1}, "more": {"a": [None]}},
    "prefetch null": {"prefetch": None},
    "prefetch value null": {"prefetch": {"patient": None}},
    "prefetch value of a wrong type": {"prefetch": {"patient": 7, "claims": []}},
    "prefetch OperationOutcome": {"prefetch": {"claims": {"resourceType": "OperationOutcome"}}},
    "unknown prefetch key": {"prefetch": {"devices": {"resourceType": "Bundle"}}},
    "hookInstance version 1": {"hookInstance": "fa1c9c0a-a56d-11ec-a3bb-460231621f93"},
    "hookInstance that is no UUID": {"hookInstance": "f3945c39-dfbe-444f-ba6d-3e05e123b2va"},
    "fhirServer only": {"fhirServer": "http://localhost:8080/fhir"},
    "fhirServer null": {"fhirServer": None, "fhirAuthorization": None, "extension": None},
    "scope and subject missing": {"fhirServer": "https://f.example/r4", "fhirAuthorization": {"access_token": "t"}},
    "expires_in as text": {
        "fhirServer": "https://f.example/r4",
        "fhirAuthorization": {"access_token": "t", "expires_in": "300", "scope": 7},
    },
}


@pytest.mark.conformance("request-hook-instance", "request-authorization", "extension-unknown")
@pytest.mark.parametrize("odd", ODD_BUT_FINE.values(), ids=ODD_BUT_FINE)
def test_what_real_clients_send_is_not_refused(client, order_sign, odd):
    document = order_sign | odd | {"context": order_sign["context"] | odd.get("context", {})}
    assert client.post(ORDER_SIGN, json=document).status_code == 200


@pytest.mark.conformance("response-other-status", "3.0-error-outcome")
def test_an_unknown_service_is_404(client, order_sign):
    assert_outcome(client.post("/cds-services/other", json=order_sign), 404, "not-found")
    assert_outcome(client.post("/cds-services/other/feedback", json={}), 404, "not-found")
    assert_outcome(client.get("/nowhere"), 404, "not-found")


@pytest.mark.conformance("response-other-status", "3.0-error-outcome")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ORDER_SIGN),
        ("put", ORDER_SIGN),
        ("delete", ORDER_SIGN),
        ("post", "/cds-services"),
        ("get", ORDER_SIGN + "/feedback"),
        ("get", "/assessments"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(client, method, path):
    response = client.open(path, method=method)
    assert_outcome(response, 405, "not-supported")
    assert ("POST" in response.headers["Allow"]) != (method == "post")


@pytest.mark.conformance("response-other-status", "3.0-error-outcome")
@pytest.mark.parametrize("path", [ORDER_SIGN, ORDER_SIGN + "/feedback", "/assessments"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_413(make_app, fake, path, announced):
    client = make_app(fake, max_body_bytes=100).test_client()
    options = {} if announced else {"environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}}
    assert_outcome(client.post(path, data=b"[" + b" " * 100, **options), 413, "too-long")


def test_a_body_at_the_limit_is_read(make_app, fake, order_sign):
    body = json.dumps(order_sign).encode()
    assert make_app(fake, max_body_bytes=len(body)).test_client().post(ORDER_SIGN, data=body).status_code == 200


@pytest.mark.conformance("prefetch-precondition-failed", "3.0-error-outcome")
def test_data_that_could_not_be_had_is_412_and_the_key_is_named(client, fake, discharge):
    fake.error = MissingDataError(("patient", "encounter"), "The FHIR server did not answer.")
    response = client.post(DISCHARGE, json=discharge)
    assert_outcome(response, 412, "required", "prefetch.patient")
    assert [issue["expression"] for issue in response.get_json()["issue"]] == [
        ["prefetch.patient"],
        ["prefetch.encounter"],
    ]


@pytest.mark.conformance("response-other-status", "3.0-error-outcome", "json-exchange")
def test_an_internal_error_is_500_with_an_id_and_no_patient_data_anywhere(client, fake, discharge, caplog):
    fake.error = KeyError("Jane Doe, born 1968")
    discharge["context"]["patientId"] = "secret-patient"
    response = client.post(DISCHARGE, json=discharge)
    assert_outcome(response, 500, "exception")
    error_id = response.get_json()["issue"][0]["details"]["text"].split()[2].rstrip(";")
    assert error_id in caplog.text
    assert "KeyError" in caplog.text
    for secret in ("Jane", "1968", "secret-patient"):
        assert secret not in caplog.text
        assert secret not in response.text
    assert "Traceback" not in response.text + caplog.text


def test_complaints_never_repeat_what_was_sent(client, order_sign):
    order_sign |= {"hook": "Jane-Doe", "fhirServer": "ftp://jane-doe", "prefetch": "Jane-Doe"}
    order_sign["context"] |= {"patientId": ["Jane-Doe"], "draftOrders": {"resourceType": "Jane-Doe"}}
    assert "jane" not in client.post(ORDER_SIGN, json=order_sign).text.lower()

from __future__ import annotations

from datetime import date

import pytest

from cds_service.hooks.outcome import BadBundleError

BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": []}


@pytest.mark.parametrize(
    ("query", "profile", "day"),
    [
        ("", None, None),
        ("?profile=medicare", "medicare", None),
        ("?date=2026-03-02&profile=", None, date(2026, 3, 2)),
    ],
)
def test_a_bundle_and_its_options_reach_the_assessment(client, fake, query, profile, day):
    response = client.post(f"/assessments{query}", json=BUNDLE)
    assert (response.status_code, response.data) == (200, b'{"assessments":[]}')
    assert fake.assessed == [(BUNDLE, profile, day)]


def test_lists_of_an_assessment_stay_although_empty(client, fake):
    fake.assessments = [{"blocks": [], "findings": []}]
    assert client.post("/assessments", json=BUNDLE).get_json() == {"assessments": [{"blocks": [], "findings": []}]}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"resourceType":"Claim"}', b'{"resourceType":["Bundle"]}'])
def test_what_is_no_bundle_is_400(client, fake, body):
    response = client.post("/assessments", data=body)
    assert response.status_code == 400
    assert response.get_json()["resourceType"] == "OperationOutcome"
    assert fake.assessed == []


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "02.03.2026", "2026"])
def test_a_date_that_is_none_is_400(client, text):
    response = client.post(f"/assessments?date={text}", json=BUNDLE)
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["expression"] == ["date"]


@pytest.mark.parametrize("status", [400, 422])
def test_a_bundle_that_cannot_be_used_is_refused_with_a_reason(client, fake, status):
    fake.error = BadBundleError("There is no profile of this name.", "profile", status)
    response = client.post("/assessments?profile=acme", json=BUNDLE)
    assert response.status_code == status
    assert response.get_json()["issue"] == [
        {
            "severity": "error",
            "code": "value",
            "details": {"text": "There is no profile of this name."},
            "expression": ["profile"],
        }
    ]


def test_the_reason_of_a_bad_bundle_is_a_value_error():
    assert isinstance(BadBundleError("No entry."), ValueError)

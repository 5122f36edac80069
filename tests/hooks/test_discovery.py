"""CDS Hooks 2.0, discovery."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.hooks.services import SERVICES, Service

SCHEMA = Draft202012Validator(resources.schema("discovery"))


@pytest.mark.conformance("discovery-endpoint")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_answers_200_with_json(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    SCHEMA.validate(response.get_json())


def test_each_hook_has_a_service_with_an_id_of_its_own(client):
    services = client.get("/cds-services").get_json()["services"]
    assert [(service["id"], service["hook"]) for service in services] == [
        ("paravertebral-order-sign", "order-sign"),
        ("paravertebral-encounter-discharge", "encounter-discharge"),
    ]


@pytest.mark.conformance("discovery-none")
def test_a_server_without_services_lists_none(make_app, fake):
    response = make_app(fake, services=()).test_client().get("/cds-services")
    assert (response.status_code, response.get_json()) == (200, {"services": []})


def test_a_service_says_in_words_which_fhir_version_it_reads(client):
    for service in client.get("/cds-services").get_json()["services"]:
        assert "R4" in service["usageRequirements"]
        assert service["title"]


def test_prefetch_templates_are_passed_on_in_their_order(make_app, fake):
    prefetch = {"patient": "Patient/{{context.patientId}}", "claims": "Claim?patient={{context.patientId}}"}
    services = tuple(replace(service, prefetch=prefetch) for service in SERVICES)
    response = make_app(fake, services=services).test_client().get("/cds-services")
    SCHEMA.validate(response.get_json())
    assert [list(service["prefetch"].items()) for service in response.get_json()["services"]] == [
        list(prefetch.items())
    ] * 2


@pytest.mark.conformance("json-optional-left-out")
def test_members_without_a_value_are_left_out():
    assert Service(id="s", hook="order-sign", title="t", description="d").to_json() == {
        "hook": "order-sign",
        "id": "s",
        "title": "t",
        "description": "d",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"services": {}},
        {"services": [{"hook": "h", "id": "i"}]},
        {"services": [{"hook": "h", "id": "i", "description": ""}]},
        {"services": [{"hook": "h", "id": "i", "description": "d", "prefetch": {}}]},
        {
            "services": [
                {"hook": "h", "id": "i", "description": "d", "prefetch": {"a": "Patient/{{context.draftOrders}}"}}
            ]
        },
        {"services": [{"hook": "h", "id": "i", "description": "d", "prefetch": {"a": "Patient/{{%other.id}}"}}]},
    ],
)
def test_the_schema_refuses_what_discovery_must_not_say(wrong):
    assert not SCHEMA.is_valid(wrong)

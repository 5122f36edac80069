"""CDS Hooks 2.0, discovery."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.fhir.record import PrefetchKey
from cds_service.hooks.services import ENCOUNTER_DISCHARGE_SERVICE, ORDER_SIGN_SERVICE, SERVICES, Service


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_answers_200_with_json(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    Draft202012Validator(resources.schema("discovery")).validate(response.get_json())


def test_each_hook_has_a_service_with_an_id_of_its_own(client):
    services = client.get("/cds-services").get_json()["services"]
    assert [(service["id"], service["hook"]) for service in services] == [
        ("paravertebral-order-sign", "order-sign"),
        ("paravertebral-encounter-discharge", "encounter-discharge"),
    ]


def test_a_service_says_in_words_which_fhir_version_it_reads(client):
    for service in client.get("/cds-services").get_json()["services"]:
        assert "R4" in service["usageRequirements"]
        assert service["title"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
def test_prefetch_keys_are_those_of_the_contract(service):
    assert set(service.prefetch) <= {str(key) for key in PrefetchKey}


def test_discharge_asks_for_every_key():
    assert list(ENCOUNTER_DISCHARGE_SERVICE.prefetch) == [str(key) for key in PrefetchKey]


TEMPLATES = [(service, key, template) for service in SERVICES for key, template in service.prefetch.items()]


@pytest.mark.parametrize(("service", "key", "template"), TEMPLATES)
def test_templates_use_only_root_level_tokens_of_the_hook(service, key, template):
    tokens = set(re.findall(r"\{\{(.*?)\}\}", template))
    assert tokens
    assert tokens <= {"context.userId", "context.patientId", "context.encounterId"}


def test_only_the_encounter_itself_depends_on_the_optional_encounter_id_of_order_sign():
    dependent = [key for key, template in ORDER_SIGN_SERVICE.prefetch.items() if "encounterId" in template]
    assert dependent == ["encounter"]


@pytest.mark.parametrize(("service", "key", "template"), TEMPLATES)
def test_templates_stay_in_the_interoperable_search_subset(service, key, template):
    kind, _, query = template.partition("?")
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\})?", kind)
    for parameter in filter(None, query.split("&")):
        name, _, value = parameter.partition("=")
        assert re.fullmatch(r"_sort|_count|[a-z]+", name), "no chaining, no modifiers, no _include, no _has"
        assert value


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
    assert not Draft202012Validator(resources.schema("discovery")).is_valid(wrong)

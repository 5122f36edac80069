"""What CDS Hooks asks of discovery, held against what the whole service answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

TOKEN = re.compile(r"\{\{(.*?)\}\}")
CONTEXT_TOKENS = {
    "order-sign": {"context.userId", "context.patientId", "context.encounterId"},
    "encounter-discharge": {"context.userId", "context.patientId", "context.encounterId"},
}
"""What the definition of each hook allows as a token; the draft orders are not among it."""
USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
SEARCHABLE = {"patient": "reference", "encounter": "reference", "context": "reference", "status": "token"}
"""The parameters used, with their type in R4 (https://hl7.org/fhir/R4/searchparameter-registry.html)."""
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def answer(client: FlaskClient) -> Any:
    return client.get("/cds-services")


@pytest.fixture(scope="module")
def services(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.get_json()["services"]
    assert found
    return found


@pytest.fixture(scope="module")
def templates(services: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(service["hook"], query) for service in services for query in service["prefetch"].values()]


@pytest.mark.conformance("discovery-success", "json-exchange")
def test_discovery_answers_200_in_json(answer: Any) -> None:
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.data.decode("utf-8").startswith("{")


@pytest.mark.conformance("json-plain")
def test_it_is_plain_json(answer: Any) -> None:
    json.loads(answer.data, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.conformance("discovery-services")
def test_it_lists_services(answer: Any) -> None:
    document = answer.get_json()
    assert isinstance(document, dict)
    assert isinstance(document["services"], list)


@pytest.mark.conformance("discovery-hook")
def test_each_service_names_its_hook(services: list[dict[str, Any]]) -> None:
    assert [service["hook"] for service in services] == ["order-sign", "encounter-discharge"]


@pytest.mark.conformance("discovery-id")
def test_each_service_has_an_id(services: list[dict[str, Any]]) -> None:
    assert all(isinstance(service["id"], str) and service["id"] for service in services)


@pytest.mark.conformance("discovery-title")
def test_each_service_has_a_title(services: list[dict[str, Any]]) -> None:
    assert all(isinstance(service["title"], str) and service["title"] for service in services)


@pytest.mark.conformance("discovery-description")
def test_each_service_is_described(services: list[dict[str, Any]]) -> None:
    assert all(isinstance(service["description"], str) and service["description"] for service in services)


@pytest.mark.conformance("discovery-usage-requirements")
def test_each_service_says_what_it_needs(services: list[dict[str, Any]]) -> None:
    assert all("FHIR R4" in service["usageRequirements"] for service in services)


@pytest.mark.conformance("discovery-id-is-address")
def test_each_service_answers_its_hook_at_the_address_of_its_id(
    client: FlaskClient, services: list[dict[str, Any]]
) -> None:
    context = {
        "userId": "Practitioner/1",
        "patientId": "p",
        "encounterId": "e",
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": []},
    }
    for service in services:
        body = {
            "hook": service["hook"],
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": context,
            "prefetch": {"procedures": None, "claims": None, "documents": None},
        }
        assert client.post(f"/cds-services/{service['id']}", json=body).get_json() == {"cards": []}


@pytest.mark.conformance("discovery-prefetch")
def test_templates_go_from_key_to_query(services: list[dict[str, Any]]) -> None:
    for service in services:
        assert service["prefetch"]
        assert all(isinstance(query, str) and query for query in service["prefetch"].values())


@pytest.mark.conformance("prefetch-token-delimiters")
def test_tokens_stand_between_two_braces(templates: list[tuple[str, str]]) -> None:
    for _, query in templates:
        assert TOKEN.search(query), query
        assert not re.search(r"[{}%$<>]", TOKEN.sub("", query)), query


@pytest.mark.conformance("prefetch-token-content", "prefetch-token-primitive", "order-sign-draft-orders-no-token")
def test_tokens_are_plain_fields_of_the_context_of_their_hook(templates: list[tuple[str, str]]) -> None:
    for hook, query in templates:
        assert set(TOKEN.findall(query)) <= CONTEXT_TOKENS[hook] | USER_TOKENS, query


@pytest.mark.conformance("3.0-prefetch-order")
def test_no_template_builds_on_another(templates: list[tuple[str, str]]) -> None:
    assert not [query for _, query in templates if "%" in query]


@pytest.mark.conformance("order-sign-encounter-optional")
def test_no_template_of_order_sign_needs_an_encounter(templates: list[tuple[str, str]]) -> None:
    assert not [query for hook, query in templates if hook == "order-sign" and "encounterId" in query]


@pytest.mark.conformance("encounter-discharge-tokens")
def test_templates_of_discharge_ask_for_the_encounter(templates: list[tuple[str, str]]) -> None:
    queries = [query for hook, query in templates if hook == "encounter-discharge"]
    assert "Encounter/{{context.encounterId}}" in queries
    assert any(query.startswith("Procedure?") and "encounter={{context.encounterId}}" in query for query in queries)


@pytest.mark.conformance("prefetch-interoperable", "prefetch-subset")
def test_templates_keep_to_the_interoperable_subset(templates: list[tuple[str, str]]) -> None:
    for _, query in templates:
        kind, separator, rest = re.fullmatch(r"([A-Za-z]+)([/?])(.+)", query).groups()  # type: ignore[union-attr]
        assert get_fhir_model_class(kind)
        if separator == "/":
            assert TOKEN.fullmatch(rest), query
            continue
        for parameter in rest.split("&"):
            name, _, value = parameter.partition("=")
            if name == "_count":
                assert value.isdecimal(), query
            elif name == "_sort":
                assert re.fullmatch(r"-?[a-z-]+", value), query
            elif SEARCHABLE[name] == "reference":
                assert TOKEN.fullmatch(value), query
            else:
                assert re.fullmatch(r"[a-z-]+", value), query


@pytest.mark.conformance("3.0-description-markdown")
def test_descriptions_read_the_same_as_markdown(services: list[dict[str, Any]]) -> None:
    for service in services:
        for text in (service["description"], service["usageRequirements"]):
            assert MarkdownIt("gfm-like", {"linkify": False}).render(text) == f"<p>{text}</p>\n"


@pytest.mark.conformance("3.0-capabilities-documented")
def test_each_hook_is_documented_for_people(services: list[dict[str, Any]]) -> None:
    page = README.read_text(encoding="utf-8")
    assert [service["id"] for service in services if service["hook"] not in page] == []

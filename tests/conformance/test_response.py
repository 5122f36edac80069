"""What CDS Hooks asks of answers, held against the answers to every sample case.

One test a duty. Each looks at everything there is and names all that falls short. The checks are written anew, not
taken from `schemas/response.schema.json`, which the service's own tests hold its answers to.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from cds_service.cases import load_cases
from cds_service.resources import cases_folder

Part = tuple[str, Any]


def orders(*codes: str) -> dict[str, Any]:
    """Return a call about drafts with these codes; no sample case takes orders away."""
    entries = [
        {
            "resource": {
                "resourceType": "ServiceRequest",
                "id": f"draft-{number}",
                "status": "draft",
                "intent": "order",
                "subject": {"reference": "Patient/p"},
                "occurrenceDateTime": "2026-03-02",
                "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code}]},
            }
        }
        for number, code in enumerate(codes)
    ]
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p", "draftOrders": drafts},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "p"}},
    }


CALLS = {
    **{f"{case.id}/{hook}": (hook, case.request(hook)) for case in load_cases(cases_folder()) for hook in case.hooks},
    "imaging ordered beside the block": ("order-sign", orders("64461", "76942")),
    "an add-on and imaging ordered": ("order-sign", orders("64462", "76942")),
    "a block ordered twice": ("order-sign", orders("64461", "64461")),
}
ENOUGH_S = 0.5


def call(client: FlaskClient, name: str) -> Any:
    hook, body = CALLS[name]
    return client.post(f"/cds-services/paravertebral-{hook}", json=body)


@pytest.fixture(scope="module")
def answers(client: FlaskClient) -> list[Part]:
    return [(name, call(client, name)) for name in CALLS]


@pytest.fixture(scope="module")
def documents(answers: list[Part]) -> list[Part]:
    return [(name, answer.get_json()) for name, answer in answers]


@pytest.fixture(scope="module")
def cards(documents: list[Part]) -> list[Part]:
    return parts(documents, "cards")


@pytest.fixture(scope="module")
def suggestions(cards: list[Part]) -> list[Part]:
    return parts(cards, "suggestions")


@pytest.fixture(scope="module")
def actions(suggestions: list[Part]) -> list[Part]:
    return parts(suggestions, "actions")


@pytest.fixture(scope="module")
def links(cards: list[Part]) -> list[Part]:
    return parts(cards, "links")


@pytest.fixture(scope="module")
def reasons(cards: list[Part]) -> list[Part]:
    return parts(cards, "overrideReasons")


@pytest.fixture(scope="module")
def sources(cards: list[Part]) -> list[Part]:
    return [(name, card["source"]) for name, card in cards]


@pytest.fixture(scope="module")
def codings(sources: list[Part], reasons: list[Part]) -> list[Part]:
    return [*((f"{name}.topic", source["topic"]) for name, source in sources if "topic" in source), *reasons]


def parts(wholes: Iterable[Part], member: str) -> list[Part]:
    return [(f"{name} {member}[{n}]", part) for name, whole in wholes for n, part in enumerate(whole.get(member, ()))]


def hold(found: Iterable[Part], good: Callable[[Any], bool]) -> None:
    """Fail with the names of all that is not good, and where there is nothing to look at."""
    found = list(found)
    assert found, "there is nothing to look at"
    assert [name for name, part in found if not good(part)] == []


def is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and str(UUID(value)) == value


def is_web_address(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"} and bool(urlsplit(value).netloc)


def empties(value: Any) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return not value or any(map(empties, inner))
    return value is None or value == ""


# --- The answer ------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("response-success", "json-exchange")
def test_a_call_that_succeeds_is_answered_200_in_json(answers: list[Part]) -> None:
    hold(answers, lambda answer: answer.status_code == 200 and answer.mimetype == "application/json")


@pytest.mark.conformance("json-plain")
def test_answers_are_plain_json(answers: list[Part]) -> None:
    for _, answer in answers:
        json.loads(answer.data.decode("utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.conformance("response-cards", "response-success")
def test_an_answer_is_an_object_with_a_list_of_cards(documents: list[Part]) -> None:
    hold(documents, lambda answer: isinstance(answer, dict) and isinstance(answer["cards"], list))


@pytest.mark.conformance("response-no-guidance")
def test_with_nothing_to_say_the_list_is_empty(documents: list[Part]) -> None:
    assert {"cards": []} in [answer for _, answer in documents]


@pytest.mark.conformance("json-nothing-empty", "json-optional-left-out")
def test_nothing_in_an_answer_is_empty(cards: list[Part]) -> None:
    hold(cards, lambda card: not empties(card))


@pytest.mark.conformance("response-system-actions")
def test_by_default_nothing_is_carried_out_without_a_user(documents: list[Part]) -> None:
    hold(documents, lambda answer: "systemActions" not in answer)


@pytest.mark.conformance("response-time")
def test_an_answer_takes_less_than_half_a_second(client: FlaskClient) -> None:
    def seconds(name: str) -> float:
        began = time.perf_counter()
        call(client, name)
        return time.perf_counter() - began

    # Other work on the machine may take one call long, but not three.
    assert [name for name in list(CALLS)[::7] if all(seconds(name) > ENOUGH_S for _ in range(3))] == []


# --- Cards -----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("card-uuid")
def test_each_card_has_a_uuid(cards: list[Part]) -> None:
    hold(cards, lambda card: is_uuid(card["uuid"]))


@pytest.mark.conformance("card-summary")
def test_each_card_has_a_summary(cards: list[Part]) -> None:
    hold(cards, lambda card: is_text(card.get("summary")) and "\n" not in card["summary"])


@pytest.mark.conformance("card-summary-length")
def test_a_summary_has_fewer_than_140_characters(cards: list[Part]) -> None:
    hold(cards, lambda card: len(card["summary"]) < 140)


@pytest.mark.conformance("card-detail-markdown", "3.0-no-html")
def test_details_are_markdown_without_html(cards: list[Part]) -> None:
    def tags(detail: str) -> set[str]:
        rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(detail)
        return set(re.findall(r"</?([a-z0-9]+)", rendered))

    detailed = [(name, card["detail"]) for name, card in cards if "detail" in card]
    hold(detailed, lambda detail: is_text(detail) and "<" not in detail)
    hold(detailed, lambda detail: tags(detail) <= {"p", "ul", "li", "blockquote", "em", "strong"})


@pytest.mark.conformance("card-indicator")
def test_each_card_has_an_indicator(cards: list[Part]) -> None:
    hold(cards, lambda card: card.get("indicator") in {"info", "warning", "critical"})


@pytest.mark.conformance("card-source", "source-label")
def test_each_card_names_its_source(cards: list[Part]) -> None:
    hold(cards, lambda card: isinstance(card.get("source"), dict) and is_text(card["source"].get("label")))


@pytest.mark.conformance("source-url", "source-url-general")
def test_the_address_of_the_source_is_that_of_the_service(sources: list[Part]) -> None:
    hold(sources, lambda source: source["url"] == "https://cds.example.org")


@pytest.mark.conformance("source-topic")
def test_each_source_has_a_topic(sources: list[Part]) -> None:
    hold(sources, lambda source: source["topic"]["code"] in {"claim", "guideline"})


@pytest.mark.conformance("card-selection-behavior", "card-selection-behavior-values")
def test_a_card_with_suggestions_says_how_many_may_be_chosen(cards: list[Part]) -> None:
    with_suggestions = [(name, card) for name, card in cards if "suggestions" in card]
    hold(with_suggestions, lambda card: card.get("selectionBehavior") in {"at-most-one", "any"})


@pytest.mark.conformance("card-override-reasons")
def test_each_card_offers_reasons_to_set_it_aside(cards: list[Part]) -> None:
    hold(cards, lambda card: bool(card["overrideReasons"]))


@pytest.mark.conformance("card-override-reason-display")
def test_each_of_these_reasons_has_words(reasons: list[Part]) -> None:
    hold(reasons, lambda reason: is_text(reason.get("display")))


@pytest.mark.conformance("coding-code")
def test_each_coding_has_a_code(codings: list[Part]) -> None:
    hold(codings, lambda coding: is_text(coding.get("code")))


@pytest.mark.conformance("coding-system")
def test_each_coding_has_a_system(codings: list[Part]) -> None:
    hold(codings, lambda coding: is_text(coding.get("system")) and bool(urlsplit(coding["system"]).scheme))


@pytest.mark.conformance("coding-members")
def test_no_coding_has_more(codings: list[Part]) -> None:
    hold(codings, lambda coding: set(coding) <= {"code", "system", "display"})


@pytest.mark.conformance("extension-object")
def test_extensions_are_objects(cards: list[Part]) -> None:
    extended = [(name, card["extension"]) for name, card in cards if "extension" in card]
    hold(extended, lambda extension: isinstance(extension, dict))


@pytest.mark.conformance("extension-names")
def test_names_of_extensions_say_whose_they_are(cards: list[Part]) -> None:
    extended = [(name, card["extension"]) for name, card in cards if "extension" in card]
    hold(extended, lambda extension: all(re.fullmatch(r"[a-z-]+(\.[A-Za-z-]+)+", name) for name in extension))


# --- Suggestions and actions -----------------------------------------------------------------------------------------


@pytest.mark.conformance("suggestion-label")
def test_each_suggestion_has_a_label(suggestions: list[Part]) -> None:
    hold(suggestions, lambda suggestion: is_text(suggestion.get("label")))


@pytest.mark.conformance("suggestion-uuid")
def test_each_suggestion_has_a_uuid(suggestions: list[Part]) -> None:
    hold(suggestions, lambda suggestion: is_uuid(suggestion["uuid"]))


@pytest.mark.conformance("suggestion-recommended")
def test_only_where_any_may_be_chosen_more_than_one_is_recommended(cards: list[Part]) -> None:
    def recommended(card: dict[str, Any]) -> list[Any]:
        return [one["isRecommended"] for one in card.get("suggestions", ()) if "isRecommended" in one]

    hold(cards, lambda card: all(one is True for one in recommended(card)))
    hold(cards, lambda card: len(recommended(card)) <= 1 or card["selectionBehavior"] == "any")
    assert max(len(recommended(card)) for _, card in cards) > 1


@pytest.mark.conformance("suggestion-actions")
def test_each_suggestion_has_one_action(suggestions: list[Part]) -> None:
    hold(suggestions, lambda suggestion: len(suggestion["actions"]) == 1)


@pytest.mark.conformance("3.0-action-selection-behavior")
def test_no_suggestion_lets_actions_be_chosen(suggestions: list[Part]) -> None:
    hold(suggestions, lambda suggestion: "actionSelectionBehavior" not in suggestion)


@pytest.mark.conformance("action-type")
def test_each_action_has_a_type(actions: list[Part]) -> None:
    hold(actions, lambda action: action.get("type") in {"create", "update", "delete"})


@pytest.mark.conformance("action-description")
def test_each_action_is_described(actions: list[Part]) -> None:
    hold(actions, lambda action: is_text(action.get("description")))


def of_type(actions: list[Part], *types: str) -> list[Part]:
    return [(name, action) for name, action in actions if action["type"] in types]


@pytest.mark.conformance("action-create-resource")
def test_a_create_carries_a_new_resource(actions: list[Part]) -> None:
    hold(of_type(actions, "create"), lambda action: is_text(action["resource"]["resourceType"]))
    hold(of_type(actions, "create"), lambda action: "id" not in action["resource"] and "resourceId" not in action)


@pytest.mark.conformance("action-update-whole")
def test_an_update_keeps_every_member_of_what_it_updates(actions: list[Part]) -> None:
    def sent(name: str, resource: dict[str, Any]) -> dict[str, Any]:
        kept = [
            one
            for one in resources(CALLS[name.partition(" cards[")[0]][1])
            if (one.get("resourceType"), one.get("id")) == (resource["resourceType"], resource["id"])
        ]
        assert kept, f"{name} updates what was not sent"
        return kept[0]

    lost = [
        (name, sorted(set(sent(name, action["resource"])) - set(action["resource"]) - {"total"}))
        for name, action in of_type(actions, "update")
    ]
    hold(lost, lambda members: members in ([], ["item"]))  # a total that is not known, a claim left without lines


def resources(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
        for member in value.values():
            yield from resources(member)
    elif isinstance(value, list):
        for element in value:
            yield from resources(element)


@pytest.mark.conformance("action-delete-reference")
def test_a_delete_names_the_resource(actions: list[Part]) -> None:
    deletes = of_type(actions, "delete")
    hold(deletes, lambda action: re.fullmatch(r"[A-Z][A-Za-z]+/\S+", action["resourceId"]) is not None)
    hold(deletes, lambda action: "resource" not in action)


@pytest.mark.conformance("action-resource-object")
def test_the_resource_of_an_action_is_an_object(actions: list[Part]) -> None:
    hold(of_type(actions, "create", "update"), lambda action: isinstance(action["resource"], dict))


@pytest.mark.conformance("3.0-resources-as-fhir-json")
def test_resources_that_are_suggested_are_fhir(actions: list[Part]) -> None:
    for _, action in of_type(actions, "create", "update"):
        get_fhir_model_class(action["resource"]["resourceType"]).model_validate(action["resource"])


# --- Links -----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("card-links", "link-label")
def test_each_link_has_a_label(links: list[Part]) -> None:
    hold(links, lambda link: is_text(link.get("label")))


@pytest.mark.conformance("link-url")
def test_each_link_has_an_address(links: list[Part]) -> None:
    hold(links, lambda link: is_web_address(link.get("url")))


@pytest.mark.conformance("card-links")
def test_what_is_linked_to_is_there(client: FlaskClient, links: list[Part]) -> None:
    paths = {urlsplit(link["url"]).path for _, link in links}
    assert [path for path in sorted(paths) if client.get(path).status_code != 200] == []


@pytest.mark.conformance("link-type")
def test_each_link_has_a_type(links: list[Part]) -> None:
    hold(links, lambda link: link.get("type") in {"absolute", "smart"})


@pytest.mark.conformance("link-app-context")
def test_no_absolute_link_has_an_app_context(links: list[Part]) -> None:
    hold(links, lambda link: link["type"] == "smart" or "appContext" not in link)

"""What a client may choose of the answer, by the extensions of Da Vinci CRD: discovery offers it, requests choose."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.app import create_app
from cds_service.cases import load_case
from cds_service.settings import Settings
from cds_service.store.cards import GivenCards
from cds_service.store.model import GivenCard

DISCOVERY = Draft202012Validator(resources.schema("discovery"))

DISCHARGE = "encounter-discharge"
CODES, DOCUMENTATION, QUESTION = "suggested-codes", "missing-documentation", "clarification"

CODES_AND_QUESTION = "facet-with-trigger-points"
DOCUMENTATION_AND_QUESTION = "stellate-sides-disagree"

# http://terminology.hl7.org/CodeSystem/cdshooks-card-type
CARD_TYPES = {"claim", "guideline"}


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The whole service: what is chosen and what is remembered meet in it only."""
    named = Settings(database_url="sqlite:///:memory:", base_url="https://cds.example.org")
    return create_app(named).test_client()


def answer(service: FlaskClient, case: str, extension: Any = None) -> list[dict[str, Any]]:
    body = load_case(resources.cases_folder() / case).request(DISCHARGE)
    if extension is not None:
        body["extension"] = extension
    response = service.post(f"/cds-services/paravertebral-{DISCHARGE}", json=body)
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.json["cards"]
    return cards


def kinds(cards: list[dict[str, Any]]) -> list[str]:
    return [card["extension"]["org.paravertebral-cds.card"]["kind"] for card in cards]


# Discovery


def test_each_service_offers_what_may_be_chosen(service: FlaskClient) -> None:
    document = service.get("/cds-services").json
    DISCOVERY.validate(document)
    for entry in document["services"]:
        options = entry["extension"]["davinci-crd.configuration-options"]
        assert {option["code"]: (option["type"], option["default"]) for option in options} == {
            "claim": ("boolean", True),
            "guideline": ("boolean", True),
            "clarification": ("boolean", True),
            "max-cards": ("integer", 3),
        }
        for member in ("code", "name", "description"):
            assert len({option[member] for option in options}) == len(options)


def test_no_conformance_to_crd_is_claimed(service: FlaskClient) -> None:
    assert "davinci-crd.version" not in service.get("/cds-services").text


def test_every_topic_of_a_card_is_an_option(service: FlaskClient) -> None:
    cards = answer(service, CODES_AND_QUESTION) + answer(service, DOCUMENTATION_AND_QUESTION)
    assert {card["source"]["topic"]["code"] for card in cards} == CARD_TYPES


@pytest.mark.parametrize(
    "option",
    [
        pytest.param({"default": 1}, id="a default of another type"),
        pytest.param({"type": "integer", "default": True}, id="an integer that is a boolean"),
        pytest.param({"type": "integer", "default": -1}, id="a negative default"),
        pytest.param({"type": "string", "default": "x"}, id="a type of its own"),
        pytest.param({"code": "two words"}, id="a code that is no name"),
        pytest.param({"description": ""}, id="no description"),
        pytest.param({"more": 1}, id="a member more"),
    ],
)
def test_the_schema_refuses_options_that_are_none(option: dict[str, Any]) -> None:
    right = {"code": "claim", "type": "boolean", "name": "n", "description": "d", "default": True}

    def discovery(each: dict[str, Any]) -> dict[str, Any]:
        extension = {"davinci-crd.configuration-options": [each]}
        return {"services": [{"hook": "h", "id": "i", "description": "d", "extension": extension}]}

    assert DISCOVERY.is_valid(discovery(right))
    assert not DISCOVERY.is_valid(discovery({**right, **option}))


# Requests


@pytest.mark.parametrize(
    ("case", "chosen", "expected"),
    [
        pytest.param(CODES_AND_QUESTION, {}, [CODES, QUESTION], id="nothing chosen"),
        pytest.param(CODES_AND_QUESTION, {"claim": True}, [CODES, QUESTION], id="what is so anyway"),
        pytest.param(CODES_AND_QUESTION, {"claim": False}, [], id="nothing of the topic claim"),
        pytest.param(CODES_AND_QUESTION, {"clarification": False}, [CODES], id="no questions"),
        pytest.param(CODES_AND_QUESTION, {"claim": False, "clarification": True}, [QUESTION], id="questions, no codes"),
        pytest.param(CODES_AND_QUESTION, {"claim": False, "clarification": None}, [], id="null is not sent"),
        pytest.param(CODES_AND_QUESTION, {"guideline": False}, [CODES, QUESTION], id="a kind that is not there"),
        pytest.param(DOCUMENTATION_AND_QUESTION, {"guideline": False}, [QUESTION], id="no documentation"),
        pytest.param(DOCUMENTATION_AND_QUESTION, {"claim": False}, [DOCUMENTATION], id="documentation only"),
        pytest.param(CODES_AND_QUESTION, {"max-cards": 0}, [], id="none"),
        pytest.param(CODES_AND_QUESTION, {"max-cards": 1}, [CODES], id="the most important"),
        pytest.param(DOCUMENTATION_AND_QUESTION, {"max-cards": 1}, [DOCUMENTATION], id="the more important"),
        pytest.param(CODES_AND_QUESTION, {"max-cards": 99}, [CODES, QUESTION], id="as many as there are"),
        pytest.param(
            CODES_AND_QUESTION, {"max-cards": 1, "claim": False, "clarification": True}, [QUESTION], id="both"
        ),
        pytest.param(
            CODES_AND_QUESTION,
            {"claim": False, "guideline": False, "clarification": False, "max-cards": 3},
            [],
            id="everything off",
        ),
        pytest.param(CODES_AND_QUESTION, {"alt-drug": False, "dtr-clin": 3}, [CODES, QUESTION], id="unknown options"),
        pytest.param(CODES_AND_QUESTION, {"Claim": False, "max_cards": 0}, [CODES, QUESTION], id="spelled otherwise"),
        pytest.param(CODES_AND_QUESTION, {"coverage-info": False}, [CODES, QUESTION], id="not offered"),
    ],
)
def test_a_client_gets_the_cards_it_chose(
    service: FlaskClient, case: str, chosen: dict[str, Any], expected: list[str]
) -> None:
    assert kinds(answer(service, case, {"davinci-crd.configuration": chosen})) == expected


CODES_OF_OPTIONS = ["claim", "guideline", "clarification", "coverage-info", "max-cards", "other"]
NO_BOOLEAN = ["false", "", None, 0, 1, 0.0, [], [False], {}, {"claim": False}]
NO_NUMBER = ["0", "", None, True, False, -1, -99, 0.0, 1.0, 1.5, [], [0], {}, "Infinity", -(2**63)]
NO_CONFIGURATION = ["claim", "", None, True, False, 0, 1.5, [], [{"claim": False}], ["claim"]]


@pytest.mark.parametrize("value", NO_BOOLEAN, ids=repr)
@pytest.mark.parametrize("code", ["claim", "guideline", "clarification"])
def test_a_kind_is_switched_by_a_boolean_only(service: FlaskClient, code: str, value: object) -> None:
    for case in (CODES_AND_QUESTION, DOCUMENTATION_AND_QUESTION):
        assert len(answer(service, case, {"davinci-crd.configuration": {code: value}})) == 2


@pytest.mark.parametrize("value", NO_NUMBER, ids=repr)
def test_cards_are_capped_by_a_whole_number_only(service: FlaskClient, value: object) -> None:
    assert len(answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": value}})) == 2


@pytest.mark.parametrize("value", NO_CONFIGURATION, ids=repr)
def test_a_configuration_that_is_none_is_ignored(service: FlaskClient, value: object) -> None:
    assert len(answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": value})) == 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(CODES_OF_OPTIONS), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON)
def test_whatever_is_chosen_the_answer_is_part_of_the_whole(service: FlaskClient, value: object) -> None:
    whole = answer(service, CODES_AND_QUESTION)
    found = answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": value})
    assert found == [card for card in whole if card in found]


def test_a_number_beyond_all_cards_is_a_number(service: FlaskClient) -> None:
    assert len(answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": 2**64 - 1}})) == 2
    assert len(answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": 10**30}})) == 2


def test_what_is_left_of_the_answer_does_not_change(service: FlaskClient) -> None:
    codes, question = answer(service, CODES_AND_QUESTION)
    assert answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": 1}}) == [codes]
    chosen = {"claim": False, "clarification": True}
    assert answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": chosen}) == [question]


def test_what_one_client_chose_is_not_chosen_for_another(service: FlaskClient) -> None:
    for _ in range(3):  # the second time around every answer is remembered
        assert kinds(answer(service, CODES_AND_QUESTION)) == [CODES, QUESTION]
        assert answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"claim": False}}) == []
        assert kinds(answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": 1}})) == [CODES]


def test_only_cards_that_were_sent_are_remembered_for_feedback(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[GivenCard] = []
    monkeypatch.setattr(GivenCards, "remember", lambda _, card: remembered.append(card))
    service = create_app(Settings(database_url="sqlite:///:memory:")).test_client()
    answer(service, CODES_AND_QUESTION, {"davinci-crd.configuration": {"max-cards": 1}})
    assert [card.kind for card in remembered] == [CODES]
    answer(service, CODES_AND_QUESTION)
    assert {card.kind for card in remembered} == {CODES, QUESTION}

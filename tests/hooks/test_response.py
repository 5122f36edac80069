from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.hooks.response import Answer, envelope, prune, to_json

SCHEMA = Draft202012Validator(resources.schema("response"), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(
    ("value", "pruned"),
    [
        ({"a": None, "b": "", "c": [], "d": {}}, {}),
        ({"a": 0, "b": False, "c": 0.0, "d": " "}, {"a": 0, "b": False, "c": 0.0, "d": " "}),
        ({"a": {"b": {"c": None}}, "d": 1}, {"d": 1}),
        ({"a": [None, "", {}, [[]], 1]}, {"a": [1]}),
        ({"a": ({"b": None}, {"b": 2})}, {"a": [{"b": 2}]}),
        ("text", "text"),
        (7, 7),
    ],
)
def test_prune_takes_out_what_has_no_value(value, pruned):
    assert prune(value) == pruned


@pytest.mark.parametrize(
    "paired",
    [
        {"given": [None, "Ann"], "_given": [{"id": "a"}, None]},
        {"item": [{"careTeamSequence": [1, None], "_careTeamSequence": [None, {"id": "x"}]}]},
    ],
)
def test_prune_keeps_the_nulls_that_pair_fhir_primitives_with_their_extensions(paired):
    assert prune(paired) == paired


def test_prune_leaves_what_it_was_given_alone():
    given = {"a": [None, {"b": ""}]}
    prune(given)
    assert given == {"a": [None, {"b": ""}]}


def empties(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [
            found
            for member in value.values()
            for found in ([member] if member in (None, "", [], {}) else empties(member))
        ]
    if isinstance(value, list):
        return [
            found for element in value for found in ([element] if element in (None, "", [], {}) else empties(element))
        ]
    return []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.conformance("json-nothing-empty")
@given(card=st.dictionaries(st.text("abc", max_size=3), json_values, max_size=4))
def test_no_response_holds_anything_without_a_value_but_the_list_of_cards(card):
    cards = envelope(Answer([card]))["cards"]
    assert cards == [] or empties(cards) == []


def test_nothing_to_say_is_an_empty_list():
    assert envelope(Answer()) == {"cards": []}
    assert envelope(Answer([{"summary": ""}], [{}], [])) == {"cards": []}


def test_json_is_compact_utf8():
    assert to_json({"a": "×", "day": date(2026, 3, 2)}) == '{"a":"×","day":"2026-03-02"}'.encode()


def changed(card: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the response of `card` with one member set, or taken out where `value` is `...`."""
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = card
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return {"cards": [card]}


def test_the_schema_takes_a_card_with_every_part(card):
    SCHEMA.validate({"cards": [card]})
    SCHEMA.validate({"cards": []})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("summary", "×" * 139),
        ("indicator", "info"),
        ("detail", "**bold**"),
        ("links.0", {"label": "App", "url": "https://a.example", "type": "smart", "appContext": "x"}),
        ("suggestions.0.actions.0", {"type": "delete", "description": "d", "resourceId": "ServiceRequest/1"}),
        (
            "suggestions.0.actions.0",
            {"type": "create", "description": "d", "resource": {"resourceType": "ServiceRequest"}},
        ),
        ("selectionBehavior", "at-most-one"),
    ],
)
def test_the_schema_takes(card, path, value):
    SCHEMA.validate(changed(card, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("uuid", ...),
        ("uuid", "not-a-uuid"),
        ("summary", ...),
        ("summary", ""),
        ("summary", "x" * 140),
        ("indicator", ...),
        ("indicator", "hard-stop"),
        ("detail", ""),
        ("source", ...),
        ("source.label", ...),
        ("source.topic", ...),
        ("source.topic.system", ...),
        ("source.topic.code", ""),
        ("source.url", "/relative"),
        ("suggestions", []),
        ("suggestions.0.uuid", ...),
        ("suggestions.0.label", ""),
        ("suggestions.0.actions", ...),
        ("suggestions.0.actions", []),
        ("suggestions.0.actions.0.description", ...),
        ("suggestions.0.actions.0.type", "UPDATE"),
        ("suggestions.0.actions.0.resource", ...),
        ("suggestions.0.actions.0.resource", "Claim/7"),
        ("suggestions.0.actions.0.resource", {"id": "7"}),
        ("suggestions.0.actions.0.type", "delete"),
        ("suggestions.0.actions.0.resourceId", "Claim/7"),
        ("selectionBehavior", ...),
        ("selectionBehavior", "all"),
        ("overrideReasons", []),
        ("overrideReasons.0.display", ...),
        ("overrideReasons.0.version", "1"),
        ("links", []),
        ("links.0.type", ...),
        ("links.0.type", "relative"),
        ("links.0.url", "javascript:alert(1)"),
        ("links.0.appContext", "x"),
        ("extension", {}),
        ("title", "no such member"),
    ],
)
def test_the_schema_refuses(card, path, value):
    assert not SCHEMA.is_valid(changed(card, path, value))


def test_the_schema_refuses_two_actions_in_one_suggestion(card):
    card["suggestions"][0]["actions"] *= 2
    assert not SCHEMA.is_valid({"cards": [card]})


def test_the_schema_refuses_two_recommended_of_which_one_may_be_taken(card):
    card["suggestions"] *= 2
    SCHEMA.validate({"cards": [card]})
    card["selectionBehavior"] = "at-most-one"
    assert not SCHEMA.is_valid({"cards": [card]})


@pytest.mark.parametrize(
    "response", [{}, {"cards": None}, {"cards": [], "systemActions": []}, {"cards": [{}]}, {"cards": [], "x": 1}, []]
)
def test_the_schema_refuses_an_envelope(response):
    assert not SCHEMA.is_valid(response)


def test_the_schema_refuses_a_fourth_card(card):
    SCHEMA.validate({"cards": [card] * 3})
    assert not SCHEMA.is_valid({"cards": [card] * 4})

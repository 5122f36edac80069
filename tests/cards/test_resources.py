from types import MappingProxyType
from typing import Any

import pytest

from cds_service.cards.resources import bare_copy, begins_with, codings, mapping, objects


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        ({"a": None, "b": "", "c": [], "d": {}, "e": 0, "f": False}, {"e": 0, "f": False}),
        ({"a": {"b": {"c": None}}}, {}),
        ({"coding": [{}]}, {}),
        ({"coding": [{}, {"code": "1"}]}, {"coding": [{"code": "1"}]}),
        ({"given": [None, "A"]}, {"given": [None, "A"]}),
        (MappingProxyType({"a": ({"b": 1},)}), {"a": [{"b": 1}]}),
    ],
)
def test_a_copy_holds_nothing_empty(value: Any, copy: Any) -> None:
    assert bare_copy(value) == copy


def test_a_copy_shares_nothing() -> None:
    original = {"item": [{"modifier": [{"text": "RT"}]}]}
    bare_copy(original)["item"][0]["modifier"].append("x")
    assert original == {"item": [{"modifier": [{"text": "RT"}]}]}


@pytest.mark.parametrize("odd", [None, "text", 7, []])
def test_members_of_a_wrong_type_are_read_as_none(odd: Any) -> None:
    assert mapping(odd) == {}
    assert objects(odd) == []
    assert codings(odd) == []
    assert codings({"coding": odd}) == []
    assert objects([odd, {"a": 1}]) == [{"a": 1}]


@pytest.mark.parametrize(
    ("written", "begins"),
    [
        ("64461", True),
        (" 64461 ", True),
        ("64461-RT", True),
        ("64461 - title", True),
        ("644612", False),
        ("64461T", False),
        ("CPT 64461", False),
        (None, False),
        (64461, False),
    ],
)
def test_whether_text_begins_with_a_code(written: object, begins: bool) -> None:
    assert begins_with(written, "64461") is begins

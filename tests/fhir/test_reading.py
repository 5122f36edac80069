"""Tolerant readers: right values, wrong types, and anything else JSON can hold."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir import reading
from cds_service.fhir.reading import Amount


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        (" 2026-03-02 ", date(2026, 3, 2)),
        ("2026-03-02T23:30:00-05:00", date(2026, 3, 2)),
        ("2026-03-02T00:10:00+13:00", date(2026, 3, 2)),
        ("2026-03-02T10:00:00.123Z", date(2026, 3, 2)),
        ("2026-03-02T10:00", date(2026, 3, 2)),
        ("2026-03-02 10:00", date(2026, 3, 2)),
        ({"start": "2026-03-02T08:00:00Z", "end": "2026-03-04"}, date(2026, 3, 2)),
        ({"end": "2026-03-04"}, None),
        ({"start": {"start": "2026-03-02"}}, None),
        ("2026-03", None),
        ("2026", None),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("0000-01-01", None),
        ("20260302", None),
        ("03/02/2026", None),
        ("2026-03-02x", None),
        ("٢٠٢٦-٠٣-٠٢", None),
        ("", None),
        (None, None),
        (20260302, None),
        (["2026-03-02"], None),
    ],
)
def test_date_of(value: Any, expected: date | None) -> None:
    assert reading.date_of(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-03-02T03:40:00-05:00", date(2026, 3, 2)),
        ("2026-03-02T03:40:00Z", None),
        ("2026-03-02T03:40:00.000+00:00", None),
        ("2026-03-02T10:59:59z", None),
        ("2026-03-02T11:00:00Z", date(2026, 3, 2)),
        ("2026-03-02T00:00:00Z", date(2026, 3, 2)),
        ("2026-03-02T00:00:00.000+00:00", date(2026, 3, 2)),
        ("2026-03-02T00:00:01Z", None),
        ("2026-03-02T03:40", date(2026, 3, 2)),
        ({"start": "2026-03-02T01:00:00Z", "end": "2026-03-02T12:00:00Z"}, None),
        ({"end": "2026-03-02"}, None),
        ([1], None),
        (7, None),
    ],
)
def test_the_day_of_a_time_in_utc_may_be_open(value: Any, expected: date | None) -> None:
    assert reading.local_day(value) == expected


def test_first_date_passes_over_what_states_none() -> None:
    procedure = {"performedDateTime": "2026", "performedPeriod": {"start": "2026-03-02"}}
    assert reading.first_date(procedure, "performedDateTime", "performedPeriod") == date(2026, 3, 2)
    assert reading.first_date(procedure, "performedDateTime", "performedString") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": 2}, Amount(2.0)),
        ({"value": 2.5, "unit": "mL", "code": "ml"}, Amount(2.5, "mL")),
        ({"value": "3", "code": "mL"}, Amount(3.0, "mL")),
        (2, Amount(2.0)),
        ("2", Amount(2.0)),
        ({"value": 0}, Amount(0.0)),
        ({"value": -1}, Amount(-1.0)),
        ({"value": True}, None),
        ({"value": "two"}, None),
        ({"value": "nan"}, None),
        ({"value": float("inf")}, None),
        ({"value": 10**400}, None),
        ({"unit": "mL"}, None),
        ({}, None),
        ([], None),
        (None, None),
        (True, None),
    ],
)
def test_quantity(value: Any, expected: Amount | None) -> None:
    assert reading.quantity(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(" a ", " a "), ("", None), (" \n", None), (3, None), (None, None)])
def test_text_is_as_written_or_not_stated(value: Any, expected: str | None) -> None:
    assert reading.text(value) == expected


@pytest.mark.parametrize(
    ("value", "places"),
    [([{}, "x", {}], (0, 2)), ({"a": 1}, (0,)), ([], ()), (None, ()), ("abc", ()), (3, ()), ([[{}]], ())],
)
def test_numbered_keeps_places(value: Any, places: tuple[int, ...]) -> None:
    assert tuple(place for place, _ in reading.numbered(value)) == places


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("a", 0, "b"), 1),
        (("a", -1, "b"), 1),
        (("a", 1), None),
        (("a", "b"), None),
        (("a", 0, "b", "c"), None),
        (("x",), None),
        ((0,), None),
        ((), {"a": [{"b": 1}]}),
    ],
)
def test_member(steps: tuple[str | int, ...], expected: Any) -> None:
    assert reading.member({"a": [{"b": 1}]}, *steps) == expected


@pytest.mark.parametrize(
    ("concept", "words", "codes"),
    [
        ({"text": "Block", "coding": [{"code": "1", "display": "Other"}]}, "Block", ("1",)),
        ({"coding": [{}, {"code": " 1 ", "display": "Shown"}]}, "Shown", ("1",)),
        ({"coding": {"code": "1", "display": "Shown"}}, "Shown", ("1",)),
        ({"code": "1", "display": "Shown"}, "Shown", ("1",)),
        ({"coding": [{}]}, None, ()),
        ({"coding": "x", "text": 3}, None, ()),
        ("plain", "plain", ("plain",)),
        (None, None, ()),
        (3, None, ()),
    ],
)
def test_concepts(concept: Any, words: str | None, codes: tuple[str, ...]) -> None:
    assert reading.concept_text(concept) == words
    assert reading.codes(concept) == codes


def test_codes_of_a_list() -> None:
    assert reading.codes([{"coding": [{"code": "a"}]}, {"coding": [{"code": "b"}, {"code": 3}]}]) == ("a", "b")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["coding", "code", "text", "value", "start", "extension", "unit"]), inner)
    ),
    max_leaves=15,
)


@given(JSON)
def test_nothing_is_raised(value: Any) -> None:
    for read in (reading.text, reading.items, reading.numbered, reading.codings, reading.codes, reading.concept_text):
        read(value)
    for read in (reading.date_of, reading.number, reading.quantity):
        read(value)
    reading.member(value, "coding", 0, "code")

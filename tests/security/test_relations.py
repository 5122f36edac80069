"""Documents that replace and append each other in chains and circles of any length."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.record import Record
from cds_service.fhir.relations import in_order, superseded
from tests.security.cost import assert_linear

Targets = Callable[[int, int], list[int]]

_SHAPES: dict[str, Targets] = {
    "chain-forwards": lambda n, i: [i + 1] if i + 1 < n else [],
    "chain-backwards": lambda _, i: [i - 1] if i else [],
    "one-circle": lambda n, i: [(i + 1) % n],
    "pairs": lambda _, i: [i ^ 1],
    "many-to-each": lambda n, i: [(i * 7 + j * 13) % n for j in range(10)],
    "all-to-one": lambda _n, _i: [0],
}


def record(code: str, targets: Targets, number: int) -> Record:
    def document(place: int) -> dict[str, Any]:
        named = [{"code": code, "target": {"reference": f"DocumentReference/d{n}"}} for n in targets(number, place)]
        return {"resourceType": "DocumentReference", "status": "current", "id": f"d{place}", "relatesTo": named}

    entries = [{"resource": document(place)} for place in range(number)]
    return from_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _replaced(made: Record) -> object:
    return superseded(made)


def _ordered(made: Record) -> object:
    return in_order(made.of_type("DocumentReference"), made)


@pytest.mark.parametrize("targets", _SHAPES.values(), ids=_SHAPES)
@pytest.mark.parametrize(
    ("code", "work"), [("replaces", _replaced), ("appends", _ordered)], ids=["replaces", "appends"]
)
def test_time_is_in_proportion_to_the_relations(code: str, work: Callable[[Record], object], targets: Targets) -> None:
    assert_linear(lambda number: record(code, targets, number), work, 1200, most_s=3.0)


@pytest.mark.parametrize("seed", range(40))
def test_any_web_of_replacements_is_told_as_by_following_every_path(seed: int) -> None:
    """Held against the plain reading: replaced is what another one names, unless that can be reached from it."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    named = [[chance.randrange(8) for _ in range(chance.randrange(3))] for _ in range(8)]

    def reaches(start: int, end: int, seen: frozenset[int] = frozenset()) -> bool:
        return start == end or any(reaches(n, end, seen | {start}) for n in named[start] if n not in seen)

    expected = {
        f"DocumentReference/d{to}"
        for start, found in enumerate(named)
        for to in found
        if to != start and not reaches(to, start)
    }
    assert superseded(record("replaces", lambda _, place: named[place], 8)) == expected


@pytest.mark.parametrize("seed", range(40))
def test_any_web_of_addenda_comes_after_what_it_appends(seed: int) -> None:
    """Held against the plain reading: round after round those go whose documents have gone; circles go together."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    named = [[chance.randrange(8) for _ in range(chance.randrange(3))] for _ in range(8)]
    expected: list[int] = []
    waiting = list(range(8))
    while waiting:
        ready = [place for place in waiting if not (set(named[place]) & set(waiting)) - {place}] or waiting
        expected += ready
        waiting = [place for place in waiting if place not in ready]
    made = record("appends", lambda _, place: named[place], 8)
    assert [entry.reference for entry in in_order(made.of_type("DocumentReference"), made)] == [
        f"DocumentReference/d{place}" for place in expected
    ]

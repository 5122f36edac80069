"""The whole Claim with its block lines corrected; whatever else it holds stays as it came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cds_service.cards.claim_modifiers import CPT, ModifierSystems, set_modifiers
from cds_service.cards.claim_prices import set_total, set_units
from cds_service.cards.difference import Difference, compare, likeness
from cds_service.cards.resources import Json, bare_copy, begins_with, codings, empty
from cds_service.chart.model import ClaimFacts, Line
from cds_service.review.assessment import ExpectedLine

_TOP_ITEM = re.compile(r"item\[(\d+)\]$")
_FROM_SIBLING = (
    "careTeamSequence",
    "diagnosisSequence",
    "procedureSequence",
    "servicedDate",
    "servicedPeriod",
    "locationCodeableConcept",
    "locationAddress",
    "locationReference",
    "encounter",
)
"""What a new line shares with the block line beside it. Not the price, and not the body site: these are its own."""


def corrected(claim: ClaimFacts, expected: Sequence[ExpectedLine], judged_codes: frozenset[str]) -> Json:
    """Return a copy of `claim.resource` whose lines with a judged code are exactly `expected`.

    Raises ValueError where a judged line is not an item of its own (`correctable` tells beforehand).
    """
    return with_lines(claim, compare([line for line in claim.lines if line.code in judged_codes], expected))


def correctable(claim: ClaimFacts, lines: Iterable[Line]) -> bool:
    """Return whether a client can be sent the corrected Claim: valid, with an id, and each line an item of its own."""
    indexes = [_index(line) for line in lines]
    items = _items(claim.resource)
    whole = all(index is not None and index < len(items) for index in indexes)
    identified = claim.resource.get("resourceType") == "Claim" and bool(claim.resource.get("id"))
    return claim.valid and identified and whole and len(set(indexes)) == len(indexes)


def with_lines(claim: ClaimFacts, change: Difference) -> Json:
    """Return a copy of `claim.resource` with `change` made: lines rewritten in place, removed, and added at the end.

    Raises ValueError where a line of `change` is not an item of its own.
    """
    items = [bare_copy(item) for item in _items(claim.resource)]
    places = {_place(line, items): line for line in change.present}
    systems = ModifierSystems(items)
    rewritten = {_place(line, items): (line, want) for line, want in change.wrong}
    removed = {_place(line, items) for line in change.surplus}
    siblings = [(line, items[place]) for place, line in places.items() if isinstance(items[place], dict)]
    added = list(_new_items(change.lacking, siblings, items, systems))
    repriced = bool(removed or added)
    for place, (line, want) in rewritten.items():
        repriced |= set_units(items[place], line, want)
        set_modifiers(items[place], line, want, systems)
    kept = [item for place, item in enumerate(items) if place not in removed and not empty(item)]
    members = {**claim.resource, "item": kept + added}
    resource: Json = {name: member if name == "item" else bare_copy(member) for name, member in members.items()}
    if repriced:
        set_total(resource)
    return {name: member for name, member in resource.items() if not empty(member)}


def _items(resource: Mapping[str, Any]) -> list[Any]:
    items = resource.get("item")
    return items if isinstance(items, list) else []


def _index(line: Line) -> int | None:
    match = _TOP_ITEM.match(line.path)
    return int(match.group(1)) if match else None


def _place(line: Line, items: Sequence[Any]) -> int:
    place = _index(line)
    if place is None or place >= len(items):
        raise ValueError(f"not an item of the Claim: {line.path}")
    return place


def _new_items(
    lacking: Iterable[ExpectedLine],
    siblings: Sequence[tuple[Line, Json]],
    items: Sequence[Any],
    systems: ModifierSystems,
) -> Iterator[Json]:
    used = [item["sequence"] for item in items if isinstance(item, dict) and isinstance(item.get("sequence"), int)]
    for sequence, want in enumerate(lacking, start=max(used, default=0) + 1):
        yield _new_item(want, sequence, _sibling(want, siblings), systems)


def _sibling(want: ExpectedLine, siblings: Sequence[tuple[Line, Json]]) -> tuple[Line, Json] | None:
    """Return the block line most like the one wanted: same day first, then the more digits of the code in common."""

    def rank(sibling: tuple[Line, Json]) -> tuple[bool, int]:
        line = sibling[0]
        return line.service_date == want.service_date, likeness(line.code, want.code)

    return max(siblings, key=rank, default=None)


def _new_item(want: ExpectedLine, sequence: int, sibling: tuple[Line, Json] | None, systems: ModifierSystems) -> Json:
    line, like = sibling or (None, {})
    shared = {name: bare_copy(like[name]) for name in _FROM_SIBLING if name in like}
    if want.service_date is not None and (line is None or line.service_date != want.service_date):
        shared.pop("servicedPeriod", None)
        shared["servicedDate"] = want.service_date.isoformat()
    system = _code_system(line.code, like) if line else CPT
    item: Json = {"sequence": sequence, "productOrService": {"coding": [{"system": system, "code": want.code}]}}
    if want.modifiers:
        item["modifier"] = [systems.concept(modifier) for modifier in want.modifiers]
    return {**item, **shared, "quantity": {"value": want.units}}


def _code_system(code: str, item: Json) -> str:
    """Return the system `item` names for its procedure code, else CPT."""
    for coding in codings(item.get("productOrService")):
        if begins_with(coding.get("code"), code) and isinstance(coding.get("system"), str):
            return str(coding["system"])
    return CPT

"""Modifiers of a Claim line: those that stay keep the form they have, new ones take the systems this Claim uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cds_service.cards.resources import Json, begins_with, codings, objects
from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"


class ModifierSystems:
    """The code systems this Claim names for modifiers, two-digit ones and HCPCS ones apart."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._seen: dict[bool, str] = {}
        for concept in (c for item in items for c in _concepts(item)):
            for coding in codings(concept):
                system = coding.get("system")
                if isinstance(system, str):
                    self._seen.setdefault(str(coding.get("code")).isdigit(), system)

    def of(self, modifier: str) -> str:
        """Return the system for `modifier`; a system of the site's own serves for both kinds."""
        numeric = modifier.isdigit()
        own = self._seen.get(numeric)
        other = self._seen.get(not numeric)
        if own is None and other is not None and other not in (CPT, HCPCS):
            return other
        return own or (CPT if numeric else HCPCS)

    def concept(self, modifier: str) -> Json:
        """Return a new modifier as a CodeableConcept."""
        return {"coding": [{"system": self.of(modifier), "code": modifier}]}


def set_modifiers(item: Json, line: Line, want: ExpectedLine, systems: ModifierSystems) -> None:
    """Rewrite the modifiers where they differ; those that stay, and what is no modifier to us, keep their form."""
    if sorted(line.modifiers) == sorted(want.modifiers):
        return
    concepts = [(concept, _codes(concept)) for concept in _concepts(item)]
    as_written = {next(iter(codes)): concept for concept, codes in concepts if len(codes) == 1}
    unread = [concept for concept, codes in concepts if codes.isdisjoint(line.modifiers)]
    item["modifier"] = [as_written.get(modifier) or systems.concept(modifier) for modifier in want.modifiers] + unread
    if not item["modifier"]:
        del item["modifier"]
    _leave_bare(item.get("productOrService"), line)


def _leave_bare(concept: object, line: Line) -> None:
    """Leave the bare code where modifiers were written behind it ("64461-RT"): they are in `modifier` now."""
    for coding in codings(concept):
        if begins_with(coding.get("code"), line.code):
            coding["code"] = line.code
    words = concept.get("text") if isinstance(concept, dict) else None
    if isinstance(concept, dict) and isinstance(words, str) and _names_modifier(words, line):
        concept["text"] = line.code


def _names_modifier(words: str, line: Line) -> bool:
    return any(re.search(rf"{re.escape(line.code)}.*\b{re.escape(m)}\b", words, re.IGNORECASE) for m in line.modifiers)


def _concepts(item: object) -> list[Json]:
    return objects(item.get("modifier")) if isinstance(item, dict) else []


def _codes(concept: Json) -> set[str]:
    """Return the modifiers a CodeableConcept stands for: of its codings, else its text."""
    written = [coding.get("code") for coding in codings(concept)] or [concept.get("text")]
    return {code.strip().upper() for code in written if isinstance(code, str)}

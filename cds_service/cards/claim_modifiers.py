"""Modifiers of a Claim line: those that stay keep the form they have, new ones take the systems this Claim uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.cards.resources import Json, codings, objects
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
    """Rewrite the modifiers where they differ, keeping the form of those that stay."""
    if sorted(line.modifiers) == sorted(want.modifiers):
        return
    as_written = {code: concept for concept in _concepts(item) if (code := _only_code(concept))}
    item["modifier"] = [as_written.get(modifier) or systems.concept(modifier) for modifier in want.modifiers]
    if not item["modifier"]:
        del item["modifier"]
    _strip_suffix(item.get("productOrService"), line.code)


def _strip_suffix(concept: object, code: str) -> None:
    """Leave the bare code where modifiers were written behind it ("64461-RT"): they are in `modifier` now."""
    for coding in codings(concept):
        written = coding.get("code")
        if isinstance(written, str) and written.strip() != code and written.strip().startswith(code):
            coding["code"] = code
    if isinstance(concept, dict) and str(concept.get("text", "")).strip().startswith(f"{code}-"):
        concept["text"] = code


def _concepts(item: object) -> list[Json]:
    return objects(item.get("modifier")) if isinstance(item, dict) else []


def _only_code(concept: Json) -> str | None:
    """Return the one modifier a CodeableConcept stands for, or None where it holds several or none."""
    codes = {str(coding["code"]).strip().upper() for coding in codings(concept) if coding.get("code")}
    if not codes and isinstance(concept.get("text"), str):
        codes = {concept["text"].strip().upper()}
    return codes.pop() if len(codes) == 1 else None

"""The terms of `terms.toml`: what SNOMED CT, LOINC and CPT codes say of levels, sides, anesthesia, operations, pain."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cds_service.chart.model import AnesthesiaType, Side
from cds_service.fhir.coding import LOINC, SNOMED, concepts, cpt_codes


@cache
def _terms() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("terms.toml").read_text(encoding="utf-8"))


def level(concept: object) -> str | None:
    """Return the vertebral level a SNOMED CT concept names, or None."""
    return _first("levels", concept)


def side(concept: object) -> Side | None:
    """Return the side a SNOMED CT concept names, or None."""
    found = _first("sides", concept)
    return None if found is None else Side(found)


def anesthesia(concept: object) -> AnesthesiaType | None:
    """Return the kind of anesthesia a SNOMED CT concept names, or None."""
    found = _first("anesthesia", concept)
    return None if found is None else AnesthesiaType(found)


def is_operation(code: object, category: object) -> bool:
    """Return whether a Procedure's code or category says it was an operation (see `[surgery]` of `terms.toml`)."""
    surgery = _terms()["surgery"]
    if set(surgery["categories"]) & {code for system, code in concepts(category) if system == SNOMED}:
        return True
    low, high = surgery["section"]
    codes = [value.code for value in cpt_codes(code)]
    return any(low <= each <= high and not _in_any(each, surgery["bedside"]) for each in codes)


def is_other_route(concept: object) -> bool:
    """Return whether a SNOMED CT concept names a route by which no block is given."""
    others = set(_terms()["routes"]["other"])
    return any(system == SNOMED and code in others for system, code in concepts(concept))


def is_pain_score(concept: object) -> bool:
    """Return whether a LOINC concept is a score of pain, from none to the worst."""
    scores = set(_terms()["pain"]["scores"])
    return any(system == LOINC and code in scores for system, code in concepts(concept))


def _first(table: str, concept: object) -> str | None:
    known: Mapping[str, str] = _terms()[table]
    return next((known[code] for system, code in concepts(concept) if system == SNOMED and code in known), None)


def _in_any(code: str, ranges: Iterable[tuple[str, str]]) -> bool:
    return any(low <= code <= high for low, high in ranges)

"""Claims as lines: codes, units, modifiers and dates, each with its place in the Claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

from cds_service.chart.bounds import MOST_DIAGNOSES
from cds_service.chart.diagnoses import claim_diagnoses, pointed_to
from cds_service.chart.identity import encounter_of
from cds_service.chart.model import ClaimFacts, DiagnosisFacts, Line
from cds_service.fhir.coding import PLACE_OF_SERVICE, CodedValue, concepts, cpt_codes, modifiers
from cds_service.fhir.reading import codes, first_date, items, member, numbered, quantity, text
from cds_service.fhir.record import Entry, Record

# https://hl7.org/fhir/R4/valueset-fm-status.html: a cancelled Claim or one entered in error bills nothing.
_STATUS_OUT: Final = frozenset({"cancelled", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-claim-use.html: a preauthorization or predetermination bills nothing yet.
_USE_OUT: Final = frozenset({"preauthorization", "predetermination"})


def bills(claim: Entry) -> bool:
    """Return whether a Claim bills for services done."""
    return text(claim.resource.get("status")) not in _STATUS_OUT and text(claim.resource.get("use")) not in _USE_OUT


def reported_codes(claim: Entry) -> Iterator[str]:
    """Yield the procedure codes of a Claim, those in its details among them, straight from the resource."""
    for place, item in numbered(claim.resource.get("item")):
        for _, part in _parts(item, f"item[{place}]"):
            yield from (value.code for value in cpt_codes(part.get("productOrService")))


def claim_facts(claim: Entry, record: Record) -> ClaimFacts:
    """Return what a Claim reports."""
    kinds = codes(claim.resource.get("type"))
    diagnoses = tuple(islice(claim_diagnoses(claim, record), MOST_DIAGNOSES))
    return ClaimFacts(
        reference=claim.reference,
        resource=claim.resource,
        lines=tuple(_lines(claim, diagnoses)),
        kind=kinds[0] if kinds else None,
        provider=record.identity(claim.resource.get("provider"), claim),
        diagnoses=diagnoses,
        places=tuple(_places(claim)),
    )


def _places(claim: Entry) -> Iterator[str]:
    """Yield where the services of the Claim were, each code once; what has no code of CMS's is left out."""
    concepts_of = (concepts(item.get("locationCodeableConcept")) for item in items(claim.resource.get("item")))
    yield from dict.fromkeys(code for pairs in concepts_of for system, code in pairs if system == PLACE_OF_SERVICE)


def _lines(claim: Entry, diagnoses: tuple[DiagnosisFacts, ...]) -> Iterator[Line]:
    """Yield a line for each item with a procedure code, and for each of its details that has another one.

    Facilities put the code under a line of the revenue center (https://hl7.org/fhir/R4/claim.html, `item.detail`).
    """
    billable = first_date(claim.resource, "billablePeriod")
    for place, item in numbered(claim.resource.get("item")):
        day = first_date(item, "servicedDate", "servicedPeriod") or billable
        pointed = pointed_to(item, diagnoses)
        above: frozenset[str] = frozenset()
        for path, part in _parts(item, f"item[{place}]"):
            for value in cpt_codes(part.get("productOrService"))[:1]:
                if value.code not in above:
                    yield _line(claim, path, part, value, day, pointed)
                above |= {value.code} if part is item else frozenset()


def _parts(item: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield an item, its details and theirs."""
    yield path, item
    for place, detail in numbered(item.get("detail")):
        yield f"{path}.detail[{place}]", detail
        for below, sub_detail in numbered(detail.get("subDetail")):
            yield f"{path}.detail[{place}].subDetail[{below}]", sub_detail


def _line(
    claim: Entry,
    path: str,
    part: Mapping[str, Any],
    value: CodedValue,
    day: date | None,
    diagnoses: tuple[str, ...],
) -> Line:
    amount = quantity(part.get("quantity"))
    return Line(
        code=value.code,
        units=amount.value if amount else float(value.units or 1),
        modifiers=tuple(dict.fromkeys((*value.modifiers, *modifiers(part.get("modifier"))))),
        reference=claim.reference,
        path=path,
        service_date=day,
        diagnoses=diagnoses,
    )


def encounters(claim: Entry, record: Record) -> frozenset[str]:
    """Return the encounters the items of a Claim name."""
    references = (
        reference
        for _, item in numbered(claim.resource.get("item"))
        for _, reference in numbered(member(item, "encounter"))
    )
    found = (encounter_of(reference, claim, record) for reference in references)
    return frozenset(reference for reference in found if reference)
